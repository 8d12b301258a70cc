"""What is blurred in training: grey scenes in linear light without a blur of their own, and scenes in which nothing can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.images.loading import load_image
from cliqa.training.noise.textures import TEXTURES, texture
from cliqa.training.photos import Photo

Plane = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Generator = np.random.Generator

OWN = 0.35  # pixels: the blur that a photograph scaled down once may still have
CAMERA = (0.0, 1.5)  # pixels: the same of a camera's file at native resolution, after its demosaicing
QUIET = 5.0  # grey values a pixel, after a blur of 1: scenes without a steeper slope have no edge
SIDES = (128, 320)  # pixels, of the part of a photograph that is taken for a wall or a sky


@dataclass(frozen=True)
class Scene:
    """A grey picture before the blur.

    Attributes:
        grey: float32 (height, width), 0-255, encoded (sRGB).
        own: (least, most) blur in pixels that it has already.
        empty: nothing in it tells how blurred it is.
    """

    grey: Plane
    own: tuple[float, float]
    empty: bool = False


@lru_cache(maxsize=1024)
def grey_of(path: Path) -> Bytes:
    """The photograph in grey, uint8 (height, width)."""
    return np.asarray(load_image(path).stored.convert("L"))


class Scenes:
    """Draws scenes from the photographs of one split."""

    def __init__(self, photos: Sequence[Photo]) -> None:
        self.kinds = {
            kind: [photo.path for photo in photos if photo.kind == kind] for kind in ("lossless", "camera", "drawn")
        }

    def draw(self, rng: Generator) -> Scene:
        """Any scene: photographs, halved ones of cameras, native ones of cameras, drawings, textures, and empty ones."""
        kind = rng.choice(
            ["photo", "halved", "camera", "drawn", "texture", "empty"], p=[0.58, 0.06, 0.1, 0.03, 0.04, 0.19]
        )
        if kind == "empty":
            return Scene(empty_scene(rng, self.kinds["lossless"]), (0.0, 8.0), empty=True)
        if kind == "texture":
            grey = np.asarray(Image.fromarray(texture(int(rng.integers(TEXTURES)))).convert("L"))
            return reduced(rng, grey, float(rng.uniform(1, 2)))
        if kind in ("camera", "halved") and self.kinds["camera"]:
            grey = self._any(rng, "camera")
            if kind == "camera":
                return Scene(turned(rng, grey).astype(np.float32), CAMERA)
            return reduced(rng, grey, float(rng.uniform(2, 2.6)))
        if kind == "drawn" and self.kinds["drawn"]:
            return reduced(rng, self._any(rng, "drawn"), float(rng.uniform(1, 1.6)))
        return self.photo(rng)

    def photo(self, rng: Generator) -> Scene:
        """A photograph, half of them scaled down further."""
        return reduced(rng, self._any(rng, "lossless"), float(rng.uniform(1, 2)) if rng.random() < 0.5 else 1.0)

    def _any(self, rng: Generator, kind: str) -> Bytes:
        paths = self.kinds[kind]
        return grey_of(paths[int(rng.integers(len(paths)))])


def turned(rng: Generator, grey: Bytes) -> Bytes:
    """Turned by a multiple of 90 degrees and mirrored at random."""
    grey = np.rot90(grey, int(rng.integers(4)))
    return np.ascontiguousarray(grey[:, ::-1] if rng.random() < 0.5 else grey)


def reduced(rng: Generator, grey: Bytes, factor: float) -> Scene:
    """Scaled down by `factor`, which takes its own blur away, turned and mirrored."""
    grey = turned(rng, grey)
    if factor > 1:
        size = (max(160, round(grey.shape[1] / factor)), max(160, round(grey.shape[0] / factor)))
        kernel = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX)[int(rng.integers(3))]
        grey = np.asarray(Image.fromarray(grey).resize(size, kernel))
    return Scene(grey.astype(np.float32), (0.0, OWN / factor**2))


def slope(grey: Plane) -> Plane:
    """Slope in grey values a pixel after a blur of 1, which leaves edges and takes noise; float32 (height - 1, width - 1)."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    return np.asarray(np.hypot(smooth[:-1, 1:] - smooth[:-1, :-1], smooth[1:, :-1] - smooth[:-1, :-1]), np.float32)


@lru_cache(maxsize=1024)
def quiet_part(path: Path) -> Bytes | None:
    """The largest square of a photograph without an edge (sky, wall, snow, fog), None where it has none."""
    grey = grey_of(path)
    loud = (slope(grey.astype(np.float32)) > QUIET).astype(np.float32)
    sums = cv2.integral(loud)
    for side in range(SIDES[1], SIDES[0] - 1, -16):
        if side >= min(loud.shape):
            continue
        count = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
        least = int(count.argmin())
        if count.flat[least] <= 0.0005 * side * side:
            top, left = divmod(least, count.shape[1])
            return np.ascontiguousarray(grey[top : top + side, left : left + side])
    return None


def empty_scene(rng: Generator, paths: Sequence[Path]) -> Plane:
    """A scene that tells nothing of its blur: quiet parts of photographs, gradients, clouds, walls, photographs in fog or the dark."""
    kind = rng.choice(["quiet", "smooth", "fog", "dark"], p=[0.45, 0.33, 0.14, 0.08])
    if kind == "quiet":
        for _ in range(12):
            part = quiet_part(paths[int(rng.integers(len(paths)))])
            if part is not None:
                part = turned(rng, part).astype(np.float32)
                pad = ((0, max(0, 320 - part.shape[0])), (0, max(0, 320 - part.shape[1])))
                gain = float(rng.uniform(0.5, 1.3))
                return np.pad(part, pad, mode="symmetric") * gain
    if kind in ("fog", "dark"):
        grey = turned(rng, grey_of(paths[int(rng.integers(len(paths)))])).astype(np.float32)
        share = float(rng.uniform(0, 0.06))
        veil = float(rng.uniform(110, 245)) if kind == "fog" else float(rng.uniform(0, 12))
        return grey * share + (1 - share) * veil + gradient(rng, grey.shape, float(rng.uniform(0, 40)))
    return smooth_scene(rng)


def gradient(rng: Generator, shape: tuple[int, ...], size: float) -> Plane:
    """A plane of `size` grey values from end to end, or a vignette; its mean is about 0."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    if rng.random() < 0.3:
        return np.asarray(-size * ((x - rng.uniform(-1, 1)) ** 2 + (y - rng.uniform(-1, 1)) ** 2 - 0.6) / 2, np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray(size / 2 * (np.cos(angle) * x + np.sin(angle) * y), np.float32)


def smooth_scene(rng: Generator) -> Plane:
    """A gradient, clouds that are smooth over 8 pixels and more, and the faint texture of a wall."""
    shape = (int(rng.integers(256, 513)), int(rng.integers(256, 513)))
    scene = np.full(shape, float(rng.uniform(20, 245)), np.float32) + gradient(rng, shape, float(rng.exponential(60)))
    if rng.random() < 0.6:
        scene += clouds(rng, shape, float(rng.uniform(8, 60))) * float(rng.exponential(12))
    if rng.random() < 0.4:
        wall = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), float(rng.uniform(0.6, 4)))
        scene += wall * (float(rng.uniform(0.2, 2.0)) / max(float(wall.std()), 1e-3))
    return np.asarray(np.clip(scene, 0, 255), np.float32)


def clouds(rng: Generator, shape: tuple[int, ...], finest: float) -> Plane:
    """A field of deviation 1 whose amplitude falls with the frequency to the power of 1.5-2.5, smooth below `finest` pixels."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    radius = np.maximum(np.hypot(down, across), 1 / max(shape))
    amplitude = radius ** -float(rng.uniform(1.5, 2.5)) * np.exp(-0.5 * (radius * finest) ** 2)
    field = np.fft.irfft2(amplitude * np.exp(2j * np.pi * rng.random(radius.shape)), shape)
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-9), np.float32)

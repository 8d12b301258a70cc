"""Clean canvases for noise: photographs cropped, scaled, turned, toned; several on one canvas; drawings and synthetic textures.

A canvas holds just the tiles that the metric will look at, which makes examples cheap: a crop of one photograph, tiles from all
over it, or parts of several. Seams between parts are edges like others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from cliqa.training.noise.fields import Generator, Image, blur, grey_of, log_uniform
from cliqa.training.noise.textures import TEXTURES, texture
from cliqa.training.photos import Photo

Pixels = NDArray[np.uint8]
Source = tuple[Path, bool] | int  # a photograph and whether it is halved, or the number of a texture

TILE = 128
LAYOUTS = {
    (4, 2): 0.16,
    (2, 4): 0.08,
    (3, 2): 0.1,
    (2, 3): 0.1,
    (2, 2): 0.36,
    (2, 1): 0.06,
    (1, 2): 0.06,
    (1, 1): 0.08,
}  # tiles
KIND_SHARES = {"lossless": 0.37, "camera": 0.13, "published": 0.4, "drawn": 0.05, "texture": 0.05}
HALVED = ("camera", "published")  # JPEGs: at half size little of their own noise and compression is left
SINGLE_SHARE = 0.6  # canvases from one photograph
BUSY_SHARE, CANDIDATES = 0.35, 4  # how often the photograph is the busiest of so many
SOFT_SHARE = 0.1  # crops that are enlarged: as soft as cameras' files are at their native size
cv2.setNumThreads(1)
INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class Sources:
    """Paths of the pristine pictures, by kind."""

    paths: dict[str, tuple[Path, ...]]

    @classmethod
    def of(cls, photos: Sequence[Photo], published: Sequence[Path] = ()) -> Sources:
        """The photographs given, by their kind, and good published ones that are JPEGs."""
        kinds = sorted({photo.kind for photo in photos})
        paths = {kind: tuple(photo.path for photo in photos if photo.kind == kind) for kind in kinds}
        return cls(paths | ({"published": tuple(published)} if published else {}))

    def draw(self, rng: Generator) -> Pixels:
        """The pixels of one, uint8 (height, width, 3): of any, or of the busiest among a few."""
        if rng.random() >= BUSY_SHARE:
            return pixels_of(self._choose(rng))
        return pixels_of(max((self._choose(rng) for _ in range(CANDIDATES)), key=busyness))

    def _choose(self, rng: Generator) -> Source:
        """Any: kinds by `KIND_SHARES`, all of a kind alike."""
        shares = {kind: share for kind, share in KIND_SHARES.items() if kind in self.paths or kind == "texture"}
        weights = np.array(list(shares.values()))
        kind = str(rng.choice(list(shares), p=weights / weights.sum()))
        if kind == "texture":
            return int(rng.integers(TEXTURES))
        paths = self.paths[kind]
        return paths[int(rng.integers(len(paths)))], kind in HALVED


@lru_cache(maxsize=8000)
def pixels_of(source: Source) -> Pixels:
    """A texture, or a photograph, at half its size where asked for."""
    if isinstance(source, int):
        return texture(source)
    image = Pillow.open(source[0]).convert("RGB")
    return np.asarray(image.reduce(2) if source[1] else image)


@cache
def busyness(source: Source) -> float:
    """How much detail the flattest fifth of the 16x16 regions has: what dense texture has, and little else without noise."""
    grey = pixels_of(source)[..., 1].astype(np.float32)
    rows, columns = (length // 16 for length in grey.shape)
    detail = np.abs(cv2.Laplacian(grey, cv2.CV_32F))[: rows * 16, : columns * 16]
    regions = detail.reshape(rows, 16, columns, 16).mean(axis=(1, 3))
    return float(np.percentile(regions, 20))


def draw_layout(rng: Generator) -> tuple[int, int]:
    """Rows and columns of tiles."""
    layouts = list(LAYOUTS)
    weights = np.array(list(LAYOUTS.values()))
    return layouts[int(rng.choice(len(layouts), p=weights / weights.sum()))]


def draw_canvas(
    rng: Generator, draw_photo: Callable[[Generator], Pixels], height: int, width: int, soft: float = SOFT_SHARE
) -> Image:
    """A clean canvas, float32 (height, width, 3) in 0-255. `soft`: share of the crops that are enlarged."""
    if rng.random() < SINGLE_SHARE:
        return tone(rng, _part(rng, draw_photo(rng), height, width, soft))
    canvas = np.empty((height, width, 3), np.float32)
    cut_y, cut_x = height, width
    if rng.random() < 0.5 or min(height, width) <= TILE:  # two parts, else four
        if height >= width:
            cut_y = 8 * int(rng.integers(height // 24, height // 12 + 1))
        else:
            cut_x = 8 * int(rng.integers(width // 24, width // 12 + 1))
    else:
        cut_y, cut_x = 8 * int(rng.integers(height // 24, height // 12 + 1)), 8 * (width // 16)
    for rows in (slice(0, cut_y), slice(cut_y, height)):
        for columns in (slice(0, cut_x), slice(cut_x, width)):
            part_height, part_width, _ = canvas[rows, columns].shape
            if part_height and part_width:
                canvas[rows, columns] = tone(rng, _part(rng, draw_photo(rng), part_height, part_width, soft))
    return canvas


def _part(rng: Generator, photo: Pixels, height: int, width: int, soft: float) -> Image:
    """`height` x `width` pixels of a photograph, scaled, turned, softened or sharpened: float32 0-255."""
    if rng.random() < 0.5:
        photo = photo.transpose(1, 0, 2)
    room = min(photo.shape[0] / height, photo.shape[1] / width)
    if rng.random() < soft:
        crop = _enlarged_crop(rng, photo, height, width)
    elif room >= 1.2 and rng.random() < 0.45:
        crop = _scaled_crop(rng, photo, height, width, min(room, 2.5))
    elif height % TILE == 0 and width % TILE == 0 and (room < 1 or rng.random() < 0.4):
        crop = _gathered(rng, photo, height, width)
    else:
        crop = _crop(rng, photo, height, width)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.5:
        crop = crop[::-1]
    image: Image = np.ascontiguousarray(crop).astype(np.float32)
    kind = rng.random()
    if kind < 0.08:  # out of focus
        image = blur(image, float(rng.uniform(0.4, 2.5)))
    elif kind < 0.25:
        radius, amount = rng.uniform(0.4, 1.5), rng.uniform(0.2, 1.5)
        image = np.clip(image + np.float32(amount) * (image - blur(image, float(radius))), 0, 255)
    return image


def _crop(rng: Generator, photo: Pixels, height: int, width: int) -> Pixels:
    """A crop; photographs that are too small are mirrored."""
    top = int(rng.integers(max(0, photo.shape[0] - height) + 1))
    left = int(rng.integers(max(0, photo.shape[1] - width) + 1))
    crop = photo[top : top + height, left : left + width]
    while crop.shape[0] < height or crop.shape[1] < width:
        pad_y, pad_x = (min(wanted - got, got) for wanted, got in zip((height, width), crop.shape[:2], strict=True))
        crop = np.pad(crop, ((0, pad_y), (0, pad_x), (0, 0)), "symmetric")
    return crop


def _scaled_crop(rng: Generator, photo: Pixels, height: int, width: int, most: float) -> Pixels:
    """A larger crop scaled down by up to `most`."""
    factor = float(rng.uniform(1.1, most))
    crop = _crop(rng, photo, min(round(height * factor), photo.shape[0]), min(round(width * factor), photo.shape[1]))
    if rng.random() < 0.5:
        return np.asarray(cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    kernels = (Pillow.Resampling.BOX, Pillow.Resampling.BILINEAR, Pillow.Resampling.BICUBIC, Pillow.Resampling.LANCZOS)
    return np.asarray(Pillow.fromarray(crop).resize((width, height), kernels[int(rng.integers(4))]))


def _enlarged_crop(rng: Generator, photo: Pixels, height: int, width: int) -> Pixels:
    """A smaller crop, enlarged."""
    factor = log_uniform(rng, 1.2, 3.5)
    crop = _crop(rng, photo, max(8, round(height / factor)), max(8, round(width / factor)))
    how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
    return np.asarray(cv2.resize(crop, (width, height), interpolation=how), np.uint8)


def _gathered(rng: Generator, photo: Pixels, height: int, width: int) -> Pixels:
    """Tiles from anywhere in the photograph, side by side."""
    canvas = np.empty((height, width, 3), np.uint8)
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            canvas[y : y + TILE, x : x + TILE] = _crop(rng, photo, TILE, TILE)
    return canvas


def tone(rng: Generator, image: Image) -> Image:
    """Gamma, white balance, saturation, contrast and brightness changed, in half of the cases; a few made grey."""
    if rng.random() < 0.06:
        image = np.repeat(grey_of(image), 3, axis=2)
    if rng.random() < 0.5:
        return image
    power = float(np.exp(rng.normal(0, 0.3)))
    image = np.asarray(cv2.pow(np.clip(image, 0, 255) / np.float32(255), power), np.float32).reshape(image.shape)
    if rng.random() < 0.3:  # white balance
        image = image * rng.uniform(0.8, 1.15, 3).astype(np.float32)
    if rng.random() < 0.3:  # saturation
        grey = grey_of(image)
        image = grey + (image - grey) * np.float32(rng.uniform(0.2, 1.6))
    image = (image - np.float32(0.5)) * np.float32(rng.uniform(0.6, 1.3)) + np.float32(0.5 + rng.normal(0, 0.08))
    return np.asarray(np.clip(image * 255, 0, 255), np.float32)

"""What the histories of `scale_factor` and its part `learned` begin with: photographs, some with a grid over them, and smooth areas."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from cliqa.training.histories.picture import Pixels, Rng
from cliqa.training.photos import Photo, read_photos

PERIODIC = 0.05  # share of photographs that get a regular grid
KIND_SHARES = {"lossless": 0.66, "camera": 0.26, "drawn": 0.08}


@lru_cache(maxsize=4)
def _photos(folder: str, split: str) -> dict[str, list[Photo]]:
    found: dict[str, list[Photo]] = {}
    for photo in read_photos(Path(folder), split):  # type: ignore[arg-type]
        found.setdefault(photo.kind, []).append(photo)
    return found


@lru_cache(maxsize=700)
def _pixels(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def random_photo(rng: Rng, folder: str, split: str) -> tuple[Pixels, str]:
    """Pixels of a random photograph, turned and mirrored at random (exactly), and its kind ("periodic" with a grid drawn over it)."""
    photos = _photos(folder, split)
    kinds = [kind for kind in KIND_SHARES if kind in photos]
    shares = np.array([KIND_SHARES[kind] for kind in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
    pixels = _pixels(photos[kind][rng.integers(len(photos[kind]))].path)
    if rng.random() < 0.5:
        pixels = pixels.swapaxes(0, 1)
    if kind != "camera" or rng.random() < 0.3:  # most camera crops keep the grid of their own JPEG at the corner
        pixels = pixels[:: rng.choice((1, -1)), :: rng.choice((1, -1))]
    if rng.random() < PERIODIC:
        return periodic(rng, pixels), "periodic"
    return pixels, kind


def periodic(rng: Rng, pixels: Pixels) -> Pixels:
    """Windows, tiles, fences: a grid of soft-edged lines over the picture, of any period and not bound to pixels."""
    shade = np.zeros(pixels.shape[:2], np.float32)
    contrast = float(rng.uniform(0.2, 0.9))
    axes = ((0,), (1,), (0, 1))[int(rng.choice(3, p=(0.25, 0.25, 0.5)))]
    for axis in axes:
        period, phase = float(np.exp(rng.uniform(np.log(3.0), np.log(48.0)))), float(rng.uniform(0, 1))
        width = float(rng.uniform(0.1, 0.5)) * period
        place = np.arange(pixels.shape[axis]) / period + phase
        distance = np.abs(place - np.rint(place)) * period
        line = np.clip(width / 2 + 0.5 - distance, 0, 1).astype(np.float32)
        shade = np.maximum(shade, line[:, None] if axis == 0 else line[None, :])
    tone = rng.integers(0, 256, 3).astype(np.float32)
    alpha = (contrast * shade)[..., None]
    return np.asarray(np.rint(pixels * (1 - alpha) + tone * alpha), dtype=np.uint8)


def smooth(rng: Rng, side: int) -> Pixels:
    """Skies, walls, backgrounds: gradients of two or three colours, straight, round or clouded, without noise or with a little."""
    v, u = np.mgrid[0:side, 0:side].astype(np.float64) / side
    angle, waves = rng.uniform(0, 2 * np.pi), int(rng.integers(0, 5))
    ramp = u * np.cos(angle) + v * np.sin(angle)
    if rng.random() < 0.3:
        ramp = np.hypot(u - rng.uniform(0, 1), v - rng.uniform(0, 1)) ** rng.uniform(0.7, 2)
    for _ in range(waves):
        ways = rng.normal(0, rng.uniform(1, 12), 2)
        ramp = ramp + rng.uniform(0, 0.15) * np.cos(2 * np.pi * (ways[0] * u + ways[1] * v) + rng.uniform(0, 6.3))
    ramp = (ramp - ramp.min()) / max(np.ptp(ramp), 1e-9)
    stops = rng.integers(0, 256, (int(rng.integers(2, 4)), 3))
    if rng.random() < 0.4:
        stops = stops[0] + rng.integers(-40, 41, stops.shape)
    places = np.linspace(0, 1, len(stops))
    values = np.stack([np.interp(ramp, places, stops[:, channel]) for channel in range(3)], axis=2)
    deviation = float(rng.choice((0.0, rng.uniform(0.2, 1.0), rng.uniform(1, 4)), p=(0.5, 0.3, 0.2)))
    shape = values.shape if rng.random() < 0.5 else (*values.shape[:2], 1)
    values = values + rng.normal(0, 1, shape) * deviation
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)

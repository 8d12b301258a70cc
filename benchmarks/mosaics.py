"""Folders of JPEG files to measure speed on: mosaics of photographs at their native resolution, in the sizes of cameras and screens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.training.photos import read_photos

SIZES = {"1080p": (1920, 1080), "12mp": (4000, 3000)}
_CELL = 512  # pixels of a mosaic's square


def photo_tiles(data: str, count: int = 60) -> list[NDArray[np.uint8]]:
    """Pixels of the first lossless photographs of a folder."""
    return [photo.pixels() for photo in read_photos(data, kinds=("lossless",))[:count]]


def make_folder(photos: Sequence[NDArray[np.uint8]], size: tuple[int, int], count: int, folder: Path) -> None:
    """Write `count` JPEG files (quality 92, 4:2:0) of (width, height), each a mosaic of photographs; the same ones every time."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    width, height = size
    for number in range(count):
        canvas = np.zeros((height, width, 3), np.uint8)
        for top in range(0, height, _CELL):
            for left in range(0, width, _CELL):
                tile = photos[int(rng.integers(len(photos)))]
                part = canvas[top : top + _CELL, left : left + _CELL]
                padded = np.pad(tile, ((0, _CELL), (0, _CELL), (0, 0)), mode="symmetric")
                part[:] = padded[: part.shape[0], : part.shape[1]]
        Image.fromarray(canvas).save(folder / f"{number:04d}.jpg", quality=92)

"""The shared patch sampler: the most detailed 128x128 tiles of an image.

Tiles lie on a 128-pixel grid from the top left corner, so that every tile has the same phase of any 8x8 lattice that
starts at the image's corner. A tile's detail is the mean over R, G, B of its standard deviation; the tiles with
the most are taken, ties by position, so the choice depends on nothing but the pixels.

Detail is measured on every fourth row and column of images above half a megapixel: the same tiles, at a
sixteenth of the cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PATCH = 128
_SUBSAMPLE_ABOVE = 500_000


def tile_detail(image: Image.Image, size: int = PATCH) -> NDArray[np.float64]:
    """Mean per-channel standard deviation of each whole tile, float64 (rows, columns); 0-255 units."""
    width, height = image.size
    columns, rows = width // size, height // size
    step = 4 if width * height > _SUBSAMPLE_ABOVE and size % 4 == 0 else 1
    region = (0, 0, columns * size, rows * size)
    if step > 1:  # NEAREST takes the pixel at the centre of each step: one sample per 4x4
        sampled = image.resize((region[2] // step, region[3] // step), Image.Resampling.NEAREST, box=region)
    else:
        sampled = image.crop(region)
    side = size // step
    values = np.asarray(sampled).reshape(rows, side, columns, side, 3)
    wide = values.astype(np.uint32)
    count = side * side
    total = wide.sum(axis=(1, 3)).astype(np.float64)
    squares = np.square(wide).sum(axis=(1, 3)).astype(np.float64)
    variance = np.maximum(squares / count - np.square(total / count), 0.0)
    detail: NDArray[np.float64] = np.sqrt(variance).mean(axis=2)
    return detail


def pad_to_patch(image: Image.Image, size: int = PATCH) -> Image.Image:
    """Images with a side under `size` are mirrored out to it, to the right and downwards."""
    width, height = image.size
    if width >= size and height >= size:
        return image
    array = np.asarray(image)
    pad = ((0, max(0, size - height)), (0, max(0, size - width)), (0, 0))
    return Image.fromarray(np.pad(array, pad, mode="symmetric"))


def patch_origins(image: Image.Image, count: int, size: int = PATCH) -> list[tuple[int, int]]:
    """(x, y) of the `count` most detailed tiles, most detailed first; fewer where the image has fewer tiles."""
    detail = tile_detail(image, size).ravel()
    columns = image.width // size
    order = np.argsort(-detail, kind="stable")[:count]
    return [(int(index % columns) * size, int(index // columns) * size) for index in order]


def select_patches(image: Image.Image, count: int = 8, size: int = PATCH) -> NDArray[np.uint8]:
    """The `count` most detailed tiles of an RGB image.

    Returns:
        uint8 (n, 3, size, size), 1 <= n <= count, most detailed first. Images smaller than a tile are mirrored
        out to one (`pad_to_patch`); the padding lies to the right of and below the picture.
    """
    padded = pad_to_patch(image, size)
    tiles = [
        np.asarray(padded.crop((x, y, x + size, y + size))).transpose(2, 0, 1)
        for x, y in patch_origins(padded, count, size)
    ]
    return np.ascontiguousarray(np.stack(tiles))


def spread_patches(image: Image.Image, count: int = 8, size: int = PATCH) -> NDArray[np.uint8]:
    """Tiles spread evenly over the ranks of detail, from the most detailed to the flattest: what represents a whole image.

    Returns:
        uint8 (n, 3, size, size), 1 <= n <= count, most detailed first; all tiles where there are no more than `count`.
    """
    padded = pad_to_patch(image, size)
    total = (padded.width // size) * (padded.height // size)
    ranked = patch_origins(padded, total, size)
    chosen = np.unique(np.rint(np.linspace(0, total - 1, min(count, total))).astype(int))
    tiles = [np.asarray(padded.crop((x, y, x + size, y + size))) for x, y in (ranked[index] for index in chosen)]
    return np.ascontiguousarray(np.stack(tiles).transpose(0, 3, 1, 2))

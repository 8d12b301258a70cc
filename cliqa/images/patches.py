"""The shared patch sampler: the most detailed 128x128 tiles of an image.

Tiles lie on a 128-pixel grid from the top left corner, so that every tile has the same phase of any 8x8 lattice that
starts at the image's corner. A tile's detail is the mean over R, G, B of its standard deviation; the tiles with
the most are taken, ties by position, so the choice depends on nothing but the pixels.

Detail is measured on every fourth row and column of images above half a megapixel: the same tiles, at a
sixteenth of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import planes, raster, reader
from cliqa.images.paper import paper_shares

PATCH = 128  # documented: `--num-patches` counts 128x128 patches
_LATTICE = 8  # pixels: of JPEG's blocks, and of what else repeats from a picture's corner
_CORNER = 32  # pixels that a further tile must add along a side; no tuning on record
_SUBSAMPLE_ABOVE = 500_000  # pixels; chosen by hand: small pictures keep every sample, since theirs are few
_LARGEST_SUMMED = 256  # pixels a side of which the squares' sum fits into 32 bits
PAPER = ((0.05, 2), (0.4, 1))
"""The most paper that tiles may have, and how many such tiles are enough. Between letters seven tenths of a page are paper."""


def tile_detail(image: Image.Image, size: int = PATCH) -> NDArray[np.float64]:
    """Mean per-channel standard deviation of each whole tile, float64 (rows, columns); 0-255 units."""
    width, height = image.size
    columns, rows = width // size, height // size
    step = 4 if width * height > _SUBSAMPLE_ABOVE and size % 4 == 0 else 1
    count = (size // step) ** 2
    library, pixels = compiled(), raster(image)
    if library is not None and pixels is not None and size <= _LARGEST_SUMMED:
        sums = np.empty((rows, columns, 6), np.int64)
        library.tile_sums(pixels, rows, columns, size, *pixels.strides[:2], step, sums)
        return _deviations(sums[..., :3], sums[..., 3:], count)
    region = (0, 0, columns * size, rows * size)
    if step > 1:  # NEAREST takes the pixel at the centre of each step: one sample per 4x4
        sampled = image.resize((region[2] // step, region[3] // step), Image.Resampling.NEAREST, box=region)
    else:
        sampled = image.crop(region)
    side = size // step
    # Down the columns first, in narrow integers and long rows: exact, and ten times as fast as both axes at once.
    values = np.asarray(sampled).reshape(rows, side, columns * side * 3)
    down = values.sum(axis=1, dtype=np.uint16 if side * 255 < 1 << 16 else np.uint32)
    squares_down = np.multiply(values, values, dtype=np.uint16).sum(axis=1, dtype=np.uint32)
    total, squares = (
        partial.reshape(rows, columns, side, 3).sum(axis=2, dtype=np.int64) for partial in (down, squares_down)
    )
    return _deviations(total, squares, count)


def _deviations(total: NDArray[np.int64], squares: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Mean standard deviation of the channels, from the sums of so many values and of their squares, (rows, columns, 3)."""
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


class Tiles:
    """The whole tiles of one RGB image, ranked by their detail once for all who choose among them.

    Images smaller than a tile are mirrored out to one (`pad_to_patch`); the padding lies to the right of and below the picture.
    """

    def __init__(self, image: Image.Image, size: int = PATCH) -> None:
        self.image = pad_to_patch(image, size)
        self.size = size
        self._known: dict[tuple[int, int], NDArray[np.uint8]] = {}

    @cached_property
    def origins(self) -> list[tuple[int, int]]:
        """(x, y) of every tile, most detailed first, ties by position."""
        columns = self.image.width // self.size
        order = np.argsort(-tile_detail(self.image, self.size).ravel(), kind="stable")
        return [(int(index % columns) * self.size, int(index // columns) * self.size) for index in order]

    def most_detailed(self, count: int = 8) -> NDArray[np.uint8]:
        """The `count` most detailed tiles: uint8 (n, 3, size, size), 1 <= n <= count, most detailed first."""
        return self.cut(self.origins[:count])

    def with_corner(self, count: int = 8) -> NDArray[np.uint8]:
        """As `most_detailed`; a picture of one whole tile has a second one, which overlaps it, in its far corner.

        It lies on the same lattice of 8 pixels. A picture of 192 x 192 has 44 % of its pixels in its whole tile, and 78 % in both.
        """
        origins = self.origins[:count]
        corner = ((self.image.width - self.size) // _LATTICE * _LATTICE,
                  (self.image.height - self.size) // _LATTICE * _LATTICE)  # fmt: skip
        if len(self.origins) == 1 < count and max(corner) >= _CORNER:
            origins = [*origins, corner]
        return self.cut(origins)

    def spread(self, count: int = 8, among: Sequence[tuple[int, int]] | None = None) -> NDArray[np.uint8]:
        """Tiles spread evenly over the ranks of detail, from the most detailed to the flattest: what represents a whole image.

        Args:
            count: how many at most.
            among: origins in the order of `origins`, such as `photographic`; all where none are given.

        Returns:
            uint8 (n, 3, size, size), 1 <= n <= count, most detailed first; all tiles where there are no more than `count`.
        """
        origins = self.origins if among is None else among
        chosen = np.unique(np.rint(np.linspace(0, len(origins) - 1, min(count, len(origins)))).astype(int))
        return self.cut([origins[index] for index in chosen])

    @cached_property
    def photographic(self) -> list[tuple[int, int]]:
        """`origins` of the tiles without paper (`cliqa.images.paper`); if these are too few, of those with little paper, or all."""
        shares = paper_shares(self.image, self.size)
        for most, fewest in PAPER:
            found = [(x, y) for x, y in self.origins if shares[y // self.size, x // self.size] <= most]
            if len(found) >= fewest:
                return found
        return self.origins

    def cut(self, origins: list[tuple[int, int]]) -> NDArray[np.uint8]:
        """The tiles at these origins (x, y): uint8 (n, 3, size, size), to be read only. A tile is read once, whoever asks."""
        fresh = [origin for origin in dict.fromkeys(origins) if origin not in self._known]
        if fresh:
            read = reader(self.image)
            made = planes([read((x, y, x + self.size, y + self.size)) for x, y in fresh])
            made.setflags(write=False)  # others read them too
            self._known.update(zip(fresh, made, strict=True))
            if len(fresh) == len(origins):
                return made
        return np.stack([self._known[origin] for origin in origins])


def select_patches(image: Image.Image, count: int = 8, size: int = PATCH) -> NDArray[np.uint8]:
    """The `count` most detailed tiles of an RGB image, see `Tiles.most_detailed`."""
    return Tiles(image, size).most_detailed(count)


def spread_patches(image: Image.Image, count: int = 8, size: int = PATCH) -> NDArray[np.uint8]:
    """Tiles spread evenly over the ranks of detail, see `Tiles.spread`."""
    return Tiles(image, size).spread(count)

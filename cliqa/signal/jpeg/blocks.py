"""Luma blocks of decoded tiles: JPEG's Y as integers, its 8x8 blocks on any grid, which of their pixels were clipped, their DCT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.colour import LUMA32
from cliqa.signal.dct import dct_matrix

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

DCT_MATRIX: Floats = dct_matrix().astype(np.float32)
"""float32 (8, 8), orthonormal DCT-II: rows are frequencies. JPEG coefficients are DCT @ block @ DCT.T."""
DCT64: Floats = np.ascontiguousarray(np.kron(DCT_MATRIX, DCT_MATRIX))
"""float32 (64, 64), orthonormal: coefficients of a flat block are DCT64 @ pixels."""


@dataclass(frozen=True)
class Blocks:
    """Some luma blocks of one grid.

    Attributes:
        pixels: float32 (n, 64), Y minus 128.
        dark, light: bool (n, 64), pixels with a channel at 0 or at 255, which were probably clipped there; None where there are none.
        among: so many there were to choose from by `every`; 0 where they were not chosen so.
    """

    pixels: Floats
    dark: Bools | None = None
    light: Bools | None = None
    among: int = 0

    @property
    def clean(self) -> bool:
        """Whether no pixel was clipped."""
        return self.dark is None

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, index: NDArray[np.intp]) -> Blocks:
        """The blocks at these places."""
        if self.dark is None or self.light is None:
            return Blocks(self.pixels[index])
        return Blocks(self.pixels[index], self.dark[index], self.light[index])

    def joined(self, pixels: Floats) -> Blocks:
        """These blocks and others without clipped pixels."""
        together = np.concatenate([self.pixels, pixels])
        if self.dark is None or self.light is None:
            return Blocks(together)
        free = np.zeros((len(pixels), 64), bool)
        return Blocks(together, np.concatenate([self.dark, free]), np.concatenate([self.light, free]))


def luma(rgb: NDArray[np.uint8]) -> Floats:
    """uint8 (n, 3, h, w) -> float32 (n, h, w): JPEG's Y, rounded to integers, minus 128.

    A decoder makes RGB of an integer Y, so rounding takes the noise of RGB's own rounding out again.
    """
    y = np.empty((len(rgb), *rgb.shape[2:]), np.float32)
    library = compiled()
    if library is not None and rgb.flags.c_contiguous:
        count = rgb.shape[2] * rgb.shape[3]
        library.luma_rows(rgb, len(rgb), count, 3 * count, 1, LUMA32, 1, y, count)
        return y
    part = np.empty(rgb.shape[2:], np.float32)
    for tile, plane in zip(rgb, y, strict=True):  # tile by tile, so that all of it stays in the processor's cache
        np.multiply(tile[0], LUMA32[0], out=plane)
        plane += np.multiply(tile[1], LUMA32[1], out=part)
        plane += np.multiply(tile[2], LUMA32[2], out=part)
        np.rint(plane, out=plane)
        plane -= 128
    return y


def cut_blocks(planes: NDArray[Any], x: int, y: int) -> NDArray[Any]:
    """(n, h, w) -> (blocks, 64): all whole 8x8 blocks of the grid that starts at column `x`, row `y` (0-7)."""
    count, height, width = planes.shape
    rows, columns = (height - y) // 8, (width - x) // 8
    region = planes[:, y : y + 8 * rows, x : x + 8 * columns]
    blocks = region.reshape(count, rows, 8, columns, 8).swapaxes(2, 3)
    return np.ascontiguousarray(blocks).reshape(-1, 64)


def clipped_blocks(rgb: NDArray[np.uint8], x: int, y: int) -> Bools:
    """bool (blocks,): whether a block of that grid has a pixel with a channel at 0 or 255. Order as in `cut_blocks`."""
    count, _, height, width = rgb.shape
    rows, columns = (height - y) // 8, (width - x) // 8
    ends = (rgb[:, :, y : y + 8 * rows, x : x + 8 * columns] - np.uint8(1)) >= np.uint8(254)  # 0 wraps round to 255
    hit = ends[:, 0] | ends[:, 1] | ends[:, 2]
    strips = hit.view(np.uint64).reshape(count, rows, 8, columns)  # eight pixels of a block's row as one number
    found: Bools = strips.any(axis=2).ravel()
    return found


def every(count: int, most: int) -> int:
    """Every second, third ... of so many blocks is taken, so that there are no more than twice `most`."""
    return max(1, count // most)


_WIDEST = 1024  # pixels in the rows of a tile that the compiled routine has room for
_VARIED = 1  # what the compiled routine says of a block that is not constant and has no clipped pixel


def choose_blocks(
    rgb: NDArray[np.uint8], y: Floats, x0: int, y0: int, most: int = 1 << 30, enough: int = 128
) -> Blocks:
    """The luma blocks worth asking: not constant, and free of clipped pixels where there are `enough` such blocks.

    A pixel at 0 or 255 in any channel was probably clipped, which moves every coefficient of its block. Where few blocks have
    none, the `enough` blocks with the fewest are taken, and their clipped pixels told.

    Args:
        rgb: uint8 (n, 3, h, w); y: its `luma` (n, h, w); x0, y0: offset of the grid.
        most: of more clean blocks than this every second, third ... is taken, so that there are no more than twice as many.
    """
    library = compiled()
    _, _, height, width = rgb.shape
    if library is not None and rgb.flags.c_contiguous and y.flags.c_contiguous and width <= _WIDEST:
        kinds = np.empty(len(rgb) * ((height - y0) // 8) * ((width - x0) // 8), np.uint8)
        library.block_kinds(rgb, y, len(rgb), height, width, x0, y0, kinds)
        clean = np.flatnonzero(kinds == _VARIED)
        if len(clean) >= enough:
            chosen = np.ascontiguousarray(clean[:: every(len(clean), most)], np.int64)
            found = np.empty((len(chosen), 64), np.float32)
            library.cut_blocks(y, height, width, x0, y0, chosen, len(chosen), found)
            return Blocks(found, among=len(clean))
    pixels = cut_blocks(y, x0, y0)
    clipped = clipped_blocks(rgb, x0, y0)
    textured = (pixels[:, 1:] != pixels[:, :1]).any(axis=1)
    clean = np.flatnonzero(textured & ~clipped)
    if len(clean) >= enough:
        return Blocks(pixels[clean[:: every(len(clean), most)]], among=len(clean))
    dark = cut_blocks(rgb.min(axis=1) == 0, x0, y0)
    light = cut_blocks(rgb.max(axis=1) == 255, x0, y0)
    places = np.flatnonzero(textured)
    order = np.argsort((dark[places] | light[places]).sum(axis=1), kind="stable")[:enough]
    chosen = places[order]
    return Blocks(pixels[chosen], dark[chosen], light[chosen])


def dct_blocks(blocks: Floats) -> Floats:
    """(blocks, 64) pixels -> (64, blocks) coefficients, a row a frequency, in natural order."""
    coefficients: Floats = DCT64 @ blocks.T
    return coefficients


def inverse_dct_blocks(coefficients: Floats) -> Floats:
    """(64, blocks) coefficients in natural order -> (blocks, 64) pixels."""
    pixels: Floats = coefficients.T @ DCT64
    return pixels

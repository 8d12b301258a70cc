"""The last save as tiles of an image show it: its grid, the lattice of its coefficients, which quality gives the pixels back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import Blocks, choose_blocks, dct_blocks
from cliqa.signal.jpeg.grid import blocky_grid, grid_scores, offset_histograms
from cliqa.signal.jpeg.lattice import OUTLIERS, Histograms, histograms, quality_evidence, step_evidence
from cliqa.signal.jpeg.proof import Proof, prove, telling_blocks

Floats = NDArray[np.float32]

GRID_PATCHES = 3
"""Tiles that are searched for the grid."""
MOST_BLOCKS = 2048
CLIPPED_OUTLIERS = 0.1
"""Share of outliers where blocks with clipped pixels had to be used."""


@dataclass(frozen=True)
class Grid:
    """Where the newest grid lies.

    Attributes:
        offset: its index y * 8 + x; `margin` its score over the next (nats, > 0).
        counted: coefficient histograms at all offsets, see `jpeg_grid.offset_histograms`.
        scores: (64,) of all offsets, nats.
    """

    offset: int
    margin: float
    counted: Floats
    scores: Floats


@dataclass(frozen=True)
class Lattice:
    """What the blocks of one grid tell.

    Attributes:
        grid: offset index y * 8 + x.
        blocks: those used; coefficients: float32 (64, n) of them; counts: their histograms.
        evidence: (64, 255) nats of each step of each frequency, against no quantization.
        quality: (100,) nats of each IJG quality, against no JPEG.
        proof: which quality gives the pixels back.
    """

    grid: int
    blocks: Blocks
    coefficients: Floats
    counts: Histograms
    evidence: Floats
    quality: Floats
    proof: Proof


def find_grid(rgb: NDArray[np.uint8], y: Floats, patches: int = GRID_PATCHES) -> Grid:
    """The newest grid of tiles uint8 (n, 3, h, w) with their luma (n, h, w); the first few with little clipping are looked at."""
    planes = y[least_clipped(rgb)[:patches]]
    counted = offset_histograms(planes)
    scores = grid_scores(counted)
    blocky = blocky_grid(planes)
    ranked = np.sort(scores)
    offset = int(scores.argmax()) if blocky is None else blocky
    return Grid(offset, float(ranked[-1] - ranked[-2]), counted, scores)


def least_clipped(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Order of the tiles (n, 3, h, w) for the search of the grid: by quarters of clipped pixels, else as they come."""
    ends = (rgb - np.uint8(1)) >= np.uint8(254)  # 0 wraps round to 255
    share = np.array([np.count_nonzero(tile) / tile.size for tile in ends])
    order: NDArray[np.intp] = np.argsort(np.floor(share * 4), kind="stable")
    return order


def read_lattice(
    rgb: NDArray[np.uint8], y: Floats, grid: int, newest: Floats | None = None, most: int = MOST_BLOCKS
) -> Lattice:
    """The evidence of one grid.

    Args:
        rgb: tiles uint8 (n, 3, h, w); y: their luma; grid: offset index.
        newest: (100,) evidence of each quality by `jpeg_grid.newest_evidence`, if at hand: another hint.
        most: of more blocks than twice this only a part is read.
    """
    blocks = choose_blocks(rgb, y, grid % 8, grid // 8, most)
    coefficients = dct_blocks(blocks.pixels)
    counts = histograms(coefficients)
    evidence = step_evidence(counts, outliers=OUTLIERS if blocks.clean else CLIPPED_OUTLIERS)
    quality = quality_evidence(evidence)
    telling = telling_blocks(blocks, coefficients, rgb, y, grid)
    proof = prove(telling, blocks, coefficients, quality, newest)
    return Lattice(grid, blocks, coefficients, counts, evidence, quality, proof)

"""Paper: the even ground that text, drawings and borders lie on, so that tiles of a photograph in a page can be told from the rest.

Paper is a colour that a good part of the picture has to within a level or two. Sky and walls are not so even: they have gradients,
and noise. What is clipped to black or white is as even as paper, and says as little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = 3  # grounds that one page may have
SHARE = 0.08  # of the picture that one ground covers at least
NEAR = 4  # levels from its colour: what JPEG and WebP leave of an even ground between letters
EVEN, EVEN_SHARE = 1, 0.7
"""Levels within which so many of the near pixels lie: of a gradient 3 of 9 do, of a wall with noise of 48 dB two thirds."""
FINE_ABOVE = 500_000  # pixels: above, every fourth row and column is looked at
COARSE_ABOVE = 4_000_000  # pixels: above, every eighth


def paper_shares(image: Image.Image, size: int) -> NDArray[np.float64]:
    """How much of each whole tile of an RGB image is paper: float64 (rows, columns), 0-1. Tiles lie from the top left corner."""
    columns, rows = image.width // size, image.height // size
    pixels = image.width * image.height
    step = 8 if pixels > COARSE_ABOVE else 4 if pixels > FINE_ABOVE else 2
    side, region = size // step, (0, 0, columns * size, rows * size)
    sampled = np.asarray(image.resize((columns * side, rows * side), Image.Resampling.NEAREST, box=region))
    flat = sampled.reshape(-1, 3)
    paper = np.zeros(len(flat), bool)
    for _ in range(COLOURS):
        near = _ground(flat, paper)
        if near is None:
            break
        paper |= near
    shares: NDArray[np.float64] = paper.reshape(rows, side, columns, side).mean(axis=(1, 3))
    return shares


def _ground(pixels: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Which of the pixels (n, 3) are of the most common colour that is not known; None where that is no paper."""
    codes = _packed(pixels // np.uint8(8), 5)
    counts = np.bincount(codes[~known], minlength=1 << 15)
    most = int(counts.argmax())
    if 3 * counts[most] < SHARE * len(pixels):  # an even colour may lie in two cells or more
        return None
    within = int(np.bincount(_packed(pixels[(codes == most) & ~known] % np.uint8(8), 3)).argmax())
    colour = np.array([8 * (most >> 5 * place & 31) + (within >> 3 * place & 7) for place in (2, 1, 0)], np.int16)
    apart = np.abs(pixels.astype(np.int16) - colour).max(axis=1)
    near: NDArray[np.bool_] = apart <= NEAR
    if near.mean() < SHARE or (apart[near] <= EVEN).mean() < EVEN_SHARE:
        return None
    return near


def _packed(levels: NDArray[np.uint8], bits: int) -> NDArray[np.int32]:
    """Three small numbers (n, 3) as one (n,)."""
    wide = levels.astype(np.int32)
    packed: NDArray[np.int32] = (wide[:, 0] << 2 * bits) | (wide[:, 1] << bits) | wide[:, 2]
    return packed

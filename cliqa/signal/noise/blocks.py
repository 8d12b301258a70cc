"""Tiles -> opponent channels -> DCT coefficients and band energies of 8x8 blocks, at three scales.

The channels are grey, red against blue, and magenta against green, orthonormal, so that energies add up. A scale of 2 or 4
means that pixels were averaged two by two, once or twice, before the blocks were cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.dct import BLOCK, dct_matrix

Floats = NDArray[np.float32]

SCALES = (1, 2, 4)  # pixels averaged along a side, so that coarse noise is seen too; no tuning on record
OPPONENT = np.array(  # rows: grey, red-blue, magenta-green
    [[1 / 3**0.5] * 3, [0.5**0.5, 0.0, -(0.5**0.5)], [1 / 6**0.5, -2 / 6**0.5, 1 / 6**0.5]], np.float32
)
FLOOR = np.float32(0.02)  # added to energies before the logarithm; rounding to 8 bits alone leaves 1/12
# Edges of eight bands of sqrt(u^2 + v^2); no tuning on record.
_RINGS = (0.5, 1.6, 2.6, 3.7, 4.8, 5.9, 7.1, 8.4, 10.0)


def _band_matrix() -> Floats:
    """(64 coefficients, 12 bands): eight rings, and horizontal and vertical frequencies alone, low and high; columns sum to 1."""
    v, u = np.divmod(np.arange(BLOCK * BLOCK), BLOCK)
    radius = np.hypot(u, v)
    members = [(radius > low) & (radius <= high) for low, high in zip(_RINGS, _RINGS[1:], strict=False)]
    for along, other in ((u, v), (v, u)):
        members += [(other == 0) & (along >= 1) & (along <= 3), (other == 0) & (along >= 4)]
    bands = np.stack(members, axis=1).astype(np.float32)
    result: Floats = bands / bands.sum(axis=0)
    return result


DCT: Floats = np.ascontiguousarray(np.kron(dct_matrix(), dct_matrix()).T.astype(np.float32))  # (pixels, coefficients)
BANDS = _band_matrix()
WIDE = np.stack([BANDS[:, 1:3].mean(1), BANDS[:, 3:5].mean(1), BANDS[:, 5:8].mean(1)], axis=1)  # low, middle, high


def block_coefficients(channel: Floats) -> Floats:
    """float32 (n, height, width) -> DCT coefficients (blocks, 64) of whole 8x8 blocks; index 8 v + u, orthonormal."""
    n, height, width = channel.shape
    rows, columns = height // BLOCK, width // BLOCK
    whole = channel[:, : rows * BLOCK, : columns * BLOCK].reshape(n, rows, BLOCK, columns, BLOCK)
    result: Floats = whole.transpose(0, 1, 3, 2, 4).reshape(-1, BLOCK * BLOCK) @ DCT
    return result


def log_energy(energy: Floats) -> Floats:
    """Natural logarithm of energies, finite for 0."""
    result: Floats = np.log(energy + FLOOR)
    return result


def halve(channel: Floats) -> Floats:
    """Means of 2x2 pixels."""
    pairs = channel[:, 0::2] + channel[:, 1::2]
    result: Floats = (pairs[..., 0::2] + pairs[..., 1::2]) * np.float32(0.25)
    return result


@dataclass(frozen=True)
class Decomposition:
    """Tiles (n, 3, size, size) taken apart.

    Attributes:
        tiles: uint8, as given.
        grey: float32 (n, size, size), sqrt(3) times the mean of R, G, B.
        coefficients: by scale, three float32 (blocks, 64), the blocks tile by tile, row by row.
        energies: by scale, three float32 (12 bands, blocks): mean squares of the coefficients of each band.
    """

    tiles: NDArray[np.uint8]
    grey: Floats
    coefficients: dict[int, list[Floats]]
    energies: dict[int, list[Floats]]


def decompose(tiles: NDArray[np.uint8]) -> Decomposition:
    """Take uint8 tiles (n, 3, size, size) apart; n >= 1, size a multiple of 32."""
    n, _, size, _ = tiles.shape
    rgb = tiles.astype(np.float32).transpose(1, 0, 2, 3).reshape(3, -1)
    channels = (OPPONENT @ rgb).reshape(3, n, size, size)
    grey = channels[0]
    coefficients, energies = {}, {}
    for scale in SCALES:
        if scale > 1:
            channels = np.stack([halve(channel) for channel in channels])
        coefficients[scale] = [block_coefficients(channel) for channel in channels]
        energies[scale] = [np.ascontiguousarray(((c * c) @ BANDS).T) for c in coefficients[scale]]
    return Decomposition(tiles, grey, coefficients, energies)

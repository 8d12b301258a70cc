"""Tiles -> opponent channels -> DCT coefficients and band energies of 8x8 blocks, at three scales.

The channels are grey, red against blue, and magenta against green, orthonormal, so that energies add up. A scale of 2 or 4
means that pixels were averaged two by two, once or twice, before the blocks were cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA32
from cliqa.signal.dct import BLOCK, dct_matrix

Floats = NDArray[np.float32]
Integers = NDArray[np.int16]

SCALES = (1, 2, 4)  # pixels averaged along a side, so that coarse noise is seen too; no tuning on record
OPPONENT = np.array(  # rows: grey, red-blue, magenta-green
    [[1 / 3**0.5] * 3, [0.5**0.5, 0.0, -(0.5**0.5)], [1 / 6**0.5, -2 / 6**0.5, 1 / 6**0.5]], np.float32
)
UNITS: Floats = np.array([1 / 3**0.5, 1 / 2**0.5, 1 / 6**0.5], np.float32)
"""What one step of R + G + B, R - B and R - 2 G + B is in its channel."""
FLOOR = np.float32(0.02)  # added to energies before the logarithm; rounding to 8 bits alone leaves 1/12
_ZERO = np.float32(0.7)  # coefficients that rounding to 8 bits leaves of zero
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
PAIRS = ((0, 1), (0, 2), (1, 2))  # of channels


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


def wide_energies(energies: Floats) -> Floats:
    """Energies of low, middle and high frequencies, as `WIDE` has them: (12 bands, blocks) -> (3, blocks)."""
    return np.stack([energies[1:3].mean(axis=0), energies[3:5].mean(axis=0), energies[5:8].mean(axis=0)])


def zero_shares(coefficients: Floats) -> Floats:
    """Share of the blocks (n, k) in which each coefficient is zero but for rounding to 8 bits: (k,)."""
    zero = (np.abs(coefficients) < _ZERO).astype(np.float32)
    shares: Floats = np.ones(len(zero), np.float32) @ zero / np.float32(len(zero))
    return shares


@dataclass(frozen=True)
class Decomposition:
    """Tiles (n, 3, size, size) taken apart.

    Attributes:
        tiles: uint8, as given.
        planes: by scale, int16 (3, n, size / scale, size / scale): R + G + B, R - B and R - 2 G + B, summed over scale x scale
            pixels; `UNITS` makes channels of those of scale 1.
        coefficients: by scale, float32 (3, blocks, 64), the blocks tile by tile, row by row.
        energies: by scale, float32 (3, 12 bands, blocks): mean squares of the coefficients of each band.
        products: float32 (3, 3, blocks): mean products of the coefficients of scale 1, of each of `PAIRS`, at low, middle and high
            frequencies.
    """

    tiles: NDArray[np.uint8]
    planes: dict[int, Integers]
    coefficients: dict[int, Floats]
    energies: dict[int, Floats]
    products: Floats

    @cached_property
    def grey(self) -> Floats:
        """float32 (n, size, size), sqrt(3) times the mean of R, G, B."""
        planes: Floats = self.planes[1][0] * UNITS[0]
        return planes

    @cached_property
    def luma(self) -> Floats:
        """float32 (n, size, size), not rounded."""
        planes: Floats = self.tiles[:, 0] * LUMA32[0]
        for channel in (1, 2):
            planes += self.tiles[:, channel] * LUMA32[channel]
        return planes

    def mixed(self, weights: Floats, scale: int) -> Floats:
        """Coefficients (blocks, 64) of what `weights` (3,) of R, G and B make: a luma, say."""
        shares, (grey, *opponent) = OPPONENT @ weights, self.coefficients[scale]
        mixture: Floats = grey * shares[0]
        for share, channel in zip(shares[1:], opponent, strict=True):
            mixture += channel * share
        return mixture


def decompose(tiles: NDArray[np.uint8]) -> Decomposition:
    """Take uint8 tiles (n, 3, size, size) apart; n >= 1, size a multiple of 32."""
    red, green, blue = (tiles[:, channel].astype(np.int16) for channel in range(3))
    ends = red + blue
    planes = {1: np.stack([ends + green, red - blue, ends - 2 * green])}
    for scale in SCALES[1:]:
        planes[scale] = summed_pairs(planes[scale // 2])
    coefficients, energies = {}, {}
    for scale, plane in planes.items():
        each = np.matmul(_cut(plane).astype(np.float32), _DCTS[scale])
        coefficients[scale] = each
        energies[scale] = np.ascontiguousarray(np.matmul(each * each, BANDS).swapaxes(1, 2))
    channels = coefficients[1]
    products = np.stack([((channels[a] * channels[b]) @ WIDE).T for a, b in PAIRS])
    return Decomposition(tiles, planes, coefficients, energies, products)


def summed_pairs(planes: Integers) -> Integers:
    """Sums of 2x2 pixels along the last two axes."""
    pairs = planes[..., 0::2, :] + planes[..., 1::2, :]
    result: Integers = pairs[..., 0::2] + pairs[..., 1::2]
    return result


_DCTS = {scale: DCT * (UNITS / np.float32(scale**2))[:, None, None] for scale in SCALES}


def _cut(planes: Integers) -> Integers:
    """(3, n, height, width), whole blocks -> (3, blocks, 64). A row of a block is moved as one number of its 16 bytes."""
    channels, n, height, width = planes.shape
    rows = planes.reshape(channels, n, height // BLOCK, BLOCK, width).view(np.complex128)
    moved = np.ascontiguousarray(rows.swapaxes(3, 4)).view(np.int16)
    result: Integers = moved.reshape(channels, -1, BLOCK * BLOCK)
    return result

"""Tiles -> opponent channels -> DCT coefficients and band energies of 8x8 blocks, at three scales.

The channels are grey, red against blue, and magenta against green, orthonormal, so that energies add up. A scale of 2 or 4
means that pixels were averaged two by two, once or twice, before the blocks were cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
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
ZERO = np.float32(0.7)  # coefficients that rounding to 8 bits leaves of zero
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


DCT_ROWS: Floats = np.ascontiguousarray(dct_matrix().astype(np.float32))  # (frequencies, pixels) along an axis
DCT: Floats = np.ascontiguousarray(np.kron(dct_matrix(), dct_matrix()).T.astype(np.float32))  # (pixels, coefficients)
BANDS = _band_matrix()
_MEMBERS = [np.flatnonzero(band).astype(np.int32) for band in BANDS.T]
_COMPILED_BANDS = (  # where each band's members begin, the members, what each counts: as `block_energies` in noise.c reads them
    np.cumsum([0, *(len(each) for each in _MEMBERS)]).astype(np.int32),
    np.concatenate(_MEMBERS),
    BANDS.max(axis=0),
)
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


def block_zero_shares(planes: Floats, first: int = 0) -> Floats:
    """`zero_shares` of the whole 8x8 blocks of planes (n, height, width) that begin at the row and column `first`."""
    library = compiled()
    if library is None:
        return zero_shares(block_coefficients(planes[:, first:, first:]))
    counts = np.empty(BLOCK * BLOCK, np.int32)
    library.small_coefficients(planes, *planes.shape, first, DCT_ROWS, ZERO, counts)
    high, wide = ((side - first) // BLOCK for side in planes.shape[1:])
    shares: Floats = counts.astype(np.float32) / np.float32(len(planes) * high * wide)
    return shares


def zero_shares(coefficients: Floats) -> Floats:
    """Share of the blocks (n, k) in which each coefficient is zero but for rounding to 8 bits: (k,)."""
    zero = (np.abs(coefficients) < ZERO).astype(np.float32)
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
        luma: float32 (n, size, size), not rounded.
    """

    tiles: NDArray[np.uint8]
    planes: dict[int, Integers]
    coefficients: dict[int, Floats]
    energies: dict[int, Floats]
    products: Floats
    luma: Floats

    @cached_property
    def grey(self) -> Floats:
        """float32 (n, size, size), sqrt(3) times the mean of R, G, B."""
        planes: Floats = self.planes[1][0] * UNITS[0]
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
    planes, luma = (_opponents if compiled() is None else _compiled_opponents)(tiles)
    found = {
        scale: (_energies if compiled() is None else _compiled_energies)(plane, scale)
        for scale, plane in planes.items()
    }
    coefficients, energies = ({scale: each[part] for scale, each in found.items()} for part in (0, 1))
    return Decomposition(tiles, planes, coefficients, energies, found[1][2], luma)


def _opponents(tiles: NDArray[np.uint8]) -> tuple[dict[int, Integers], Floats]:
    """`Decomposition.planes` and `luma`."""
    red, green, blue = (tiles[:, channel].astype(np.int16) for channel in range(3))
    ends = red + blue
    planes = {1: np.stack([ends + green, red - blue, ends - 2 * green])}
    for scale in SCALES[1:]:
        planes[scale] = summed_pairs(planes[scale // 2])
    luma: Floats = tiles[:, 0] * LUMA32[0]
    for channel in (1, 2):
        luma += tiles[:, channel] * LUMA32[channel]
    return planes, luma


def _compiled_opponents(tiles: NDArray[np.uint8]) -> tuple[dict[int, Integers], Floats]:
    """The same."""
    library, (n, _, side, _) = compiled(), tiles.shape
    assert library is not None
    planes = {scale: np.empty((3, n, side // scale, side // scale), np.int16) for scale in SCALES}
    luma, whole = np.empty((n, side, side), np.float32), np.ascontiguousarray(tiles)
    library.opponents(whole, n, side, LUMA32, *planes.values(), luma)
    return planes, luma


def _energies(planes: Integers, scale: int) -> tuple[Floats, Floats, Floats]:
    """Of one scale: the coefficients, energies and products of `Decomposition`; no products but of scale 1."""
    found = np.matmul(_cut(planes).astype(np.float32), _DCTS[scale])
    energies = np.ascontiguousarray(np.matmul(found * found, BANDS).swapaxes(1, 2))
    pairs = PAIRS if scale == 1 else ()
    products = [((found[a] * found[b]) @ WIDE).T for a, b in pairs]
    return found, energies, np.stack(products) if products else np.empty(0, np.float32)


def _compiled_energies(planes: Integers, scale: int) -> tuple[Floats, Floats, Floats]:
    """The same."""
    library, (channels, n, height, width) = compiled(), planes.shape
    assert library is not None
    blocks = n * (height // BLOCK) * (width // BLOCK)
    units = UNITS / np.float32(scale**2)
    coefficients = np.empty((channels, blocks, BLOCK * BLOCK), np.float32)
    energies = np.empty((channels, BANDS.shape[1], blocks), np.float32)
    products = np.empty((len(PAIRS), WIDE.shape[1], blocks) if scale == 1 else 0, np.float32)
    starts, members, shares = _COMPILED_BANDS
    given = planes, n, height, width, units, DCT_ROWS, starts, members, shares
    library.block_energies(*given, coefficients, energies, products if scale == 1 else None)
    return coefficients, energies, products


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

"""What every region of 16x16 pixels tells of noise: a row of facts each, for a network that learns which regions to believe.

Percentiles over a picture (`noise_statistics`) lose what belongs together in one place: whether a region is grass or noise shows in
how its bands, scales and colours agree. A row has, as natural logarithms of energies,

* twelve bands of grey: the mean and the least of the region's four 8x8 blocks, the block of the picture at half its size, and that of
  the picture at a quarter which holds the region;
* four bands of each of the two opponent channels, at full and at half size;
* single pixels that stand out (`single_pixels`);

and, without a unit: correlations of the channels and tails of grey in three bands, brightness and colour, shares of clipped samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cliqa.signal.dct import BLOCK
from cliqa.signal.noise.blocks import BANDS, FLOOR, WIDE, Decomposition, Floats, log_energy
from cliqa.signal.noise.single_pixels import REGION

ENERGIES = 48 + 16 + 3  # facts that rise by 1 when all energies rise by a factor e; they come first
FACTS = ENERGIES + 9 + 3 + 3 + 2
_COUNT = BANDS.shape[1]
_PAIRS = ((0, 1), (0, 2), (1, 2))


def noise_regions(parts: Decomposition, pixels: Floats) -> Floats:
    """Rows of the regions of n tiles, tile by tile, row by row: float32 (n * (size / 16)^2, `FACTS`). `pixels`: of `single_pixels`."""
    n, size, _ = parts.grey.shape
    side = size // REGION
    quarter = parts.energies[4][0].reshape(_COUNT, n, side // 2, 1, side // 2, 1)
    holding = np.broadcast_to(quarter, (_COUNT, n, side // 2, 2, side // 2, 2)).reshape(_COUNT, -1)
    grey = _gathered(parts.energies[1][0], n, side)
    found: list[Floats] = [grey.mean(axis=2), grey.min(axis=2), parts.energies[2][0], holding]
    colours = (
        _gathered(np.concatenate(parts.energies[1][1:]), n, side).mean(axis=2),
        np.concatenate(parts.energies[2][1:]),
    )
    for energies in colours:
        rings = energies.reshape(2, _COUNT, -1)[:, :8]
        found.append(rings.reshape(2, 4, 2, -1).mean(axis=2).reshape(8, -1))
    logarithms = log_energy(np.concatenate(found))
    rest = (*_agreement(parts.coefficients[1], n, side), _colour(parts.coefficients[2]), _clipped(parts, side))
    rows: Floats = np.concatenate([logarithms, pixels.T, *rest]).T.astype(np.float32)
    return rows


def _gathered(blocks: Floats, n: int, side: int) -> Floats:
    """(k, 8x8 blocks of n tiles) -> (k, regions, 4)."""
    split = blocks.reshape(-1, n, side, 2, side, 2).transpose(0, 1, 2, 4, 3, 5)
    fours: Floats = split.reshape(len(blocks), n * side * side, 4)
    return fours


def _agreement(coefficients: Sequence[Floats], n: int, side: int) -> list[Floats]:
    """Correlations of channels, (3, regions) a pair, and tails of grey, (3, regions): low, middle and high frequencies."""

    def mean(values: Floats) -> Floats:
        means: Floats = _gathered((values @ WIDE).T, n, side).mean(axis=2)
        return means

    power = [mean(c * c) + FLOOR for c in coefficients]
    found: list[Floats] = [mean(coefficients[a] * coefficients[b]) / np.sqrt(power[a] * power[b]) for a, b in _PAIRS]
    return [*found, np.log(mean(np.abs(coefficients[0])) + FLOOR) - np.float32(0.5) * np.log(power[0])]


def _colour(coefficients: Sequence[Floats]) -> Floats:
    """Mean of grey and of the opponent channels, 1 for a grey of 255: (3, regions)."""
    means = np.stack([channel[:, 0] for channel in coefficients])
    result: Floats = means / np.float32(BLOCK * 255 * 3**0.5)
    return result


def _clipped(parts: Decomposition, side: int) -> Floats:
    """Shares of samples at the lowest and at the highest two levels: (2, regions)."""
    n, channels, size, _ = parts.tiles.shape
    shares = []
    for clipped in (parts.tiles < 2, parts.tiles > 253):
        counts = clipped.sum(axis=1, dtype=np.uint8).reshape(n, side, REGION, size).sum(axis=2, dtype=np.uint8)
        whole = counts.reshape(n, side, side, REGION).sum(axis=3, dtype=np.float32)
        shares.append((whole / np.float32(channels * REGION * REGION)).ravel())
    return np.stack(shares)

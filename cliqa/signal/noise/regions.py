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

import numpy as np

from cliqa.compiled.library import compiled
from cliqa.signal.dct import BLOCK
from cliqa.signal.noise.blocks import BANDS, FLOOR, PAIRS, WIDE, Decomposition, Floats, log_energy, wide_energies
from cliqa.signal.noise.single_pixels import REGION

ENERGIES = 48 + 16 + 3  # facts that rise by 1 when all energies rise by a factor e; they come first
FACTS = ENERGIES + 9 + 3 + 3 + 2
_COUNT = BANDS.shape[1]


def noise_regions(parts: Decomposition, pixels: Floats) -> Floats:
    """Rows of the regions of n tiles, tile by tile, row by row: float32 (n * (size / 16)^2, `FACTS`). `pixels`: of `single_pixels`."""
    n, _, height, _ = parts.tiles.shape
    side = height // REGION
    quarter = parts.energies[4][0].reshape(_COUNT, n, side // 2, 1, side // 2, 1)
    holding = np.broadcast_to(quarter, (_COUNT, n, side // 2, 2, side // 2, 2)).reshape(_COUNT, -1)
    grey = parts.energies[1][0]
    found: list[Floats] = [_mean(grey, n, side), _least(grey, n, side), parts.energies[2][0], holding]
    for scale in (1, 2):
        rings = parts.energies[scale][1:, :8]
        fours = ((rings[:, 0::2] + rings[:, 1::2]) * np.float32(0.5)).reshape(8, -1)
        found.append(_mean(fours, n, side) if scale == 1 else fours)
    logarithms = log_energy(np.concatenate(found))
    rest = (*_agreement(parts, n, side), _colour(parts.coefficients[2]), _clipped(parts, side))
    rows: Floats = np.ascontiguousarray(np.concatenate([logarithms, pixels.T, *rest]).T, np.float32)
    return rows


def _least(blocks: Floats, n: int, side: int) -> Floats:
    """The least of each region's four: (k, 8x8 blocks of n tiles) -> (k, regions)."""
    split = blocks.reshape(len(blocks), n * side, 2, side, 2)
    rows = np.minimum(split[:, :, 0], split[:, :, 1])
    least: Floats = np.minimum(rows[..., 0], rows[..., 1]).reshape(len(blocks), -1)
    return least


def _mean(blocks: Floats, n: int, side: int) -> Floats:
    """Their mean, as `_least`."""
    split = blocks.reshape(len(blocks), n * side, 2, side, 2)
    rows = split[:, :, 0] + split[:, :, 1]
    mean: Floats = ((rows[..., 0] + rows[..., 1]) * np.float32(0.25)).reshape(len(blocks), -1)
    return mean


def _agreement(parts: Decomposition, n: int, side: int) -> list[Floats]:
    """Correlations of channels, (3, regions) a pair, and tails of grey, (3, regions): low, middle and high frequencies."""
    power = [_mean(wide_energies(each), n, side) + FLOOR for each in parts.energies[1]]
    found: list[Floats] = [
        _mean(product, n, side) / np.sqrt(power[a] * power[b])
        for (a, b), product in zip(PAIRS, parts.products, strict=True)
    ]
    size = _mean(np.ascontiguousarray((np.abs(parts.coefficients[1][0]) @ WIDE).T), n, side)
    return [*found, np.log(size + FLOOR) - np.float32(0.5) * np.log(power[0])]


def _colour(coefficients: Floats) -> Floats:
    """Mean of grey and of the opponent channels, 1 for a grey of 255: (3, regions)."""
    result: Floats = coefficients[:, :, 0] / np.float32(BLOCK * 255 * 3**0.5)
    return result


def _clipped(parts: Decomposition, side: int) -> Floats:
    """Shares of samples at the lowest and at the highest two levels: (2, regions)."""
    n, channels, height, _ = parts.tiles.shape
    library = compiled()
    if library is not None:
        counts, tiles = np.empty((2, n * side * side), np.int32), np.ascontiguousarray(parts.tiles)
        library.clipped_samples(tiles, n, height, counts)
        found: Floats = counts.astype(np.float32) / np.float32(channels * REGION * REGION)
        return found
    shares = []
    for clipped in (parts.tiles < 2, parts.tiles > 253):
        red, green, blue = clipped.view(np.uint8).swapaxes(0, 1)
        counts = (red + green + blue).reshape(n, side, REGION, height).sum(axis=2, dtype=np.uint8)
        whole = counts.reshape(n, side, side, REGION).sum(axis=3, dtype=np.float32)
        shares.append((whole / np.float32(channels * REGION * REGION)).ravel())
    return np.stack(shares)

"""A small network over candidate enlargements: evidence at each factor's own frequencies in, a distribution over factors out.

Everything that speaks for a factor r is gathered at r's bin first: the line at 1 - 1/r, its harmonics where aliasing puts them,
and the edge of the picture's band at 1 / (2 r). Then the same small convolution looks at every bin, with knowledge of the
whole spectrum added to it. Runs in NumPy; `cliqa.training.scale.fit` trains the same network in torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.resampling.spectra import BANDS, BINS, FACTORS, LENGTH, RESIDUALS, SCALARS, Array, Evidence

KINDS = len(RESIDUALS)
SHARED = 2 * KINDS + 4  # maps of an axis that the other axis sees too
MAPS = SHARED + 6 * KINDS
NUMBERS = 4 * BANDS + SCALARS + 10 * KINDS
NEAR_ONE = 1.05  # the enlargement that the default threshold allows
_NEIGHBOURS = np.array([1, 2, 3, 2, 1]) / 9  # two axes agree when they are this many bins apart
_AROUND = 33  # bins of the local level of a line
_UPPER = 7 * (BANDS - 1) // 8  # first place of the upper eighth in the power spectrum
_FULL = 0.5  # log power; of validation photographs saved as JPEG, WebP and AVIF half have less there


_NEEDED = (
    *("maps.mean", "maps.scale", "numbers.mean", "numbers.scale"),
    *("context.weight.0", "context.weight.1", "context.bias.0", "context.bias.1"),
    *(f"conv.{layer}.{part}" for layer in (0, 1) for part in ("weight", "place", "context")),
    *("head.weight", "head.place", "head.context"),
)


def _folded(harmonic: int) -> NDArray[np.intp]:
    """Bin at which the harmonic of each bin's line is seen."""
    place = (harmonic * np.arange(BINS)) % LENGTH
    return np.minimum(place, LENGTH - place)


_SECOND, _THIRD = _folded(2), _folded(3)
_HALVES = [np.arange(BINS) // 2, (LENGTH - np.arange(BINS)) // 2]  # lines whose second harmonic is seen at each bin
_BLOCKS = np.arange(1, 5) * (LENGTH // 8)  # where 8x8 blocks show
_EDGE = (BANDS - 1) / FACTORS  # position in the power spectrum of the band edge 1 / (2 r)


def factor_maps(evidence: Evidence) -> Array:
    """Evidence of one axis, (MAPS, BINS): the first `SHARED` are those that the other axis sees.

    Line over its local level, coherence, steps and tails of both power spectra at the band edge, line depth,
    second harmonic of line and coherence, third harmonic of the line, sign of the second, and the line of which this one is the second.
    """
    lines, coherence, power = evidence.lines, evidence.coherence, evidence.power[:2]
    depth = lines.astype(np.float32)
    joint = coherence.astype(np.float32)
    line = over_local_level(depth)
    positions = np.arange(BANDS, dtype=np.float64)
    tails = np.cumsum(power[:, ::-1], axis=1, dtype=np.float64)[:, ::-1] / np.arange(BANDS, 0, -1)
    steps = [np.interp(_EDGE + 3, positions, each) - np.interp(_EDGE - 3, positions, each) for each in power]
    means = [np.interp(np.minimum(_EDGE + 1, BANDS - 1), positions, each) for each in tails]
    edge = np.stack([*steps, *means]).astype(np.float32)
    below = np.max([line[:, each] for each in _HALVES], axis=0)
    peaks = evidence.peaks.astype(np.float32)
    return np.concatenate(
        [line, joint, edge, depth, line[:, _SECOND], joint[:, _SECOND], line[:, _THIRD], peaks, below]
    )


def over_local_level(lines: Array) -> Array:
    """Lines (n, BINS) less the mean over `_AROUND` bins about each."""
    depth = lines.astype(np.float32)
    padded = np.pad(depth, ((0, 0), (_AROUND // 2 + 1, _AROUND // 2)), mode="reflect")
    total = np.cumsum(padded, axis=1, dtype=np.float64)
    over: Array = depth - ((total[:, _AROUND:] - total[:, :-_AROUND]) / _AROUND).astype(np.float32)
    return over


def axis_numbers(evidence: Evidence) -> Array:
    """What concerns no single factor, (NUMBERS,): the spectra, the scalars, the blocks' lines, the strongest lines."""
    depth, joint = evidence.lines.astype(np.float32), evidence.coherence.astype(np.float32)
    strongest, typical = depth[:, 16:].max(axis=1), np.median(depth, axis=1)
    return np.concatenate(
        [
            evidence.power.ravel(),
            evidence.scalars,
            depth[:, _BLOCKS].ravel(),
            joint[:, _BLOCKS].ravel(),
            strongest,
            typical,
        ]
    ).astype(np.float32)


def both_axes(maps: Array, numbers: Array) -> tuple[Array, Array]:
    """(2, MAPS, BINS), (2, NUMBERS) -> each axis joined with what it sees of the other one."""
    return (np.concatenate([maps, maps[::-1, :SHARED]], axis=1), np.concatenate([numbers, numbers[::-1]], axis=1))


class FactorNetwork:
    """One network: joined maps and numbers of the axes of an image -> probabilities of each factor of `FACTORS`, per axis.

    Tensors, their names after `prefix`: `maps.mean`, `maps.scale`, `numbers.mean`, `numbers.scale`; `context.weight.0/1`, `.bias.0/1`
    (two dense layers on the numbers); `conv.<i>.weight` (out, in, taps), `.place` (out, BINS), `.context` (out, width) for two
    convolutions; `head.weight` (in,), `head.place` (BINS,), `head.context` (BINS, width).
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
        self._tensors = {name: np.ascontiguousarray(tensors[prefix + name], dtype=np.float32) for name in _NEEDED}
        if self._tensors["maps.mean"].shape != (MAPS + SHARED,) or self._tensors["head.place"].shape != (BINS,):
            raise ValueError("other inputs than this version observes")

    def probabilities(self, maps: Array, numbers: Array) -> Array:
        """Joined maps (n, MAPS + SHARED, BINS) and numbers (n, 2 * NUMBERS) -> (n, BINS)."""
        t = self._tensors
        context = np.clip((numbers - t["numbers.mean"]) / t["numbers.scale"], -8, 8)
        for layer in ("0", "1"):
            context = np.maximum(context @ t[f"context.weight.{layer}"].T + t[f"context.bias.{layer}"], 0)
        x = np.clip((maps - t["maps.mean"][:, None]) / t["maps.scale"][:, None], -8, 8)
        for layer in ("0", "1"):
            added = t[f"conv.{layer}.place"] + (context @ t[f"conv.{layer}.context"].T)[:, :, None]
            x = np.maximum(_convolved(x, t[f"conv.{layer}.weight"]) + added, 0)
        logits = np.einsum("ncb,c->nb", x, t["head.weight"]) + t["head.place"] + context @ t["head.context"].T
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Array = (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)
        return result


class FactorReader:
    """Observations of one image -> probabilities of each factor, per axis: what several networks say in the mean, read together.

    Tensors: those of `FactorNetwork` under `net0.`, `net1.` and so on; `prior` (BINS,) and `reading` (same and power of
    `read_together`, caution a unit of `upper_band`, sure of `cautious_factor`).
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        groups = {name.split(".")[0] for name in tensors if name.startswith("net")}
        self.networks = [FactorNetwork(tensors, f"{group}.") for group in sorted(groups)]
        if not self.networks:
            raise KeyError("net0")
        self._prior = tensors["prior"].astype(np.float32)
        if tensors["reading"].shape != (4,):
            raise ValueError("another reading than this version has")
        self._same, self._power, self._caution, self._sure = (float(value) for value in tensors["reading"])

    def read(self, axes: Sequence[Evidence]) -> tuple[NDArray[np.float64], float]:
        """The two factors, 1.0-2.0, and the probability of an enlargement above `NEAR_ONE`, of the axis where it is larger."""
        probabilities = self(axes)
        factors = cautious_factor(probabilities, self._sure)
        return factors, float(chance_enlarged(probabilities).max())

    def __call__(self, axes: Sequence[Evidence]) -> Array:
        """Evidence of the axes (x, y) -> float32 (2, BINS), rows summing to 1."""
        maps = np.stack([factor_maps(each) for each in axes])
        numbers = np.stack([axis_numbers(each) for each in axes])
        seen = both_axes(maps, numbers)
        found: Array = np.mean([network.probabilities(*seen) for network in self.networks], axis=0)
        caution = self._caution * upper_band(np.stack([each.power for each in axes]))
        together: Array = read_together(found[None], self._prior, self._same, self._power, np.array([caution]))[0]
        return together


def upper_band(power: Array) -> float:
    """How full the upper eighth of the band is: 0 for empty to 3, in nats above what codecs leave there.

    An enlargement leaves that band empty unless noise came after it; of what is not enlarged and was taken for it most is noisy.
    So the fuller it is, the surer an enlargement must be.

    Args:
        power: (..., 4, BANDS), of `Evidence`.
    """
    return float(np.clip(upper_level(power) - _FULL, 0.0, 3.0))


def upper_level(power: Array) -> float:
    """Mean log power of the upper eighth of the band; -2.5 for nothing but rounding. `power`: (..., 4, BANDS), of `Evidence`."""
    return float(power[..., 1, _UPPER:].mean())


def _convolved(x: Array, weight: Array) -> Array:
    """(n, in, BINS) * (out, in, taps) -> (n, out, BINS); the ends are padded with zeros."""
    taps = weight.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), (taps // 2, taps // 2)))
    total = np.matmul(weight[:, :, 0], padded[:, :, : x.shape[2]])
    for tap in range(1, taps):
        total += np.matmul(weight[:, :, tap], padded[:, :, tap : tap + x.shape[2]])
    result: Array = total
    return result


def read_together(
    probabilities: Array, prior: Array, same: float, power: float, caution: float | NDArray[np.float64]
) -> Array:
    """Let the axes help each other: most pictures were enlarged by one factor, so where one axis is sure the other may follow.

    Bayes' rule for "one factor" against "two", from what each axis says by itself.

    Args:
        probabilities: (n, 2, BINS), each axis's distribution.
        prior: (BINS,) distribution of factors among the examples that the network was fitted to.
        same: prior probability of one factor for both axes, 0-1.
        power: exponent of the distributions in their product; below 1 as the two are not independent.
        caution: natural log by which the odds of "not enlarged", the bins up to `NEAR_ONE`, are raised, one number or (n,); lowered,
            where the other axis is surely enlarged: caution is for pictures, and one that was enlarged along one axis mostly was
            along both.

    Returns:
        (n, 2, BINS), rows summing to 1.
    """
    values = probabilities.astype(np.float64)
    padded = np.pad(values, ((0, 0), (0, 0), (2, 2)), mode="edge")
    blurred = sum(share * padded[..., at : at + BINS] for at, share in enumerate(_NEIGHBOURS))
    product = values**power * np.asarray(blurred)[:, ::-1] ** power / prior
    evidence = product.sum(axis=2)
    weight = same * np.sqrt(evidence[:, :1] * evidence[:, 1:])
    weight = (weight / (weight + 1.0 - same))[..., None]
    values = (1.0 - weight) * values + weight * product / evidence[..., None]
    above = values[..., FACTORS > NEAR_ONE].sum(axis=2) / values.sum(axis=2)
    lean = np.reshape(caution, (-1, 1)) * (1.0 - 4.0 * np.maximum(above[:, ::-1] - 0.5, 0.0))
    values *= np.where(FACTORS <= NEAR_ONE, np.exp(lean)[..., None], 1.0)
    result: Array = (values / values.sum(axis=2, keepdims=True)).astype(np.float32)
    return result


def cautious_factor(probabilities: Array, sure: float) -> NDArray[np.float64]:
    """One factor for each distribution, such that a larger one is also a surer one: (n, BINS) -> (n,), 1.0-2.0.

    With q the probability of an enlargement above `NEAR_ONE`, m its median factor and l the median of the smaller ones:
    below one half, q moves the answer from l to `NEAR_ONE`; above, from `NEAR_ONE` to m, reached where q is `sure`.

    Args:
        probabilities: distributions over `FACTORS`.
        sure: probability from which on the median is taken as it is, above 0.5 up to 1.
    """
    above, share = FACTORS > NEAR_ONE, chance_enlarged(probabilities)
    high = median_factor(np.where(above, probabilities + _TRACE, 0.0))
    low = np.minimum(median_factor(np.where(above, 0.0, probabilities + _TRACE)), NEAR_ONE)
    unsure = low + (NEAR_ONE - low) * np.minimum(2.0 * share, 1.0)
    drawn = NEAR_ONE + (high - NEAR_ONE) * np.clip((share - 0.5) / (sure - 0.5), 0, 1)
    result: NDArray[np.float64] = np.where(share <= 0.5, unsure, drawn)
    return result


def chance_enlarged(probabilities: Array) -> NDArray[np.float64]:
    """Probability of an enlargement above `NEAR_ONE`: (n, BINS) -> (n,)."""
    total = probabilities.sum(axis=1, dtype=np.float64)
    share: NDArray[np.float64] = probabilities[:, FACTORS > NEAR_ONE].sum(axis=1, dtype=np.float64) / total
    return share


_TRACE = 1e-12  # keeps medians defined where nothing is probable


def median_factor(probabilities: Array) -> NDArray[np.float64]:
    """The median of each distribution over `FACTORS`, interpolated between bins: (n, BINS) -> (n,), 1.0-2.0."""
    before = np.cumsum(probabilities, axis=1, dtype=np.float64)
    before /= before[:, -1:]
    edges = np.concatenate([[1.0], (FACTORS[1:] + FACTORS[:-1]) / 2, [2.0]])
    return np.array([np.interp(0.5, np.concatenate([[0.0], row]), edges) for row in before])

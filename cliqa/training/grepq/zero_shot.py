"""`q`: a sum of label-free numbers, and a regression that keeps it in order where pictures are damaged. No rating is fitted to.

The sum weighs numbers standardised over pictures as they come, by `SUM`. Its order of such pictures is what agrees with people; it says
little of what damage does to one picture: more light than a camera caught raises most of the numbers. The regression reads what that of
`quality` reads and is the smallest change that puts training photographs above what was made of them, and small pictures above what
networks made of them (`worse_pictures`), where small means: over pictures as they come it varies little, so that their order stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.grepq.rated_sets import RatedImage
from cliqa.images.loading import load_image
from cliqa.metrics.base import View
from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.metrics.grepq import trace_costs
from cliqa.metrics.grepq_zero_shot import NUMBERS
from cliqa.training.grepq.opinion import DIRECT_GAIN, HIDDEN_GAIN, POOLED_GAIN, features, pixel_features
from cliqa.training.grepq.worse_pictures import DAMAGES, Observe, Rows, kept, ladder_pairs

Array = NDArray[np.float64]

UNLABELLED = 2000  # pictures as they come
# Whole and half weights and signs, chosen by a look at ratings of 2,000 pictures of BIQ2021's training list: each of the last three
# is worth about 0.01 SRCC there.
SUM = {
    "q_low": 1.0, "high": 1.0, "camera": 1.0, "log_laplacian_variance": 1.0, "light": 0.5, "luma_5": 0.5, "luma_deviation": -0.5,
}  # fmt: skip
# What the squares of compression and noise take (`trace_costs`), in deviations; the regression does the rest. Of (2, 2) and (3, 4), and
# of plain ones at 1: most of val photographs' ladders of JPEG are in order (0.98; plain 0.92), and q agrees with people as before
TRACES = np.array([3.0, 4.0])
# Of 0.1, 0.3, 1, 3, and of 30, 100, 300, 1000: pictures' order costs 0.004 SRCC, and most ladders of unused photographs are in order.
STAY, PENALTY = 1.0, 300.0
# Deviations per unit of strength, and at least; the first of 1, 1.5, 2: val photographs' ladders of WebP and of more light are then
# most in order.
MARGIN, LEAST = 2.0, 0.1
# What the sum gets wrong most often on training photographs: times the weight of other kinds.
WEIGHTS = {"over_exposure": 8.0, "webp": 8.0, "under": 4.0, "noise": 4.0, "jpeg": 4.0, "low_light": 2.0}
ENLARGED, ENLARGED_MARGIN = (
    0.5,
    0.1,
)  # weight and margin of an enlargement; more of either costs 0.001 SRCC and changes little
ROUNDS = 8
NUMBERS_GAIN = 1.0  # of the sum's own numbers in the regression; no tuning on record
STEADY = 1e-3  # least deviation of a number: one that is the same in a handful of pictures must not outweigh all others. By hand
LEVEL, SPREAD = 0.0, 1.0  # mean and deviation of the logit of q over pictures as they come: half of them lie above 0.5

Tensors = dict[str, NDArray[Any]]


def observe_unlabelled(images: Sequence[RatedImage], count: int, observe: Observe, work: Path, seed: int) -> Rows:
    """Features of pictures as they come, drawn from a rated set of which only the pictures are read; kept in `work`."""
    chosen = np.random.default_rng(seed + 5).permutation(len(images))[:count]
    return kept(
        "unlabelled", len(chosen), lambda number: [observe(View(load_image(images[chosen[number]].path)))], work
    )


def fit_zero_shot(
    unlabelled: Rows, ladders: Rows, enlargements: Rows, traces: Callable[[NDArray[Any]], NDArray[Any]], seed: int
) -> Tensors:
    """The tensors `blend*` of the metric.

    Args:
        unlabelled, ladders, enlargements: see `observe_unlabelled`, `observe_ladders` and `observe_enlargements`, with `numbers`
            (n, `NUMBERS`); the last may be empty.
        traces: statistics (n, WIDTH) -> compression and noise (n, 2), as the metric reads them.
    """
    numbers = unlabelled["numbers"].astype(np.float64)
    deviations = np.maximum(numbers.std(0) + 1e-6, STEADY)
    weights = np.array([SUM[name] for name in NUMBERS]) / deviations
    spread = float((numbers @ weights).std()) + 1e-6
    weights /= spread
    taken = TRACES

    def sums(rows: Rows) -> Array:
        found = trace_costs(traces(rows["statistics"]))
        return np.asarray(rows["numbers"].astype(np.float64) @ weights - found @ taken)

    pixels = pixel_features(unlabelled["statistics"], seed)

    def seen(rows: Rows) -> Array:
        return np.concatenate([features(rows, pixels), NUMBERS_GAIN * rows["numbers"] / deviations], axis=1)

    usual = seen(unlabelled)
    change = _order(usual - usual.mean(0), *_pairs(seen, sums, ladders, enlargements))
    told = sums(unlabelled) + usual @ change
    scale = SPREAD / (float(told.std()) + 1e-6)
    change, weights, taken = change * scale, weights * scale, taken * scale
    width = EARLY_WIDTH
    hidden_end = usual.shape[1] - len(NUMBERS)
    free, direct, hidden, own = np.split(change, [width, width + pixels["mean"].size, hidden_end])
    weights += NUMBERS_GAIN * own / deviations
    return {
        "blend": np.append(weights, LEVEL - scale * told.mean()),
        "blend.traces": taken,
        "blend.free": POOLED_GAIN * free,
        "blend.pixels.mean": pixels["mean"],
        "blend.pixels.scale": pixels["scale"],
        # each statistic itself is the difference of two rectified ones
        "blend.pixels.weight.0": np.concatenate([pixels["weight"].T, np.eye(len(direct)), -np.eye(len(direct))]),
        "blend.pixels.bias.0": np.concatenate([pixels["bias"], np.zeros(2 * len(direct))]),
        "blend.pixels.weight.1": np.concatenate([HIDDEN_GAIN * hidden, DIRECT_GAIN * direct, -DIRECT_GAIN * direct])[None],
        "blend.pixels.bias.1": np.zeros(1),
    }  # fmt: skip


def _pairs(
    seen: Callable[[Rows], Array], sums: Callable[[Rows], Array], ladders: Rows, enlargements: Rows
) -> tuple[Array, Array, Array, Array]:
    """Better less worse, in features and in sums; what that must come to, and the pair's weight."""
    better, worse, stronger, kinds = ladder_pairs(ladders)
    names = list(DAMAGES)
    differences, further = [_less(seen(ladders), better, worse)], [_less(sums(ladders), better, worse)]
    margins = [np.maximum(MARGIN * stronger, LEAST)]
    weights = [np.array([WEIGHTS.get(names[kind], 1.0) for kind in kinds])]
    if enlargements:
        given, made = np.arange(0, len(enlargements["numbers"]), 2), np.arange(1, len(enlargements["numbers"]), 2)
        differences.append(_less(seen(enlargements), given, made))
        further.append(_less(sums(enlargements), given, made))
        margins.append(np.full(len(given), ENLARGED_MARGIN))
        weights.append(np.full(len(given), ENLARGED))
    return tuple(np.concatenate(part) for part in (differences, further, margins, weights))  # type: ignore[return-value]


def _less(values: Array, better: NDArray[np.intp], worse: NDArray[np.intp]) -> Array:
    return np.asarray(values[better] - values[worse])


def _order(usual: Array, differences: Array, further: Array, margins: Array, weights: Array) -> Array:
    """Weights (width,) that lift what is short of its margin: ridge, solved again with the pairs that fall short until those stay.

    Args:
        usual: features of pictures as they come, less their mean.
        differences, further, margins, weights: see `_pairs`.
    """
    gram = usual.T @ usual * (STAY * len(margins) / len(usual))
    gram[np.diag_indices_from(gram)] += PENALTY
    found, short = np.zeros(usual.shape[1]), np.zeros(len(margins), bool)
    for _ in range(ROUNDS):
        before, short = short, further + differences @ found < margins
        if (short == before).all():
            break
        scale = np.sqrt(weights[short])
        rows = differences[short] * scale[:, None]
        found = np.linalg.solve(gram + rows.T @ rows, rows.T @ ((margins - further)[short] * scale))
    return found

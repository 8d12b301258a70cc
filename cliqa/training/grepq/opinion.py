"""`quality`: what the rated branch says, and a regression on label-free features that keeps it to what is known of pictures.

The branch was tuned to the ratings of one data set, whose pictures are all of one size and one JPEG quality: it does not know what
enlarging, smoothing or saving does to pixels, and it takes the data set's sources for what sets pictures apart. The regression

* reads the label-free branch's pooled maps but for the head's, and statistics of the pixels as stored; the head's map is most of the
  features and half of the branch's cost, and with it held-out SRCC is 0.0005 less,
* learns from ratings of which half of the distance between the sources is taken out, in features and ratings alike,
* and must, together with the branch, put a picture above what was made of it (`worse_pictures`): where the distance between the two is
  less than asked for, what is missing counts as an error. An enlargement is asked for twice, the second time by its pixels alone, since
  the thumbnails of a large picture and of its enlargement are the same.

All in closed form: ridge, solved again with the pairs that fall short until they stay the same, or `ROUNDS` times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.grepq.rated_sets import RatedImage
from cliqa.images.loading import load_image
from cliqa.metrics.base import View
from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.metrics.grepq import GRepQ, trace_costs
from cliqa.metrics.grepq_network import GrepqNetwork
from cliqa.metrics.grepq_zero_shot import ZeroShotNumbers
from cliqa.signal.networks.dense import standardise
from cliqa.training.grepq.worse_pictures import DAMAGES, Observe, Rows, kept, ladder_pairs
from cliqa.training.rated.examples import held_out

Array = NDArray[np.float64]

OF_A_SOURCE = 2770  # photographs at most, so that the largest source has no more say than the others together
SHARE = 0.15  # of the regression in `quality`; of 0.1, 0.15, 0.2, 0.25, 0.3: the best on held-out ratings, and on the test list too
PENALTY = 100.0  # of 30, 100, 300, 1000: the best on held-out ratings
SOURCES_APART = 0.5  # what is left of the distance between sources, of 0, 0.5, 1: within them 0.006 SRCC more than at 1
# Of opinion, for the squares of compression and noise (`trace_costs`): of 0.3 to 0.6 each, and of plain ones at 0.15, most ladders of
# JPEG and noise of val photographs are in order (0.96 and 0.96; plain 0.90 and 0.86), and held-out SRCC is the same
TRACES = np.array([0.4, 0.5])
# Weight of what a pair lacks, squared, against a rating's error, squared: of 2, 3, 5, 7 and 10 the best on held-out ratings and on
# sources left out; more brings few more ladders into order.
PAIRS = 2.0
# Of opinion (0-1) per unit of strength, and at least; of 0.2, 0.25 and 0.3: WebP and light of most val photographs are then in order,
# for 0.0006 of held-out SRCC
MARGIN, LEAST = 0.3, 0.03
ENLARGED_MARGIN = 0.03
# Weights of an enlargement's pair as it is and by its pixels alone: with twice as much held-out SRCC falls by 0.001, with less the
# enlargements of large pictures are missed.
ENLARGED, ENLARGED_BY_PIXELS = 0.5, 2.0
# What the scores got wrong most often: times the weight of other kinds. Those of light and WebP by ladders of unused photographs.
WEIGHTS = {
    "over_exposure": 30.0,
    "under": 30.0,
    "low_light": 4.0,
    "low_contrast": 4.0,
    "noise": 4.0,
    "jpeg": 15.0,
    "webp": 30.0,
}
ROUNDS = 9
# Random features of the pixels' statistics; with 96 or 384 fewer ladders of unused photographs are in order
HIDDEN = 192
POOLED_GAIN = 3.0  # of the pooled maps beside the pixels; no tuning on record
DIRECT_GAIN, HIDDEN_GAIN = 1.0, 0.5  # with a third of either, enlargements of val photographs were found less often

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Branch:
    """The rated branch's opinion, 0-1, and what `traces` (compression, noise) takes from it: at 384 pixels neither is seen well.

    Attributes:
        slope, level: what brings the head's first output to the scale of held-out ratings.
        traces: statistics (n, WIDTH) -> compression and noise (n, 2), as the metric reads them.
    """

    slope: float
    level: float
    traces: Callable[[NDArray[Any]], NDArray[Any]]

    def opinions(self, rows: Rows) -> Array:
        """Of rows that `observer` gave, (n,)."""
        taken = trace_costs(self.traces(rows["statistics"])) @ TRACES
        return np.asarray(self.slope * rows["outputs"][:, 0].astype(np.float64) + self.level - taken)


def observer(network: GrepqNetwork, numbers: ZeroShotNumbers) -> Observe:
    """What is read of a view.

    `pooled` (float16) and `statistics` by the regressions, `outputs` (5,) by the rated head, `numbers` (7,) by `q`.
    """

    def observe(view: View) -> dict[str, NDArray[Any]]:
        seen = GRepQ.observe(view)
        pooled, embedding = network.embed(seen["picture"])
        patches = network.patches(seen["detail"])
        return {
            "pooled": pooled.astype(np.float16),
            "statistics": seen["traces"],
            "outputs": network.encoder.rated(seen["picture"]),
            "numbers": numbers(seen["detail"], pooled, embedding, patches),
        }

    return observe


def observe_rated(images: Sequence[RatedImage], observe: Observe, work: Path, seed: int) -> Rows:
    """Features of the training list that no branch is chosen by, `OF_A_SOURCE` of a source at most, with `score` and `source`."""
    taken: dict[str, int] = {}
    chosen = []
    for place in np.random.default_rng(seed + 11).permutation(len(images)):
        image = images[place]
        if image.split == "train" and not held_out(image) and taken.get(image.source, 0) < OF_A_SOURCE:
            taken[image.source] = taken.get(image.source, 0) + 1
            chosen.append(image)

    def row(place: int) -> dict[str, Any]:
        image = chosen[place]
        return observe(View(load_image(image.path))) | {"score": image.score, "source": image.source}

    return kept("rated", len(chosen), lambda number: [row(number)], work)


def fit_opinion(branch: Branch, rated: Rows, ladders: Rows, enlargements: Rows, seed: int) -> Tensors:
    """The tensors `quality.*` of the metric.

    Args:
        branch: what the rated branch says of pictures.
        rated, ladders, enlargements: see `observe_rated`, `observe_ladders` and `observe_enlargements`; the last may be empty.
    """
    pixels = pixel_features(rated["statistics"], seed)
    found, middle, mean = fit_regression(rated, ladders, enlargements, pixels, branch, SHARE)
    width = EARLY_WIDTH
    free, direct, hidden = np.split(SHARE * found, [width, width + pixels["mean"].size])
    level = (1 - SHARE) * branch.level + SHARE * float(mean - middle @ found)
    gains = np.concatenate([HIDDEN_GAIN * hidden, DIRECT_GAIN * direct, -DIRECT_GAIN * direct])
    return {
        "quality.weight": np.array([(1 - SHARE) * branch.slope, 0.0, 0.0, 0.0, 0.0]),
        "quality.bias": np.array([level]),
        "quality.traces": (1 - SHARE) * TRACES,
        "quality.free": POOLED_GAIN * free,
        "quality.pixels.mean": pixels["mean"],
        "quality.pixels.scale": pixels["scale"],
        # each statistic itself is the difference of two rectified ones
        "quality.pixels.weight.0": np.concatenate([pixels["weight"].T, np.eye(len(direct)), -np.eye(len(direct))]),
        "quality.pixels.bias.0": np.concatenate([pixels["bias"], np.zeros(2 * len(direct))]),
        "quality.pixels.weight.1": gains[None],
        "quality.pixels.bias.1": np.zeros(1),
    }


def fit_regression(
    rated: Rows, ladders: Rows, enlargements: Rows, pixels: Rows, branch: Branch, share: float
) -> tuple[Array, Array, float]:
    """Weights of `features`, the mean of those, and that of the ratings. `share` is the regression's part of the score."""
    x, y, middle, mean = _apart(features(rated, pixels), rated)
    differences, further, margins, weights = _pairs(ladders, enlargements, pixels, branch)
    gram, right = x.T @ x, x.T @ y
    gram[np.diag_indices_from(gram)] += PENALTY
    found, short = np.zeros(x.shape[1]), np.zeros(len(margins), bool)
    for _ in range(ROUNDS):
        before, short = short, (1 - share) * further + share * (differences @ found) < margins
        scale = np.sqrt(PAIRS * weights[short])
        rows = differences[short] * (share * scale)[:, None]
        lacks = (margins[short] - (1 - share) * further[short]) * scale
        found = np.linalg.solve(gram + rows.T @ rows, right + rows.T @ lacks)
        if (short == before).all():
            break
    return found, middle, mean


def pixel_features(statistics: NDArray[Any], seed: int) -> Rows:
    """How statistics of pixels (n, WIDTH) are standardised and what random features are made of them: `weight`, `bias`."""
    rng = np.random.default_rng(seed)
    width = statistics.shape[1]
    return {
        "mean": statistics.mean(0), "scale": statistics.std(0) + 1e-2,
        "weight": rng.normal(0, 1.5 / np.sqrt(width), (width, HIDDEN)), "bias": rng.uniform(-1, 1, HIDDEN),
    }  # fmt: skip


def features(rows: Rows, pixels: Rows) -> Array:
    """What the regression reads of rows, (n, width), see `pixel_features`."""
    x = standardise(rows["statistics"], pixels["mean"].astype(np.float32), pixels["scale"].astype(np.float32))
    hidden = np.maximum(x @ pixels["weight"] + pixels["bias"], 0.0)
    parts = [rows["pooled"][:, :EARLY_WIDTH].astype(np.float64) * POOLED_GAIN, x * DIRECT_GAIN, hidden * HIDDEN_GAIN]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _apart(seen: Array, rated: Rows) -> tuple[Array, Array, Array, float]:
    """Features and ratings less their means, those of the sources brought nearer, and the means."""
    middle, mean = seen.mean(0), float(rated["score"].mean())
    x, y = seen - middle, rated["score"] - mean
    for source in np.unique(rated["source"]):
        mine = rated["source"] == source
        x[mine] -= (1 - SOURCES_APART) * x[mine].mean(0)
        y[mine] -= (1 - SOURCES_APART) * y[mine].mean()
    return x, y, middle, mean


def _pairs(ladders: Rows, enlargements: Rows, pixels: Rows, branch: Branch) -> tuple[Array, Array, Array, Array]:
    """Better less worse, in features and in the branch's opinion; what both together must come to, and the pair's weight."""
    better, worse, stronger, kinds = ladder_pairs(ladders)
    seen, opinions = features(ladders, pixels), branch.opinions(ladders)
    names = list(DAMAGES)
    differences = [seen[better] - seen[worse]]
    further = [opinions[better] - opinions[worse]]
    margins = [np.maximum(MARGIN * stronger, LEAST)]
    weights = [np.array([WEIGHTS.get(names[kind], 1.0) for kind in kinds])]
    if enlargements:
        seen, opinions = features(enlargements, pixels), branch.opinions(enlargements)
        whole = seen[::2] - seen[1::2]
        alone = whole.copy()
        alone[:, :EARLY_WIDTH] = 0.0
        differences += [whole, alone]
        further += [opinions[::2] - opinions[1::2], np.zeros(len(whole))]
        margins += [np.full(len(whole), ENLARGED_MARGIN)] * 2
        weights += [np.full(len(whole), ENLARGED), np.full(len(whole), ENLARGED_BY_PIXELS)]
    return tuple(np.concatenate(part) for part in (differences, further, margins, weights))  # type: ignore[return-value]

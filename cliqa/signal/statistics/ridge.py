"""Ridge regression from a handful of labels: fit, choice of its strength, how far off it is, and how much more labels would help.

The penalty is on standardised targets' weights, never on the constant. With fewer labels than features the dual form is solved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.statistics.correlation import plcc, srcc

Array = NDArray[np.float64]
ALPHAS = (0.1, 1.0, 10.0, 100.0)  # the documented set
FOLDS = 5  # as is usual; no tuning on record
SHARE = 0.9  # of the intervals; no tuning on record
DRAWS = 200  # of a resampling; no tuning on record


@dataclass(frozen=True)
class Fitted:
    """A fitted model and what cross-validation says of it.

    `error` is the cross-validated mean squared error; `srcc_range` holds the ends of nine tenths of the SRCCs of resampled labels;
    `within` is the distance from its prediction that nine of ten held-out labels keep (inf where there are fewer than nine labels);
    `curve` holds (labels used, cross-validated SRCC) for growing shares of
    the labels.
    """

    weight: Array
    bias: float
    alpha: float
    srcc: float
    plcc: float
    error: float
    srcc_range: tuple[float, float]
    within: float
    curve: tuple[tuple[int, float], ...]

    def __call__(self, features: Array) -> Array:
        """(n, d) -> (n,)."""
        return features @ self.weight + self.bias


def ridge(features: Array, targets: Array, alpha: float) -> tuple[Array, float]:
    """Weights and constant that minimise |y - Xw - b|^2 + alpha |w|^2."""
    x, y = np.asarray(features, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    middle, level = x.mean(0), y.mean()
    x, y = x - middle, y - level
    if len(x) < x.shape[1]:
        weight = x.T @ np.linalg.solve(x @ x.T + alpha * np.eye(len(x)), y)
    else:
        weight = np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ y)
    return weight, float(level - middle @ weight)


def held_out_predictions(features: Array, targets: Array, alpha: float) -> Array:
    """Each target's prediction by a model that did not see it."""
    fold = np.random.default_rng(0).permutation(len(targets)) % min(FOLDS, len(targets))
    found = np.empty(len(targets))
    for k in range(fold.max() + 1):
        weight, bias = ridge(features[fold != k], targets[fold != k], alpha)
        found[fold == k] = features[fold == k] @ weight + bias
    return found


def choose_alpha(features: Array, targets: Array, alphas: tuple[float, ...] = ALPHAS) -> tuple[float, Array]:
    """The largest penalty whose cross-validated squared error is within a standard error of the least, and its held-out predictions.

    The rule of Breiman, Friedman, Olshen and Stone (1984), with the standard error of the difference to the least, label by label: few
    labels tell penalties apart poorly, and where they do not, the simpler model errs less on what it has not seen.
    """
    tried = [(alpha, held_out_predictions(features, targets, alpha)) for alpha in sorted(alphas)]
    errors = np.array([(predicted - targets) ** 2 for _, predicted in tried])
    further = errors - errors[errors.mean(1).argmin()]
    close = further.mean(1) <= further.std(1) / np.sqrt(len(targets))
    return tried[int(np.flatnonzero(close)[-1])]


def fit(features: Array, targets: Array, alphas: tuple[float, ...] = ALPHAS) -> Fitted:
    """Fit with the penalty chosen by cross-validation.

    Raises:
        ValueError: fewer than three labels, labels that are all equal, or values that are not finite.
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if len(y) < 3:
        raise ValueError(f"at least three labels are needed, there are {len(y)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features and labels must be finite numbers")
    if np.ptp(y) == 0:
        raise ValueError(f"all labels are {y[0]:g}: there is nothing to learn from")
    alpha, held_out = choose_alpha(x, y, alphas)
    weight, bias = ridge(x, y, alpha)
    error = float(np.mean((held_out - y) ** 2))
    spread = resampled_srcc(held_out, y), distance_within(held_out - y)
    return Fitted(weight, bias, alpha, srcc(held_out, y), plcc(held_out, y), error, *spread, _curve(x, y, alphas))


def distance_within(errors: Array) -> float:
    """The distance that a further error keeps with at least the chance `SHARE`, from held-out errors (n,); inf where they are too few.

    The ceil((n + 1) SHARE)-th smallest: split conformal prediction (Vovk, Gammerman, Shafer, 2005), which asks nothing of the errors'
    distribution. Each error here is of a model with a fifth of the labels left out, so a model of all labels errs a little less.
    """
    rank = int(np.ceil((len(errors) + 1) * SHARE))
    return float(np.sort(np.abs(errors))[rank - 1]) if rank <= len(errors) else float("inf")


def resampled_srcc(predicted: Array, targets: Array) -> tuple[float, float]:
    """Ends of the middle `SHARE` of the SRCC of pairs (n,) drawn anew with replacement; nan where no draw has one."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(targets), len(targets))
        if np.ptp(targets[rows]) > 0 and np.ptp(predicted[rows]) > 0:
            found.append(srcc(predicted[rows], targets[rows]))
    if not found:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def _curve(x: Array, y: Array, alphas: tuple[float, ...], repeats: int = 5) -> tuple[tuple[int, float], ...]:
    """SRCC on held-out labels when a quarter, half and all of the others are used, mean of several draws."""
    points = []
    test = max(2, len(y) // FOLDS)
    for share in (0.25, 0.5, 1.0):
        count = int((len(y) - test) * share)
        scores = []
        for repeat in range(repeats):
            order = np.random.default_rng([repeat, 1]).permutation(len(y))
            held, used = order[:test], order[test : test + count]
            if count < 5 or np.ptp(y[used]) == 0 or np.ptp(y[held]) == 0:
                continue
            alpha, _ = choose_alpha(x[used], y[used], alphas)
            weight, bias = ridge(x[used], y[used], alpha)
            scores.append(srcc(x[held] @ weight + bias, y[held]))
        if scores:
            points.append((count, float(np.mean(scores))))
    return tuple(points)

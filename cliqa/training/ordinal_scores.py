"""Figures for ordinal predictions: quadratic weighted kappa and the area under the ROC curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cliqa.signal.statistics.correlation import ranks


def quadratic_kappa(truth: NDArray[np.int64], predicted: NDArray[np.int64], levels: int = 4) -> float:
    """Cohen's kappa with weights (i - j)^2 over levels 1 ... `levels`; 1 is perfect, 0 chance. nan where nothing varies."""
    table = np.zeros((levels, levels))
    np.add.at(table, (np.asarray(truth) - 1, np.asarray(predicted) - 1), 1.0)
    table /= table.sum()
    weight = np.square(np.subtract.outer(np.arange(levels), np.arange(levels)))
    expected = float((weight * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    return 1.0 - float((weight * table).sum()) / expected if expected > 0 else float("nan")


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Area under the ROC curve: P(a positive has more than a negative), ties counted half; nan where one of the two is missing."""
    more, less = np.asarray(positive, np.float64), np.sort(np.asarray(negative, np.float64))
    if not len(more) or not len(less):
        return float("nan")
    below, up_to = np.searchsorted(less, more, "left"), np.searchsorted(less, more, "right")
    return float((below + up_to).mean() / 2 / len(less))


def area_under_roc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """The same, of scores and which of them are positive."""
    return auc(score[positive], score[~positive])


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Rank correlation, ties at their mean rank; 0 where one side is constant."""
    x, y = ranks(a), ranks(b)
    if x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])

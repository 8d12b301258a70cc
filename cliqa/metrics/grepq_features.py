"""The features that a model of one's own is fitted on: what they consist of, and how much say each part has in a ridge.

Two kinds can be had alone or together. *Label-free*: the zero-shot scores, how free of each kind of damage the picture looks,
statistics of its pixels, pooled maps of the label-free branch and the low-level embedding; no rating had a part in them. *Rated*: what
the branch trained on human ratings makes of the picture. The rated ones need far fewer labels where one's own taste is like that
of most people; they must not be called label-free.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.encoder_layout import EARLY_WIDTH, POOLED_WIDTH
from cliqa.signal.densities import logit
from cliqa.signal.quality.picture_statistics import STATISTICS

KINDS = ("label-free", "rated", "all")
DEFAULT_KIND = "all"
DAMAGES = ("blur", "jpeg", "noise", "light", "camera")

# Gains of the parts, chosen on 2,400 ratings of BIQ2021's training list (20 draws of 50 and of 200 labels: 0.712 and 0.747 for 0.703
# and 0.742 with early and head maps alike); the last makes no difference there
HIGH_GAIN, DAMAGE_GAIN, STATISTICS_GAIN, EARLY_GAIN, HEAD_GAIN, LOW_GAIN = 2.0, 1.0, 0.75, 2.0, 6.0, 1.0
OPINION_GAIN, HIDDEN_GAIN = 10.0, 0.5  # no tuning on record
# Of the logit of q: a ridge leaves it nearly free, so that few labels start from q; 6 and 60 do no better
PRIOR_GAIN = 20.0

_LOGIT_GAINS = np.array([1.0, 1.0, PRIOR_GAIN], dtype=np.float32)
_POOLED_GAINS = np.repeat(
    np.array([EARLY_GAIN, HEAD_GAIN], dtype=np.float32), [EARLY_WIDTH, POOLED_WIDTH - EARLY_WIDTH]
)
_LOW_WIDTH = 256
_RATED_WIDTH = 5 + 256
_HIGH_START = 4 + len(DAMAGES) + len(STATISTICS)
_LOW_START = _HIGH_START + POOLED_WIDTH
LABEL_FREE_WIDTH = _LOW_START + _LOW_WIDTH
# Columns of label-free features that evaluations tell apart.
FEATURE_PARTS = {
    "low": np.r_[0, _LOW_START:LABEL_FREE_WIDTH],
    "high": np.r_[1, 3:_LOW_START],
    "combined": np.r_[0:LABEL_FREE_WIDTH],
}

COLUMNS = {"label-free": slice(0, LABEL_FREE_WIDTH), "rated": slice(LABEL_FREE_WIDTH, None), "all": slice(None)}


def of_kind(features: NDArray[Any], stored: str, wanted: str) -> NDArray[Any]:
    """The columns of a kind in vectors (n, width) of a kind. Raises ValueError when they are not among them."""
    if stored == wanted:
        return features
    if stored != "all":
        raise ValueError(f"{stored} features, not {wanted}")
    return features[:, COLUMNS[wanted]]


def label_free_features(
    scores: tuple[float, float, float],
    high: float,
    damages: NDArray[np.float32],
    statistics: NDArray[np.float32],
    pooled: NDArray[np.float32],
    patches: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The label-free vector (LABEL_FREE_WIDTH,).

    Args:
        scores: q_low, q_high and q, which enter as logits, that of q by `PRIOR_GAIN`.
        high: place of the picture between the two prototypes.
        damages: (5,), freedom from each of `DAMAGES`, standardised.
        statistics: (15,), standardised `picture_statistics`.
        pooled: (POOLED_WIDTH,), standardised and balanced pooled maps of the label-free branch.
        patches: (n, 128), low-level embeddings of the picture's patches.
    """
    logits = np.array([logit(score) for score in scores], dtype=np.float32) * _LOGIT_GAINS
    low = np.concatenate([patches.mean(0), patches.std(0)]) / np.sqrt(patches.shape[1])
    return np.concatenate(
        [
            logits,
            [high * HIGH_GAIN],
            damages * DAMAGE_GAIN,
            statistics * STATISTICS_GAIN,
            pooled * _POOLED_GAINS,
            low * LOW_GAIN,
        ]
    ).astype(np.float32)


def rated_features(outputs: NDArray[np.float32], hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rated vector (261,): the rated head's five outputs, opinion first, and its hidden layer (256,)."""
    gains = np.array([OPINION_GAIN, 1, 1, 1, 1], dtype=np.float32)
    return np.concatenate([outputs * gains, hidden * HIDDEN_GAIN]).astype(np.float32)


def zero_shot_columns(features: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """q_low, q_high and q (0-1) of feature vectors (n, width), label-free or all."""
    q_low, q_high, q = (1.0 / (1.0 + np.exp(-features[:, column] / _LOGIT_GAINS[column])) for column in range(3))
    return q_low, q_high, q

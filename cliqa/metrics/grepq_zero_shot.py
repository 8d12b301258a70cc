"""`q` of metric `grepq`: the numbers that it is a sum of, and the sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.metrics.grepq_features import DAMAGES
from cliqa.signal.densities import logit
from cliqa.signal.networks.dense import Dense
from cliqa.signal.quality.niqe import gaussian_of, niqe_distance, quality_of_distance
from cliqa.signal.quality.picture_statistics import STATISTICS, TONES, tone_statistics

# The logit of q_low, the place between the prototypes, freedom from two of `DAMAGES`, and the statistics that `TONES` names.
NUMBERS = ("q_low", "high", "camera", "light", *TONES)
_DAMAGES = [DAMAGES.index(name) for name in ("camera", "light")]
_TONES = [STATISTICS.index(name) for name in TONES]


class ZeroShotNumbers:
    """What `q` is a sum of, from the tensors `pristine.*`, `damage.*` and `statistics.*` that `GRepQ` names."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._pristine = tensors["pristine.mean"].astype(np.float64), tensors["pristine.covariance"].astype(np.float64)
        damage = tensors["damage.weight"].astype(np.float32), tensors["damage.bias"].astype(np.float32)
        self._damage = damage[0][_DAMAGES], damage[1][_DAMAGES]
        self._mean, self._scale = (
            tensors[f"statistics.{name}"].astype(np.float32)[_TONES] for name in ("mean", "scale")
        )

    def __call__(
        self,
        detail: NDArray[np.uint8],
        pooled: NDArray[np.float32],
        embedding: NDArray[np.float32],
        patches: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """(7,), see `NUMBERS`, of a picture: uint8 (h, w, 3), pooled features, their embedding (2,), low-level embeddings (n, 128)."""
        q_low = quality_of_distance(niqe_distance(*gaussian_of(patches), *self._pristine))
        weight, bias = self._damage
        tones = np.clip((tone_statistics(detail) - self._mean) / self._scale, -4.0, 4.0)
        return np.array([logit(q_low), float(embedding[0]), *(weight @ pooled + bias).tolist(), *tones.tolist()])


class ZeroShotSum:
    """The logit of `q`, from the tensors `blend*` that `GRepQ` names."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._blend = tensors["blend"].astype(np.float64)
        self._taken = tensors["blend.traces"].astype(np.float64)
        self._free = tensors["blend.free"].astype(np.float32)
        self._pixels = Dense(tensors, "blend.pixels.")

    def __call__(
        self,
        numbers: NDArray[np.float64],
        pooled: NDArray[np.float32],
        statistics: NDArray[np.float32],
        traces: NDArray[np.float64],
    ) -> float:
        """Of `ZeroShotNumbers`, pooled features, `trace_statistics`, and what `traces` reads of those: compression and noise (2,)."""
        told = float(numbers @ self._blend[:-1] + self._blend[-1]) - float(traces @ self._taken)
        return told + float(pooled[:EARLY_WIDTH] @ self._free) + float(self._pixels(statistics[None])[0, 0])

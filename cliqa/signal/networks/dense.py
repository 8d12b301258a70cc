"""A small fully connected network in NumPy: what reads the statistics that the metrics observe.

A few hundred thousand weights answer in microseconds; running them here spares every command the seconds and the
memory that importing torch costs. `cliqa.training.dense_fit` trains the same network in torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLIP = 8.0  # deviations


def standardise(values: NDArray[Any], mean: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """float (..., inputs) in deviations from the mean, clipped to +-`CLIP`."""
    x = (np.asarray(values, dtype=np.float32) - mean) / scale
    return np.clip(x, -CLIP, CLIP, out=x)


class Dense:
    """x -> standardise, clip to +-`CLIP` deviations -> (linear, ReLU) * n -> linear.

    Tensors, under a common prefix: `mean`, `scale` (inputs); `weight.<i>` (out, in), `bias.<i>` (out).
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str = "net.") -> None:
        self.mean = tensors[f"{prefix}mean"].astype(np.float32)
        self.scale = tensors[f"{prefix}scale"].astype(np.float32)
        self.layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        while f"{prefix}weight.{len(self.layers)}" in tensors:
            index = len(self.layers)
            weight = tensors[f"{prefix}weight.{index}"].astype(np.float32)
            self.layers.append((np.ascontiguousarray(weight.T), tensors[f"{prefix}bias.{index}"].astype(np.float32)))

    @property
    def inputs(self) -> int:
        """Number of input features."""
        return int(self.mean.shape[0])

    def __call__(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """float (batch, inputs) -> float32 (batch, outputs), before any output function."""
        return self.layered(standardise(features, self.mean, self.scale))

    def layered(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The layers alone: float32 (batch, inputs of the first) -> float32 (batch, outputs)."""
        for index, (weight, bias) in enumerate(self.layers):
            x = x @ weight + bias
            if index < len(self.layers) - 1:
                np.maximum(x, 0.0, out=x)
        return x


def median_level(probabilities: NDArray[np.float32], lowest: float, step: float = 1.0) -> float:
    """The median of a histogram with bins of width `step` around lowest, lowest + step ..., linear within a bin.

    What several networks say is averaged as histograms; the median is robust where two answers are likely.

    >>> median_level(np.array([0.0, 0.5, 0.5], np.float32), 20.0)
    21.5
    """
    cumulated = np.cumsum(probabilities, dtype=np.float64)
    index = min(int(np.searchsorted(cumulated, 0.5)), len(probabilities) - 1)
    before = cumulated[index - 1] if index else 0.0
    within = (0.5 - before) / max(float(probabilities[index]), 1e-9)
    return float(lowest + step * (index - 0.5 + min(max(within, 0.0), 1.0)))

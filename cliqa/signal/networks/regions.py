"""A small network over the regions of a picture, in NumPy: it learns which regions to believe.

Every region's row goes through two dense layers; a few softmaxes over the regions ("heads") weigh what each says. What the heads
found, the mean over the regions and the statistics of the whole picture go through a dense network together. (Attention as pooling
over a set: Ilse, Tomczak, Welling 2018.) `cliqa.training.noise.fit` trains the same network in torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.densities import softmax
from cliqa.signal.networks.dense import Dense, standardise

Floats = NDArray[np.float32]


class RegionNetwork:
    """(statistics, rows of regions) -> answers.

    Tensors, under a common prefix: those of two `Dense`, `rows.` (facts of a region -> channels) and `head.` (statistics, then what
    the regions say -> answers; its `mean` and `scale` are of the statistics alone); and `attention.weight`, `attention.bias`,
    (heads, channels), `values.weight`, `values.bias`, (heads * n, channels).
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str = "net.") -> None:
        self.rows = Dense(tensors, f"{prefix}rows.")
        self.head = Dense(tensors, f"{prefix}head.")
        self.attention, self.attention_bias, self.values, self.values_bias = (
            tensors[f"{prefix}{name}"].astype(np.float32)
            for name in ("attention.weight", "attention.bias", "values.weight", "values.bias")
        )

    @property
    def inputs(self) -> tuple[int, int]:
        """Number of statistics and of facts of a region."""
        return self.head.inputs, self.rows.inputs

    @property
    def outputs(self) -> int:
        """Number of answers."""
        return len(self.head.layers[-1][1]) if self.head.layers else 0

    def __call__(self, statistics: NDArray[Any], regions: NDArray[Any]) -> Floats:
        """float (statistics,) and (regions, facts), of one picture -> float32 (answers,), before any output function."""
        seen = np.maximum(self.rows(regions), 0)
        weights = softmax((seen @ self.attention.T + self.attention_bias).T)  # (heads, regions)
        gathered = weights @ seen  # a head's weights sum to 1, so its values are those of the mean that it takes
        values = self.values.reshape(len(weights), -1, seen.shape[1])
        found = np.matmul(values, gathered[:, :, None]).ravel() + self.values_bias
        whole = standardise(statistics, self.head.mean, self.head.scale)
        result: Floats = self.head.layered(np.concatenate([whole, found, seen.mean(axis=0)])[None])[0]
        return result

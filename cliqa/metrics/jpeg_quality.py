"""The metric `jpeg_quality`: the lowest JPEG quality in an image's history, read from its pixels.

The evidence is closed form (`cliqa.signal.jpeg.history`); each kind of it proposes a quality. A small network weighs the
proposals and adds one of its own (for tables that fit none of IJG's); another gives the probability of 4:2:0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.metrics.jpeg_header import QF_HEADER, observed_header
from cliqa.signal.densities import logistic
from cliqa.signal.jpeg.features import HYPOTHESES, chroma_inputs, features, gate_inputs, hypotheses
from cliqa.signal.jpeg.history import read_history
from cliqa.signal.networks.dense import Dense

GATES = len(HYPOTHESES) + 1  # the last is the network's own estimate
OUTPUTS = GATES + 1  # gates, own estimate (a logit)


class JpegQuality(Metric):
    """Lowest JPEG quality, and whether the chroma was ever subsampled 4:2:0."""

    name: ClassVar[str] = "jpeg_quality"
    architecture: ClassVar[str] = "jpeg-history-dense"
    version: ClassVar[int] = 2
    in_worker: ClassVar[bool] = True
    summary: ClassVar[str] = "lowest JPEG quality in the image's history, and 4:2:0 subsampling"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("quality", "lowest JPEG quality in the history; 100 = no trace", 0, 100, "IJG quality", "higher"),
        Field("subsampling_420", "probability that the chroma was subsampled 4:2:0", 0, 1, "", "lower"),
        QF_HEADER,
    )

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        self.net = Dense(tensors, "quality.")
        self.chroma_net = Dense(tensors, "chroma.")

    @classmethod
    def observe(cls, view: View) -> Observation:
        """Evidence of the tiles: `features`, `chroma`, `proposals` (see HYPOTHESES) and `header` (0 where there is none)."""
        history = read_history(view.patches)
        return {
            "features": features(history),
            "chroma": chroma_inputs(history),
            "proposals": hypotheses(history),
            "header": observed_header(view),
        }

    def score(self, observation: Observation) -> dict[str, Value]:
        """The proposal that the network weighs most, and its probability of 4:2:0."""
        inputs = gate_inputs(observation["features"], observation["proposals"])
        output = self.net(inputs[None])[0].astype(np.float64)
        own = logistic(float(output[GATES]), top=100.0)
        proposals = [*observation["proposals"], own]
        quality = float(proposals[int(output[:GATES].argmax())])
        chroma = float(self.chroma_net(observation["chroma"][None])[0, 0])
        return {
            "quality": min(max(quality, 0.0), 100.0),
            "subsampling_420": logistic(chroma),
            "qf_header": int(observation["header"]) or None,
        }

"""A metric that costs nothing and touches everything a decoder gives: pixels, patches, and the picture as a person sees it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from cliqa.metrics import Field, Metric, Observation, Value, View


class Touching(Metric):
    """The mean of a few pixels as stored, and of a thumbnail."""

    name: ClassVar[str] = "touching"
    architecture: ClassVar[str] = "mean"
    weights: ClassVar[bool] = False
    fields: ClassVar[tuple[Field, ...]] = (Field("stored", "mean value", 0, 255), Field("seen", "mean value", 0, 255))

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"stored": np.array(view.patches[:, :, ::16, ::16].mean()), "seen": np.array(view.thumbnail(64).mean())}

    def score(self, observation: Observation) -> dict[str, Value]:
        return {name: float(values) for name, values in observation.items()}

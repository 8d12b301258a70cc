"""Metrics without weights, for tests of everything around the metrics."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from cliqa.errors import ImageSkipped
from cliqa.metrics import Field, Metric, Observation, Value, View


class Brightness(Metric):
    """The mean of all pixels, 0-255; pictures that are black throughout are skipped."""

    name: ClassVar[str] = "brightness"
    architecture: ClassVar[str] = "mean"
    weights: ClassVar[bool] = False
    fields: ClassVar[tuple[Field, ...]] = (
        Field("mean", "mean value", 0.0, 255.0),
        Field("label", "light or dark", kind="str"),
    )

    @classmethod
    def observe(cls, view: View) -> Observation:
        if view.pixels.max() == 0:
            raise ImageSkipped("a black picture")
        return {"mean": np.array(view.pixels.mean())}

    def score(self, observations: Sequence[Observation]) -> list[dict[str, Value]]:
        means = [float(observation["mean"]) for observation in observations]
        return [{"mean": mean, "label": "light" if mean >= 128 else "dark"} for mean in means]


class Deadly(Brightness):
    """Kills its own process on pictures that are pure red."""

    name: ClassVar[str] = "deadly"

    @classmethod
    def observe(cls, view: View) -> Observation:
        if tuple(view.pixels[0, 0]) == (255, 0, 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().observe(view)

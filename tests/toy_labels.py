"""A metric without weights that labels by brightness as `aesthetic` labels photographs, for tests of its filter."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from cliqa.metrics import Metric, Observation, Value, View
from cliqa.metrics.aesthetic import LABELS, Aesthetic


class Brightness(Metric):
    """Dark is rejected, grey pending, bright accepted; odd values are sure (0.8), even ones not (0.4)."""

    name: ClassVar[str] = "aesthetic"
    architecture: ClassVar[str] = "mean"
    weights: ClassVar[bool] = False
    fields = Aesthetic.fields

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"mean": np.array(int(view.pixels[0, 0, 0]))}

    def score(self, observation: Observation) -> dict[str, Value]:
        mean = int(observation["mean"])
        place, chance = min(mean // 86, 2), 0.8 if mean % 2 else 0.4
        chances = [chance if index == place else (1 - chance) / 2 for index in range(3)]
        found: dict[str, Value] = {f"p_{label}": value for label, value in zip(LABELS, chances, strict=True)}
        return found | {"label": LABELS[place], "score": chances[1] + 2 * chances[2]}

"""Metric `aesthetic`: rejected, pending or accepted, as photo managers sort, with calibrated probabilities.

The whole picture is read, upright and in its own proportions, at 384 pixels. Learned from human ratings (BIQ2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import CheckpointError
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.metrics.grepq import PICTURE_SIDE
from cliqa.metrics.shared_encoder import RatedEncoder, rated_encoder, runs_in_worker
from cliqa.signal.densities import softmax

LABELS = ("rejected", "pending", "accepted")


class Aesthetic(Metric):
    """Three classes of a photograph, as a person who culls would sort it.

    Tensors: those of `RatedEncoder`, and `calibration.weight` (3, 5), `calibration.bias` (3): from the head's outputs to
    the logits of the classes, fitted on ratings that the encoder did not see. `decision` (3): what is added to the log of the
    probabilities before the label is chosen, so that the rarest class is not overlooked; probabilities stay as they are.
    """

    name = "aesthetic"
    architecture = "mobilenetv2-rated"
    version = 3
    summary = "rejected, pending or accepted, with calibrated probabilities (learned from human ratings)"
    fields = (
        Field("label", "class: rejected, pending or accepted; in close cases the rarer one", kind="str"),
        Field("p_rejected", "probability of rejected: distorted", better="lower"),
        Field("p_pending", "probability of pending: clean but ordinary, or good but badly taken"),
        Field("p_accepted", "probability of accepted: a good picture", better="higher"),
        Field("score", "expected class, 0 rejected to 2 accepted", high=2.0, better="higher"),
    )
    uses_torch = True

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        self.in_worker = runs_in_worker(device)
        self._tensors = tensors
        self.weight = tensors["calibration.weight"].astype(np.float64)
        self.bias = tensors["calibration.bias"].astype(np.float64)
        self.decision = tensors["decision"].astype(np.float64)
        if self.in_worker:
            self.prepare()

    @cached_property
    def encoder(self) -> RatedEncoder:
        """The encoder that `grepq` shares."""
        return rated_encoder(self._tensors, self.device)

    def prepare(self) -> None:
        """Build the network, with torch where it runs it. Raises CheckpointError where the tensors don't fit."""
        try:
            _ = self.encoder
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(
                f"the aesthetic weights lack a tensor, or have it in another shape: {error}"
            ) from error
        self._tensors = {}

    @classmethod
    def observe(cls, view: View) -> Observation:
        """`picture`: the upright picture, uint8 (h, w, 3), long side at most 384."""
        return {"picture": view.thumbnail(PICTURE_SIDE)}

    def foresee(self, observations: Sequence[Observation]) -> None:
        """One pass of the encoder for pictures of one shape."""
        self.encoder.foresee([seen["picture"] for seen in observations])

    def score(self, observation: Observation) -> dict[str, Value]:
        """The label, the probabilities of the classes, and the expected class."""
        chances = probabilities(self.encoder.rated(observation["picture"]), self.weight, self.bias)
        return class_fields(chances, self.decision)


def class_fields(chances: NDArray[np.float64], decision: NDArray[np.float64]) -> dict[str, Value]:
    """The fields of probabilities (3,): the label that `decide` gives, the probabilities, and the expected class."""
    return {
        "label": LABELS[int(decide(chances, decision))],
        "p_rejected": float(chances[0]),
        "p_pending": float(chances[1]),
        "p_accepted": float(chances[2]),
        "score": float(chances[1] + 2 * chances[2]),
    }


def probabilities(outputs: NDArray[Any], weight: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax of the calibrated logits: outputs (..., 5) -> (..., 3), sums 1."""
    logits = np.asarray(outputs, dtype=np.float64) @ weight.T + bias
    return softmax(logits)


def decide(chances: NDArray[np.float64], decision: NDArray[np.float64]) -> NDArray[np.intp]:
    """Place of the label in `LABELS`, of probabilities (..., 3) with `decision` (3) added to their logs."""
    return np.asarray((np.log(chances + 1e-12) + decision).argmax(axis=-1))

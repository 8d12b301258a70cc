"""Metric `grepq`: perceptual quality, zero-shot from label-free encoders, and as people rated it.

* `q_low`: distance of the picture's patches to pristine ones in the space of the low-level encoder (1 - sigmoid(d / 100)).
* `q_high`: nearness to the "good" prototype against the "bad" one in the space of the high-level encoder, sigmoid(10 (cos - cos)).
* `q`: a sum of both, of nearness to pictures chosen rather than snapped, of detail, light and tone, kept in order where pictures are
  damaged. Up to here no rating was fitted to.
* `quality`: from a branch trained on rated photographs (BIQ2021) and from a regression on label-free features and on the pixels, which
  keeps it in order where pictures were damaged, smoothed or enlarged; or from a model fitted to labels of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import CheckpointError
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.metrics.grepq_features import DEFAULT_KIND, KINDS, label_free_features, rated_features
from cliqa.metrics.grepq_network import GrepqNetwork
from cliqa.metrics.grepq_zero_shot import ZeroShotNumbers, ZeroShotSum
from cliqa.metrics.shared_encoder import runs_in_worker
from cliqa.signal.densities import logistic
from cliqa.signal.networks.dense import Dense
from cliqa.signal.quality.picture_statistics import picture_statistics
from cliqa.signal.quality.trace_statistics import trace_statistics

PICTURE_SIDE = 384  # for content: what the branches see
DETAIL_SIDE = 512  # for the grain of the picture: what the low-level encoder sees
NOISE_FLOOR = 0.25  # of the noise that `traces` finds; fine texture reaches about that much


def trace_costs(found: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """What `traces` finds of compression and noise (..., 2), 0-1, by what it costs: 0 where there is none to be seen, and squared.

    The scores see weak damage by themselves; it is strong damage that the encoders, at 384 pixels, take for texture.
    """
    return np.square(np.maximum(found.astype(np.float64) - (0.0, NOISE_FLOOR), 0.0))


class GRepQ(Metric):
    """Perceptual quality.

    Tensors, beside those of `RatedEncoder`:

    * `free.*`: the label-free branch.
    * `high.mean`, `high.scale` (POOLED_WIDTH), `high.weight` (2, POOLED_WIDTH), `high.bias` (2): the embedding; `high.good`,
      `high.bad` (2): the prototypes.
    * `damage.weight` (5, POOLED_WIDTH), `damage.bias` (5): directions away from each kind of damage.
    * `statistics.mean`, `statistics.scale` (15): of `picture_statistics`.
    * `low.*`: the low-level head; `pristine.mean`, `pristine.covariance`: the Gaussian of pristine patches.
    * `traces.*`: a `Dense` network that reads `trace_statistics`: how strong compression and noise are, 0-1.
    * `blend` (8): from `grepq_zero_shot.NUMBERS` to the logit of q, bias last; `blend.traces` (2): what compression and noise take
      from it; `blend.free` (EARLY_WIDTH) and `blend.pixels.*`, a `Dense` network that reads `trace_statistics`: what keeps it in
      order where pictures are damaged.
    * `quality.weight` (5), `quality.bias`: from the rated head's outputs; `quality.free` (EARLY_WIDTH): from the first of the
      label-free branch's pooled features; `quality.pixels.*`: a `Dense` network that reads `trace_statistics`; `quality.traces` (2):
      what compression and noise take. The sum is opinion, 0-1. In a fitted model `fit.weight` and `fit.bias` instead, and the kind of
      its features in the metadata.
    """

    name = "grepq"
    architecture = "mobilenetv2-grepq"
    version = 8
    summary = "perceptual quality: zero-shot (label-free), and learned from human ratings"
    fields = (
        Field("q_low", "zero-shot low-level quality: nearness of the patches to pristine ones", better="higher"),
        Field("q_high", "zero-shot high-level quality: nearness to good pictures", better="higher"),
        Field("q", "zero-shot quality, low and high level together", better="higher"),
        Field("quality", "quality as people rate it, or as the fitted model has learned", high=100.0, better="higher"),
    )
    uses_torch = True

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        self.in_worker = runs_in_worker(device)
        self._tensors = tensors
        self.traces = Dense(tensors, "traces.")
        self.numbers, self.sum = ZeroShotNumbers(tensors), ZeroShotSum(tensors)
        self.damage = tensors["damage.weight"].astype(np.float32), tensors["damage.bias"].astype(np.float32)
        self.statistics = tensors["statistics.mean"].astype(np.float32), tensors["statistics.scale"].astype(np.float32)
        self.fitted = "fit.weight" in tensors
        self.kind = metadata.get("kind", DEFAULT_KIND)
        if self.kind not in KINDS:
            raise CheckpointError(f"fitted on features that are not known: {self.kind!r}")
        kind = "fit" if self.fitted else "quality"
        self.regressor = tensors[f"{kind}.weight"].astype(np.float64), float(tensors[f"{kind}.bias"].reshape(()))
        if not self.fitted:
            self.free = tensors["quality.free"].astype(np.float32)
            self.pixels = Dense(tensors, "quality.pixels.")
            self.penalty = tensors["quality.traces"].astype(np.float64)
        if self.in_worker:
            self.prepare()

    @cached_property
    def network(self) -> GrepqNetwork:
        """The encoders."""
        return GrepqNetwork(self._tensors, self.device)

    def prepare(self) -> None:
        """Build the networks, with torch where it runs them. Raises CheckpointError where the tensors don't fit."""
        try:
            _ = self.network
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"the grepq weights lack a tensor, or have it in another shape: {error}") from error
        self._tensors = {}

    @classmethod
    def observe(cls, view: View) -> Observation:
        """What is seen of the picture.

        `picture` and `detail`: upright, uint8 (h, w, 3), long side at most 384 and 512. `traces`: `trace_statistics` of its most
        detailed tiles, pixels as stored.
        """
        return {
            "picture": view.thumbnail(PICTURE_SIDE),
            "detail": view.thumbnail(DETAIL_SIDE),
            "traces": trace_statistics(view.patches),
        }

    def foresee(self, observations: Sequence[Observation]) -> None:
        """One pass of the encoders for pictures of one shape."""
        self.network.foresee([seen["picture"] for seen in observations], [seen["detail"] for seen in observations])

    def score(self, observation: Observation) -> dict[str, Value]:
        """The zero-shot scores, and `quality` by ratings or by the fitted model."""
        pooled, embedding = self.network.embed(observation["picture"])
        patches = self.network.patches(observation["detail"])
        scores = self._zero_shot(observation, pooled, embedding, patches)
        if self.fitted:
            weight, bias = self.regressor
            parts = []
            if self.kind != "rated":
                parts.append(self._label_free(observation, scores, pooled, embedding, patches))
            if self.kind != "label-free":
                parts.append(self._rated(observation))
            quality = float(np.concatenate(parts) @ weight + bias)
        else:
            quality = self.quality(observation)
        q_low, q_high, q = scores
        return {"q_low": q_low, "q_high": q_high, "q": q, "quality": quality}

    def features(self, observation: Observation, kind: str = DEFAULT_KIND) -> NDArray[np.float32]:
        """The features of a kind that a model of one's own is fitted on, see `grepq_features`."""
        parts = []
        if kind in ("label-free", "all"):
            pooled, embedding = self.network.embed(observation["picture"])
            patches = self.network.patches(observation["detail"])
            scores = self._zero_shot(observation, pooled, embedding, patches)
            parts.append(self._label_free(observation, scores, pooled, embedding, patches))
        if kind in ("rated", "all"):
            parts.append(self._rated(observation))
        return np.concatenate(parts)

    def quality(self, observation: Observation) -> float:
        """`quality` alone (0-100), at less than the cost of all fields. Raises ValueError for a model fitted to labels of one's own."""
        if self.fitted:
            raise ValueError("a fitted model reads more than `quality` alone needs: use score")
        weight, bias = self.regressor
        outputs = self.network.encoder.rated(observation["picture"]).astype(np.float64)
        early = self.network.early(observation["picture"])
        seen = float(early @ self.free) + float(self.pixels(observation["traces"][None])[0, 0])
        seen -= float(self._traces(observation) @ self.penalty)
        return float(np.clip(outputs @ weight + bias + seen, 0.0, 1.0) * 100.0)

    def _label_free(
        self,
        observation: Observation,
        scores: tuple[float, float, float],
        pooled: NDArray[np.float32],
        embedding: NDArray[np.float32],
        patches: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        weight, bias = self.damage
        mean, scale = self.statistics
        statistics = np.clip((picture_statistics(observation["detail"]) - mean) / scale, -4.0, 4.0)
        return label_free_features(scores, float(embedding[0]), weight @ pooled + bias, statistics, pooled, patches)

    def _rated(self, observation: Observation) -> NDArray[np.float32]:
        picture = observation["picture"]
        return rated_features(self.network.encoder.rated(picture), self.network.encoder.rated_hidden(picture))

    def _traces(self, observation: Observation) -> NDArray[np.float64]:
        """Compression and noise (2,) by what they cost, see `trace_costs`."""
        return trace_costs(self.traces(observation["traces"][None])[0])

    def _zero_shot(
        self,
        observation: Observation,
        pooled: NDArray[np.float32],
        embedding: NDArray[np.float32],
        patches: NDArray[np.float32],
    ) -> tuple[float, float, float]:
        numbers = self.numbers(observation["detail"], pooled, embedding, patches)
        unit = embedding / (np.linalg.norm(embedding) + 1e-9)
        good, bad = self.network.prototypes
        q_high = logistic(10.0 * float(unit @ good - unit @ bad))
        q = logistic(self.sum(numbers, pooled, observation["traces"], self._traces(observation)))
        return logistic(float(numbers[0])), q_high, q

"""Metric `grepq`: perceptual quality, zero-shot from label-free encoders, and as people rated it.

* `q_low`: distance of the picture's patches to pristine ones in the space of the low-level encoder (1 - sigmoid(d / 100)).
* `q_high`: nearness to the "good" prototype against the "bad" one in the space of the high-level encoder, sigmoid(10 (cos - cos)).
* `q`: both together. Up to here no human rating was involved.
* `quality`: from a branch trained on rated photographs (BIQ2021), or from a model fitted to labels of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.niqe_distance import gaussian_of, niqe_distance, quality_of_distance

if TYPE_CHECKING:
    from torch import Tensor

PICTURE_SIDE = 384  # for content: what the branches see
DETAIL_SIDE = 512  # for the grain of the picture: what the low-level encoder sees
WINDOW, STRIDE = 96, 48  # patches of the low-level score, in pixels


class GRepQ(Metric):
    """Perceptual quality.

    Tensors, beside those of `RatedEncoder`: `free.*`, the label-free branch; `high.mean`, `high.scale` (POOLED_WIDTH),
    `high.weight` (2, POOLED_WIDTH), `high.bias` (2), the embedding, and `high.good`, `high.bad` (2), the prototypes; `low.*`, the
    low-level head; `pristine.mean`, `pristine.covariance`, the Gaussian of pristine patches; `blend` (3), from the logits of
    q_low and q_high to that of q, bias last;
    `quality.weight` (5), `quality.bias`, from the rated head's outputs; in a fitted model `fit.weight` and `fit.bias` instead.
    """

    name = "grepq"
    architecture = "mobilenetv2-grepq"
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
        import torch

        from cliqa.metrics.encoder import Branch, LowHead, balance, load_module
        from cliqa.metrics.shared_encoder import rated_encoder

        self.encoder = rated_encoder(tensors, device)
        self.free = load_module(Branch(), tensors, "free.").to(device)
        self.low = load_module(LowHead(), tensors, "low.").to(device)
        self.high = {
            name: torch.from_numpy(tensors[f"high.{name}"].astype(np.float32)).to(device)
            for name in ("mean", "scale", "weight", "bias", "good", "bad")
        }
        self.balance = balance().to(device)
        self.pristine = tensors["pristine.mean"].astype(np.float64), tensors["pristine.covariance"].astype(np.float64)
        self.blend = tensors["blend"].astype(np.float64)
        self.fitted = "fit.weight" in tensors
        kind = "fit" if self.fitted else "quality"
        self.regressor = tensors[f"{kind}.weight"].astype(np.float64), float(tensors[f"{kind}.bias"].reshape(()))

    @classmethod
    def observe(cls, view: View) -> Observation:
        """`picture` and `detail`: the upright picture, uint8 (h, w, 3), long side at most 384 and 512."""
        return {"picture": view.thumbnail(PICTURE_SIDE), "detail": view.thumbnail(DETAIL_SIDE)}

    def score(self, observations: Sequence[Observation]) -> list[dict[str, Value]]:
        """Fields for each observation."""
        return [self._fields(observation) for observation in observations]

    def features(self, observation: Observation) -> NDArray[np.float32]:
        """The label-free features that a model of one's own is fitted on, see `join_features`."""
        pooled, embedding = self._embed(observation["picture"])
        patches = self._patches(observation["detail"])
        q_low, q_high, q = self._zero_shot(embedding, patches)
        return join_features(pooled, embedding, patches, (q_low, q_high, q))

    def _fields(self, observation: Observation) -> dict[str, Value]:
        pooled, embedding = self._embed(observation["picture"])
        patches = self._patches(observation["detail"])
        q_low, q_high, q = self._zero_shot(embedding, patches)
        weight, bias = self.regressor
        if self.fitted:
            quality = float(join_features(pooled, embedding, patches, (q_low, q_high, q)) @ weight + bias)
        else:
            outputs = self.encoder.rated(observation["picture"]).astype(np.float64)
            quality = float(np.clip(outputs @ weight + bias, 0.0, 1.0) * 100.0)
        return {"q_low": q_low, "q_high": q_high, "q": q, "quality": quality}

    def _zero_shot(self, embedding: NDArray[np.float32], patches: NDArray[np.float32]) -> tuple[float, float, float]:
        q_low = quality_of_distance(niqe_distance(*gaussian_of(patches), *self.pristine))
        unit = embedding / (np.linalg.norm(embedding) + 1e-9)
        good, bad = (self.high[name].cpu().numpy() for name in ("good", "bad"))
        q_high = _sigmoid(10.0 * float(unit @ good - unit @ bad))
        q = _sigmoid(self.blend[0] * _logit(q_low) + self.blend[1] * _logit(q_high) + self.blend[2])
        return q_low, q_high, q

    def _embed(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Standardised, balanced pooled features (POOLED_WIDTH,) and their embedding (2,)."""
        import torch

        from cliqa.metrics.encoder import pool

        with torch.inference_mode():
            shared = self.encoder.shared(picture)
            pooled = (pool(shared + self.free(shared[-1])) - self.high["mean"]) / self.high["scale"]
            pooled = pooled.clamp(-6.0, 6.0) * self.balance
            embedding: Tensor = pooled @ self.high["weight"].T + self.high["bias"]
        return pooled[0].cpu().numpy(), embedding[0].cpu().numpy()

    def _patches(self, detail: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Low-level embeddings of the picture's patches, (n, 128)."""
        import torch

        from cliqa.metrics.encoder import standardise, window_features

        with torch.inference_mode():
            shared = self.encoder.trunk(standardise(torch.from_numpy(np.array(detail)[None]).to(self.device)))
            found: NDArray[np.float32] = self.low(window_features(shared, WINDOW, STRIDE))[0].cpu().numpy()
        return found


def join_features(
    pooled: NDArray[np.float32],
    embedding: NDArray[np.float32],
    patches: NDArray[np.float32],
    scores: tuple[float, float, float],
) -> NDArray[np.float32]:
    """The feature vector: q_low, q_high and q as logits, high-level features, low-level features (`FEATURE_PARTS`).

    The gains make a part's say in a ridge what it is worth: much for the scores, of which there are few.
    """
    logits = np.array([_logit(score) for score in scores], dtype=np.float32)
    low = np.concatenate([patches.mean(0), patches.std(0)]) / np.sqrt(patches.shape[1])
    return np.concatenate([logits, embedding[:1] * HIGH_GAIN, pooled * POOLED_GAIN, low * LOW_GAIN]).astype(np.float32)


HIGH_GAIN, POOLED_GAIN, LOW_GAIN = 6.0, 3.0, 1.0
_HIGH_WIDTH = 2992  # POOLED_WIDTH of the encoder, which needs torch
FEATURE_PARTS = {
    "low": np.r_[0, 4 + _HIGH_WIDTH : 4 + _HIGH_WIDTH + 256],
    "high": np.r_[1, 3 : 4 + _HIGH_WIDTH],
    "combined": np.r_[0 : 4 + _HIGH_WIDTH + 256],
}


def zero_shot_columns(features: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """q_low, q_high and q (0-1) of feature vectors (n, width)."""
    q_low, q_high, q = (1.0 / (1.0 + np.exp(-features[:, column])) for column in range(3))
    return q_low, q_high, q


def _sigmoid(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0))))


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))

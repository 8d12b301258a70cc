"""GRepQ as published (`--encoder clip`): CLIP's image encoder and a low-level encoder, zero-shot, and joined for models of one's own.

* `q_low`, `q_high`: as in `cliqa.grepq.low_level` and `cliqa.metrics.grepq_clip`; `q`: their mean, which orders pictures as their
  sum does.
* features: the image embedding (1024 of RN50), then the mean low-level embedding of the patches (128).

Pictures are read at their own size up to `max_side`, which bounds time and memory: both grow with the pixels.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import ImageSkipped
from cliqa.grepq.low_level import WIDTH, LowEncoder, load_low, q_low
from cliqa.metrics import Field, Observation, Value, View, checkpoints
from cliqa.metrics.grepq_clip import MIN_SIDE, ClipEncoder, q_high

KIND = "published"  # of features
MAX_SIDE = 1024  # KonIQ-10k and CLIVE are no larger


class Published:
    """The two encoders, with the methods of a metric that the commands use."""

    name = "grepq_published"
    fields = (
        Field("q_low", "zero-shot low-level quality: nearness of the patches to pristine ones", better="higher"),
        Field("q_high", "zero-shot high-level quality: nearer to the good prompt than to the bad one", better="higher"),
        Field("q", "their mean", better="higher"),
    )
    fitted = False

    def __init__(self, clip: ClipEncoder, low: LowEncoder, fingerprint: str, max_side: int = MAX_SIDE) -> None:
        """`fingerprint` tells the weights of both encoders; with `max_side`, it tells which features go together."""
        self.clip, self.low = clip, low
        self.max_side = max_side or 10**9
        self.metadata = {"weights": f"{fingerprint}-{max_side}"}
        self.high_width = clip.width

    def observe(self, view: View) -> Observation:
        """`picture` and `detail`: upright, uint8 (h, w, 3), as CLIP and the low-level encoder read it. Raises ImageSkipped."""
        picture = view.thumbnail(self.max_side)
        if min(picture.shape[:2]) < MIN_SIDE:
            raise ImageSkipped(f"CLIP needs sides of at least {MIN_SIDE} pixels")
        return {"picture": picture, "detail": view.thumbnail(self.low.side(self.max_side))}

    def measure(self, observation: Observation) -> tuple[tuple[float, float, float], NDArray[np.float32]]:
        """The scores, and the features (high_width + 128,)."""
        embedding = self.clip.embed([observation["picture"]])
        patches = self.low.patches(observation["detail"])
        low = q_low(patches, self.low.pristine)
        high = float(q_high(embedding, self.clip.prompts())[0])
        joined = np.concatenate([embedding[0].cpu().numpy(), patches.mean(0)]).astype(np.float32)
        return (low, high, (low + high) / 2), joined

    def score(self, observation: Observation) -> dict[str, Value]:
        """The zero-shot scores."""
        scores, _ = self.measure(observation)
        return {field.name: value for field, value in zip(self.fields, scores, strict=True)}

    def features(self, observation: Observation, kind: str = KIND) -> NDArray[np.float32]:
        """The joined features, of which there is one kind."""
        return self.measure(observation)[1]

    @property
    def parts(self) -> dict[str, Any]:
        """Columns of the features that evaluations tell apart."""
        return {"low": np.s_[-WIDTH:], "high": np.s_[: self.high_width], "combined": np.s_[:]}


def open_published(options: argparse.Namespace, device: str, low: str | None = None) -> Published:
    """The encoders that the options name; `low` is the file of the low-level one. Raises CheckpointError or UsageError."""
    path = low or options.checkpoint or str(checkpoints.shipped_path("grepq"))
    clip = ClipEncoder.load(options.clip_weights, device, model=options.clip_model)
    return Published(
        clip, load_low(path, device), f"{clip.fingerprint()}-{checkpoints.fingerprint(path)}", options.max_side
    )

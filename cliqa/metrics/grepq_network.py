"""The part of `grepq` that runs the encoders: of a picture, and of its patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.encoder_heads import LowHead, balance
from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.metrics.shared_encoder import PictureMemory, load_branch, rated_encoder

WINDOW, STRIDE = 96, 48  # patches of the low-level score, in pixels


class GrepqNetwork:
    """The encoders, built of the tensors that `GRepQ` names.

    Attributes:
        encoder: the one that `aesthetic` shares.
        prototypes: the "good" and the "bad" one, (2,) each.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], device: str = "cpu") -> None:
        """Raises KeyError or RuntimeError where the tensors don't fit."""
        self.encoder = rated_encoder(tensors, device)
        self._free = load_branch(tensors, "free.", device)
        self._low = LowHead(tensors, "low.")
        self._memory = PictureMemory()
        good, bad = (tensors[f"high.{name}"].astype(np.float32) for name in ("good", "bad"))
        self.prototypes: tuple[NDArray[np.float32], NDArray[np.float32]] = good, bad
        self._high = {name: tensors[f"high.{name}"].astype(np.float32) for name in ("mean", "scale", "weight", "bias")}
        self._balance = balance()

    def embed(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of a picture (h, w, 3): standardised, balanced pooled features (POOLED_WIDTH,) and their embedding (2,)."""
        known = self._memory.of(picture)
        if "free" not in known:
            known["free"] = self._free(self.encoder.shared(picture))
        pooled = self._standardised(known["free"])
        return pooled, self._high["weight"] @ pooled + self._high["bias"]

    def early(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The first of these features, (EARLY_WIDTH,), at half the cost where the others are not asked for before."""
        known = self._memory.of(picture)
        if "free" in known:
            return self._standardised(known["free"][:EARLY_WIDTH])
        return self._standardised(self._free.early(self.encoder.shared(picture)))

    def _standardised(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        mean, scale, gains = (x[: len(pooled)] for x in (self._high["mean"], self._high["scale"], self._balance))
        return np.asarray(((pooled - mean) / scale).clip(-6.0, 6.0) * gains)

    def patches(self, detail: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Low-level embeddings of the patches of a picture (h, w, 3), (n, 128)."""
        known = self._memory.of(detail)
        return self._low(known["windows"] if "windows" in known else self.encoder.trunk.windows(detail, WINDOW, STRIDE))

    def foresee(self, pictures: Sequence[NDArray[np.uint8]], details: Sequence[NDArray[np.uint8]]) -> None:
        """Run the encoders for pictures that are asked for next: those of one shape at once."""
        self.encoder.foresee(pictures)
        for group in self._memory.unknown(pictures, "free"):
            for picture, pooled in zip(
                group, self._free.batch([self.encoder.shared(each) for each in group]), strict=True
            ):
                self._memory.of(picture)["free"] = pooled
        for group in self._memory.unknown(details, "windows"):
            for detail, windows in zip(group, self.encoder.trunk.windows_batch(group, WINDOW, STRIDE), strict=True):
                self._memory.of(detail)["windows"] = windows

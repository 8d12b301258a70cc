"""The part of `grepq` that runs in torch: the encoders of a picture and of its patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cliqa.metrics.encoder import Branch, LowHead, balance, load_module, pool, standardise, window_features
from cliqa.metrics.shared_encoder import rated_encoder

WINDOW, STRIDE = 96, 48  # patches of the low-level score, in pixels


class GrepqNetwork:
    """The encoders, built of the tensors that `GRepQ` names.

    Attributes:
        encoder: the one that `aesthetic` shares.
        prototypes: the "good" and the "bad" one, (2,) each.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], device: str = "cpu") -> None:
        """Raises KeyError or RuntimeError where the tensors don't fit."""
        self.device = device
        self.encoder = rated_encoder(tensors, device)
        self._free = load_module(Branch(), tensors, "free.").to(device)
        self._low = load_module(LowHead(), tensors, "low.").to(device)
        good, bad = (tensors[f"high.{name}"].astype(np.float32) for name in ("good", "bad"))
        self.prototypes: tuple[NDArray[np.float32], NDArray[np.float32]] = good, bad
        names = ("mean", "scale", "weight", "bias")
        high = {name: torch.from_numpy(tensors[f"high.{name}"].astype(np.float32)) for name in names}
        self._high = {name: tensor.to(device) for name, tensor in (high | {"balance": balance()}).items()}

    def embed(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of a picture (h, w, 3): standardised, balanced pooled features (POOLED_WIDTH,) and their embedding (2,)."""
        with torch.inference_mode():
            shared = self.encoder.shared(picture)
            pooled = (pool(shared + self._free(shared[-1])) - self._high["mean"]) / self._high["scale"]
            pooled = pooled.clamp(-6.0, 6.0) * self._high["balance"]
            embedding: Tensor = pooled @ self._high["weight"].T + self._high["bias"]
        return pooled[0].cpu().numpy(), embedding[0].cpu().numpy()

    def patches(self, detail: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Low-level embeddings of the patches of a picture (h, w, 3), (n, 128)."""
        with torch.inference_mode():
            shared = self.encoder.trunk(standardise(torch.from_numpy(np.array(detail)[None]).to(self.device)))
            found: NDArray[np.float32] = self._low(window_features(shared, WINDOW, STRIDE))[0].cpu().numpy()
        return found

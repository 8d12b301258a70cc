"""Small networks at random, and pictures, for the tests of `grepq` and `aesthetic`."""

from __future__ import annotations

import numpy as np
import torch

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View
from cliqa.metrics.encoder import POOLED_WIDTH, Branch, LowHead, RatedHead, Trunk
from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.signal.quality.trace_statistics import WIDTH


def small_tensors() -> dict[str, np.ndarray]:
    """The tensors of `grepq` and `aesthetic` together, at random."""
    torch.manual_seed(0)
    modules = {
        "trunk.": Trunk(),
        "free.": Branch(),
        "low.": LowHead(),
        "rated.branch.": Branch(),
        "rated.head.": RatedHead(),
    }
    found = {p + n: v.detach().numpy().copy() for p, m in modules.items() for n, v in m.state_dict().items()}
    rng = np.random.default_rng(0)
    return found | {
        "high.mean": np.zeros(POOLED_WIDTH), "high.scale": np.ones(POOLED_WIDTH),
        "high.weight": np.stack([rng.normal(size=POOLED_WIDTH), np.zeros(POOLED_WIDTH)]), "high.bias": np.array([0.0, 12.0]),
        "high.good": np.array([1.0, 0.0]), "high.bad": np.array([-1.0, 0.0]),
        "damage.weight": rng.normal(size=(5, POOLED_WIDTH)), "damage.bias": np.zeros(5),
        "statistics.mean": np.zeros(15), "statistics.scale": np.full(15, 50.0),
        "pristine.mean": np.zeros(128), "pristine.covariance": np.eye(128), "blend": np.array([60.0, 1.0, 0, 0, 0, 0, 0, 4.0]),
        "traces.mean": np.zeros(WIDTH), "traces.scale": np.ones(WIDTH), "traces.weight.0": np.zeros((2, WIDTH)),
        "traces.bias.0": np.array([0.5, 0.1]), "blend.traces": np.array([1.0, 0.0]),
        "blend.free": np.zeros(EARLY_WIDTH), "blend.pixels.mean": np.zeros(WIDTH), "blend.pixels.scale": np.ones(WIDTH),
        "blend.pixels.weight.0": np.zeros((1, WIDTH)), "blend.pixels.bias.0": np.zeros(1),
        "quality.free": np.zeros(EARLY_WIDTH), "quality.pixels.mean": np.zeros(WIDTH), "quality.pixels.scale": np.ones(WIDTH),
        "quality.pixels.weight.0": np.zeros((1, WIDTH)), "quality.pixels.bias.0": np.zeros(1), "quality.traces": np.zeros(2),
        "quality.weight": np.array([1.0, 0, 0, 0, 0]), "quality.bias": np.array([0.5]),
        "calibration.weight": np.zeros((3, 5)), "calibration.bias": np.array([0.0, 1.0, 0.0]), "decision": np.zeros(3),
    }  # fmt: skip


def view(height: int = 96, width: int = 128, seed: int = 0) -> View:
    """A picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return View(LoadedImage.from_array(pixels))

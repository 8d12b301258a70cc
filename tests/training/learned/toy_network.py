"""A network that repeats pixels, for tests of what surrounds upscalers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Repeated(nn.Module):
    """Repeats pixels; `trimmed` takes borders off the result, as networks without padding do."""

    def __init__(self, scale: int, trimmed: int = 0) -> None:
        super().__init__()
        self.scale, self.trimmed = scale, trimmed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.interpolate(x, scale_factor=float(self.scale))
        return y[:, :, self.trimmed : y.shape[2] - self.trimmed, self.trimmed : y.shape[3] - self.trimmed]

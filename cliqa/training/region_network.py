"""The torch twin of `cliqa.signal.networks.regions.RegionNetwork`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.signal.networks.dense import CLIP

CHANNELS = 96  # of what is seen in a region
HEADS = 6
VALUES = 24  # numbers that a head gathers


class TorchRegions(nn.Module):
    """(statistics, rows of regions) -> answers. The standardisation is taken from examples of both."""

    mean: Tensor
    scale: Tensor
    row_mean: Tensor
    row_scale: Tensor

    def __init__(
        self, statistics: Tensor, rows: Tensor, hidden: Sequence[int], outputs: int, dropout: float = 0.0
    ) -> None:
        """`statistics` float (examples, statistics); `rows` float (regions of many examples, facts)."""
        super().__init__()
        self.register_buffer("mean", statistics.mean(0))
        self.register_buffer("scale", statistics.std(0).clamp_min(1e-3))
        self.register_buffer("row_mean", rows.mean(0))
        self.register_buffer("row_scale", rows.std(0).clamp_min(1e-2))
        self.rows = nn.Sequential(
            nn.Linear(rows.shape[1], CHANNELS), nn.ReLU(), nn.Linear(CHANNELS, CHANNELS), nn.ReLU()
        )
        self.attention = nn.Linear(CHANNELS, HEADS)
        self.values = nn.Linear(CHANNELS, HEADS * VALUES)
        widths = [statistics.shape[1] + HEADS * VALUES + CHANNELS, *hidden]
        layers: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.head = nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

    def forward(self, statistics: Tensor, rows: Tensor, noise: float = 0.0) -> Tensor:
        """(batch, statistics), (batch, regions, facts) -> (batch, outputs). `noise`: deviation added to the statistics in training."""
        whole = ((statistics - self.mean) / self.scale).clamp(-CLIP, CLIP)
        if self.training and noise > 0:
            whole = whole + noise * torch.randn_like(whole)
        seen = self.seen(rows)
        weights = torch.softmax(self.attention(seen), 1)
        gathered = weights.transpose(1, 2) @ seen  # (batch, heads, channels); a head's weights sum to 1
        values = self.values.weight.unflatten(0, (HEADS, VALUES))
        found = torch.einsum("bhc,hvc->bhv", gathered, values).flatten(1) + self.values.bias
        answers: Tensor = self.head(torch.cat([whole, found, seen.mean(1)], 1))
        return answers

    def seen(self, rows: Tensor) -> Tensor:
        """What is seen in each region: (batch, regions, facts) -> (batch, regions, CHANNELS)."""
        found: Tensor = self.rows(((rows - self.row_mean) / self.row_scale).clamp(-CLIP, CLIP))
        return found

    def tensors(self, prefix: str = "net.") -> dict[str, NDArray[Any]]:
        """Weights under the names that `RegionNetwork` reads."""
        found = {"head.mean": self.mean, "head.scale": self.scale}
        found |= {"rows.mean": self.row_mean, "rows.scale": self.row_scale}
        for name, layers in (("rows", self.rows), ("head", self.head)):
            linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
            for index, linear in enumerate(linears):
                found |= {f"{name}.weight.{index}": linear.weight, f"{name}.bias.{index}": linear.bias}
        for name, linear in (("attention", self.attention), ("values", self.values)):
            found |= {f"{name}.weight": linear.weight, f"{name}.bias": linear.bias}
        return {f"{prefix}{name}": np.array(value.detach().numpy()) for name, value in found.items()}

    @classmethod
    def widened(
        cls, tensors: Mapping[str, NDArray[Any]], prefix: str, statistics: Tensor, outputs: int, dropout: float = 0.0
    ) -> TorchRegions:
        """A network that says what stored weights say, with more statistics (new ones at the end) and more outputs, which begin at 0.

        Args:
            tensors: as `RegionNetwork` reads them.
            statistics: float (examples, statistics): new ones are standardised by these.
        """
        stored = {
            name: torch.from_numpy(np.array(tensors[f"{prefix}{name}"], np.float32)) for name in _names(tensors, prefix)
        }
        count = len([name for name in stored if name.startswith("head.weight.")])
        hidden = [len(stored[f"head.bias.{index}"]) for index in range(count - 1)]
        rows = torch.zeros(2, len(stored["rows.mean"]))
        net = cls(statistics, rows, hidden, outputs, dropout)
        old = len(stored["head.mean"])
        with torch.no_grad():
            net.mean[:old], net.scale[:old] = stored["head.mean"], stored["head.scale"]
            net.row_mean[:], net.row_scale[:] = stored["rows.mean"], stored["rows.scale"]
            for name, layers in (("rows", net.rows), ("head", net.head)):
                linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
                for index, linear in enumerate(linears):
                    weight, bias = stored[f"{name}.weight.{index}"], stored[f"{name}.bias.{index}"]
                    if name == "head" and index == 0:
                        new = torch.zeros(len(weight), statistics.shape[1] - old)
                        weight = torch.cat([weight[:, :old], new, weight[:, old:]], 1)
                    linear.weight[: len(weight)], linear.bias[: len(bias)] = weight, bias
                    linear.weight[len(weight) :], linear.bias[len(bias) :] = 0, 0
            for name, linear in (("attention", net.attention), ("values", net.values)):
                linear.weight[:], linear.bias[:] = stored[f"{name}.weight"], stored[f"{name}.bias"]
        return net


def _names(tensors: Mapping[str, NDArray[Any]], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in tensors if name.startswith(prefix)]

"""Train the network of `cliqa.signal.resampling.factor_network` in torch: AdamW, one cycle, averaged weights, resumable.

The loss is the cross-entropy with a narrow peak at the true factor, plus the mean absolute error of the expectation; both are
counted per axis. Writes `curve.csv` and `state.pt` into the work folder after every epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import conv1d

from cliqa.signal.resampling.factor_network import (
    MAPS,
    NEAR_ONE,
    NUMBERS,
    SHARED,
    axis_numbers,
    factor_maps,
    median_factor,
)
from cliqa.signal.resampling.spectra import BINS, FACTORS, Evidence
from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.examples import Example


@dataclass(frozen=True)
class FactorFitSettings(FitSettings):
    """Settings of one fit."""

    width: int = 32  # channels of both convolutions
    taps: int = 5
    context: tuple[int, int] = (128, 64)
    epochs: int = 24
    batch: int = 128
    rate: float = 3e-3
    dropout: float = 0.15  # of the context
    map_noise: float = 0.05
    spread: float = 0.004  # deviation of the target's peak, in factors
    error_weight: float = 4.0
    average: float = 0.998


class TorchFactorNetwork(nn.Module):
    """The torch twin of `FactorNetwork`: joined maps and numbers -> logits over `FACTORS`."""

    maps_mean: Tensor
    maps_scale: Tensor
    numbers_mean: Tensor
    numbers_scale: Tensor

    def __init__(self, settings: FactorFitSettings) -> None:
        super().__init__()
        width, (first, second) = settings.width, settings.context
        for name, size in (("maps", MAPS + SHARED), ("numbers", 2 * NUMBERS)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))
        self.context = nn.ModuleList([nn.Linear(2 * NUMBERS, first), nn.Linear(first, second)])
        inputs = (MAPS + SHARED, width)
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(width, size, settings.taps) * (2 / (size * settings.taps)) ** 0.5)
            for size in inputs
        )
        self.places = nn.ParameterList(nn.Parameter(torch.zeros(width, BINS)) for _ in inputs)
        self.mixed = nn.ModuleList(nn.Linear(second, width, bias=False) for _ in inputs)
        self.head = nn.Parameter(torch.randn(width) * width**-0.5)
        self.head_place = nn.Parameter(torch.zeros(BINS))
        self.head_context = nn.Linear(second, BINS, bias=False)
        nn.init.zeros_(self.head_context.weight)
        self.dropout = nn.Dropout(settings.dropout)
        self.map_noise = settings.map_noise

    def forward(self, maps: Tensor, numbers: Tensor) -> Tensor:
        """(n, MAPS + SHARED, BINS), (n, 2 * NUMBERS) -> (n, BINS)."""
        context = ((numbers - self.numbers_mean) / self.numbers_scale).clamp(-8, 8)
        x = ((maps - self.maps_mean[:, None]) / self.maps_scale[:, None]).clamp(-8, 8)
        if self.training and self.map_noise:
            x = x.add(torch.randn_like(x), alpha=self.map_noise)
            context = context.add(torch.randn_like(context), alpha=self.map_noise)
        for linear in self.context:
            context = self.dropout(torch.relu(linear(context)))
        for weight, place, mixed in zip(self.weights, self.places, self.mixed, strict=True):
            x = conv1d(x, weight, padding=weight.shape[2] // 2) + place + mixed(context)[:, :, None]
            x = torch.relu(x)
        return torch.einsum("ncb,c->nb", x, self.head) + self.head_place + self.head_context(context)  # type: ignore[no-any-return]

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Weights under the names that `FactorNetwork` reads, float16 except the statistics."""
        found: dict[str, Any] = {
            "maps.mean": self.maps_mean, "maps.scale": self.maps_scale,
            "numbers.mean": self.numbers_mean, "numbers.scale": self.numbers_scale,
            "head.weight": self.head, "head.place": self.head_place, "head.context": self.head_context.weight,
        }  # fmt: skip
        for index in range(2):
            found[f"context.weight.{index}"] = self.context[index].weight
            found[f"context.bias.{index}"] = self.context[index].bias
            found[f"conv.{index}.weight"] = self.weights[index]
            found[f"conv.{index}.place"] = self.places[index]
            found[f"conv.{index}.context"] = self.mixed[index].weight
        return {name: value.detach().float().numpy().copy() for name, value in found.items()}


def prepared(examples: Example) -> tuple[Tensor, Tensor, Tensor]:
    """Stacked observations -> maps float16 (n, 2, MAPS, BINS), numbers float32 (n, 2, NUMBERS), factors (n, 2)."""
    count = len(examples["factors"])
    maps = np.empty((count, 2, MAPS, BINS), np.float16)
    numbers = np.empty((count, 2, NUMBERS), np.float32)
    for index in range(count):
        for axis in range(2):
            evidence = Evidence(*(examples[field.name][index, axis] for field in fields(Evidence)))
            maps[index, axis] = factor_maps(evidence)
            numbers[index, axis] = axis_numbers(evidence)
    return torch.from_numpy(maps), torch.from_numpy(numbers), torch.from_numpy(examples["factors"])


def _joined(maps: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """As `both_axes`, for a batch of images: (n, 2, ...) -> (2 n, ...)."""
    maps = torch.cat([maps, maps.flip(1)[:, :, :SHARED]], dim=2).flatten(0, 1).float()
    return maps, torch.cat([numbers, numbers.flip(1)], dim=2).flatten(0, 1)


def peaks(factors: Tensor, spread: float) -> Tensor:
    """(n,) factors -> (n, BINS) target distributions: normal in the factor, weighted by the bins' widths."""
    grid = torch.from_numpy(FACTORS).float()
    deviation = spread + 0.5 * (grid[1:] - grid[:-1]).mean() * grid.square()
    weight = torch.exp(-0.5 * ((grid[None] - factors[:, None]) / deviation[None]) ** 2)
    return weight / weight.sum(1, keepdim=True)


def predicted(net: TorchFactorNetwork, maps: Tensor, numbers: Tensor) -> NDArray[np.float32]:
    """Probabilities (n, 2, BINS) for images (n, 2, ...)."""
    net.eval()
    with torch.no_grad():
        parts = [
            net(*_joined(a, b)).softmax(1).reshape(-1, 2, BINS)
            for a, b in zip(maps.split(256), numbers.split(256), strict=True)
        ]
    result: NDArray[np.float32] = torch.cat(parts).numpy()
    return result


def fit_factors(train: Example, val: Example, work: Path, settings: FactorFitSettings) -> TorchFactorNetwork:
    """Fit on `train`, log on `val`; returns the network with the averaged weights."""
    torch.manual_seed(settings.seed)
    maps, numbers, factors = prepared(train)
    val_maps, val_numbers, val_factors = prepared(val)
    net = TorchFactorNetwork(settings)
    sample = _joined(maps[:2048], numbers[:2048])
    with torch.no_grad():
        net.maps_mean.copy_(sample[0].mean((0, 2)))
        net.maps_scale.copy_(sample[0].std((0, 2)).clamp_min(1e-3))
        net.numbers_mean.copy_(sample[1].mean(0))
        net.numbers_scale.copy_(sample[1].std(0).clamp_min(1e-3))
    fit = AveragedFit(net, len(maps), settings, work, clip=2.0)
    grid = torch.from_numpy(FACTORS).float()
    for epoch, batches in fit.epochs():
        total = 0.0
        for batch in batches:
            target = factors[batch].flatten()
            logits = net(*_joined(maps[batch], numbers[batch]))
            entropy = -(peaks(target, settings.spread) * logits.log_softmax(1)).sum(1).mean()
            error = (logits.softmax(1) @ grid - target).abs().mean()
            total += fit.step(entropy + settings.error_weight * error) * len(batch)
        held = median_factor(predicted(fit.averaged, val_maps, val_numbers).reshape(-1, BINS)).reshape(-1, 2)
        truth = val_factors.numpy()
        errors = np.abs(held - truth)
        kept = truth.max(1) <= 1.0
        above = (held[kept].max(1) > NEAR_ONE).sum() / max(1, kept.sum())
        enlarged = errors[~kept].sum() / max(1, errors[~kept].size)
        fit.log(
            {
                "epoch": epoch,
                "train_loss": total / len(maps),
                "val_mae_enlarged": enlarged,
                "val_share_of_others_above_1.05": above,
            }
        )
    return fit.averaged.eval()

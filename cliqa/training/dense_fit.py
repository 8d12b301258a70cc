"""Train the dense network of `cliqa.signal.networks.dense` in torch: AdamW, cosine schedule, averaged weights, resumable.

Writes `curve.csv` (epoch, train loss, validation loss) and `state.pt` into the work folder after every epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.training.averaged_fit import AveragedFit, FitSettings

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class DenseFit(FitSettings):
    """Settings of one fit."""

    hidden: tuple[int, ...] = (256, 256)
    decay: float = 1e-3


class TorchDense(nn.Module):
    """The torch twin of `cliqa.signal.networks.dense.Dense`."""

    def __init__(self, mean: Tensor, scale: Tensor, hidden: Sequence[int], outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        widths = [int(mean.shape[0]), *hidden, outputs]
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, noise: float = 0.0) -> Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        x = ((x - self.mean) / self.scale).clamp(-8.0, 8.0)
        if noise > 0 and self.training:
            x = x + noise * torch.randn_like(x)
        for index, linear in enumerate(self.linears):
            x = linear(x)
            if index < len(self.linears) - 1:
                x = self.dropout(torch.relu(x))
        return x

    def tensors(self, prefix: str = "net.") -> dict[str, NDArray[Any]]:
        """Weights under the names that `Dense` reads."""
        found = {f"{prefix}mean": self.mean.numpy(), f"{prefix}scale": self.scale.numpy()}
        for index, linear in enumerate(self.linears):
            found[f"{prefix}weight.{index}"] = linear.weight.detach().numpy().copy()  # type: ignore[operator]
            found[f"{prefix}bias.{index}"] = linear.bias.detach().numpy().copy()  # type: ignore[operator]
        return found


def fit_dense(
    train: tuple[NDArray[Any], NDArray[Any]],
    val: tuple[NDArray[Any], NDArray[Any]],
    loss: Loss,
    outputs: int,
    work: Path,
    settings: DenseFit,
) -> TorchDense:
    """Fit and return the network with the averaged weights.

    Args:
        train, val: inputs float (n, inputs) and targets (n, ...), as the loss takes them.
        loss: (predictions, targets) -> scalar.
        work: folder for `state.pt` (resumed from when it exists) and `curve.csv`.
    """
    torch.manual_seed(settings.seed)
    x, y = torch.from_numpy(train[0].astype(np.float32)), torch.from_numpy(np.asarray(train[1]))
    x_val, y_val = torch.from_numpy(val[0].astype(np.float32)), torch.from_numpy(np.asarray(val[1]))
    net = TorchDense(x.mean(0), x.std(0).clamp_min(1e-4), settings.hidden, outputs, settings.dropout)
    fit = AveragedFit(net, len(x), settings, work)
    for epoch, batches in fit.epochs():
        total = sum(fit.step(loss(net(x[batch], settings.input_noise), y[batch])) * len(batch) for batch in batches)
        with torch.no_grad():
            held_out = float(loss(fit.averaged.eval()(x_val), y_val))
        fit.log({"epoch": epoch, "train_loss": total / len(x), "val_loss": held_out})
    return fit.averaged.eval()

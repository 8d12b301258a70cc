"""Fit of the networks of `grain_noise` in torch: a dense network that answers with a histogram of levels, on examples of any contrast.

A picture of other contrast is another example whose PSNR is known, and the logarithms of its energies rise by as much: so the
contrast of the noisy examples is changed at every step, which is worth many more pictures.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cliqa.training.averaged_fit import AveragedFit
from cliqa.training.dense_fit import TorchDense


@dataclass(frozen=True)
class NoiseFit:
    """Settings of one fit."""

    hidden: tuple[int, ...] = (256, 128)
    epochs: int = 9
    batch: int = 128
    rate: float = 2e-3
    decay: float = 1e-2
    dropout: float = 0.1
    input_noise: float = 0.05  # deviation added to standardised inputs
    gain: float = 3.0  # dB, the most that the contrast of a noisy picture is changed
    average: float = 0.995  # decay of the running average of the weights, per step
    softness: float = 0.7  # deviation of the target histogram, in levels
    seed: int = 0


@dataclass(frozen=True)
class NoiseExamples:
    """Pictures, each seen `versions` times.

    Attributes:
        statistics: float32 (pictures, versions, statistics).
        target: float32 (pictures,): the level, dB.
        weight: float32 (pictures,): how much each counts in the loss.
        noisy: bool (pictures,): whether the target depends on the contrast.
    """

    statistics: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]
    noisy: NDArray[np.bool_]

    def flat(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(statistics, target, weight, noisy as 0 or 1), the versions of a picture one after the other."""
        versions = self.statistics.shape[1]
        rest = (self.target, self.weight, self.noisy.astype(np.float32))
        repeated = [torch.from_numpy(np.repeat(values, versions)) for values in rest]
        return torch.from_numpy(self.statistics.reshape(-1, self.statistics.shape[2])), *repeated  # type: ignore[return-value]


def histogram(target: Tensor, levels: Tensor, softness: float) -> Tensor:
    """(batch,) -> (batch, levels): a normal bell of deviation `softness` around the target, summing to 1."""
    inside = target.clamp(float(levels[0]), float(levels[-1]))
    weights = torch.exp(-0.5 * ((levels[None] - inside[:, None]) / softness) ** 2)
    return weights / weights.sum(1, keepdim=True)


def fit_noise(
    train: NoiseExamples,
    val: NoiseExamples,
    levels: NDArray[np.float32],
    slopes: NDArray[np.float32],
    work: Path,
    settings: NoiseFit,
) -> TorchDense:
    """Fit and return the network with the averaged weights.

    Args:
        levels: centres of the bins, evenly spaced, dB.
        slopes: float32 (statistics,): how much each rises when all energies rise by a factor e.
        work: folder for `state.pt` (resumed from when it exists) and `curve.csv` (cross entropy of training, mean absolute error of
            the histogram's mean on `val`, dB).
    """
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    centres = torch.from_numpy(levels)
    x, target, weight, noisy = train.flat()
    rise = torch.from_numpy(slopes * np.float32(np.log(10) / 10))  # per dB
    mean, scale = x[::2].mean(0), x[::2].std(0).clamp_min(1e-3)
    net = TorchDense(mean, scale, settings.hidden, len(levels), settings.dropout)
    fit = AveragedFit(net, len(x), settings, work, warm_up=0.15)
    for epoch, batches in fit.epochs():
        total = 0.0
        for chosen in batches:
            gain = settings.gain * (2 * torch.rand(len(chosen), generator=fit.draw) - 1) * noisy[chosen]
            logits = net(x[chosen] + gain[:, None] * rise, settings.input_noise)
            wanted = histogram(target[chosen] - gain, centres, settings.softness)
            loss = (-(wanted * torch.log_softmax(logits, 1)).sum(1) * weight[chosen]).mean()
            total += fit.step(loss) * len(chosen)
        with torch.no_grad():
            seen, truth, *_ = val.flat()
            answer = (torch.softmax(fit.averaged.eval()(seen), 1) * centres).sum(1)
            error = float((answer - truth).abs().mean())
        _log(work / "curve.csv", epoch, total / len(x), error)
    return fit.averaged.eval()


def _log(path: Path, epoch: int, train_loss: float, val_error: float) -> None:
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as stream:
        writer: Any = csv.writer(stream)
        if new:
            writer.writerow(["epoch", "train_loss", "val_error"])
        writer.writerow([epoch, f"{train_loss:.6f}", f"{val_error:.6f}"])

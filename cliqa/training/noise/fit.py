"""Fit of the networks of `grain_noise` in torch, which answer with histograms of levels, on examples of any contrast.

A picture of other contrast is another example whose PSNR is known, and the logarithms of its energies rise by as much: so the
contrast of the noisy examples is changed at every step, which is worth many more pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.region_network import TorchRegions

STANDARDISED_BY = 37  # every 37th example's regions tell their mean and deviation


@dataclass(frozen=True)
class NoiseFit(FitSettings):
    """Settings of one fit."""

    hidden: tuple[int, ...] = (384, 192)
    epochs: int = 28
    batch: int = 128
    dropout: float = 0.1
    input_noise: float = 0.05
    gain: float = 3.0  # dB, the most that the contrast of a noisy picture is changed
    softness: float = 0.7  # deviation of the target histogram, in levels
    shares: tuple[float, ...] = (1.0, 0.5)  # of each answer in the loss
    known_share: float = 0.3  # of the answer whether the example is of a known kind
    regions: int = 64  # of each example, drawn at every step


@dataclass(frozen=True)
class NoiseExamples:
    """Pictures, each seen in several versions.

    Attributes:
        statistics: float32 (pictures, versions, statistics).
        regions: float16 (pictures, versions, regions, facts).
        target: float32 (pictures, answers): the levels asked for, dB; the highest of them is no noise whatever the contrast.
        weight: float32 (pictures,) or (pictures, versions): how much each counts in the loss.
        noisy: bool (pictures,): whether the target depends on the contrast.
        known: float32 (pictures, versions): 1 where an earlier fit knew that kind of picture, which the last output then tells.
    """

    statistics: NDArray[np.float32]
    regions: NDArray[np.float16]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]
    noisy: NDArray[np.bool_]
    known: NDArray[np.float32] | None = None

    def flat(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(statistics, regions, target, weight, noisy as 0 or 1), the versions of a picture one after the other."""
        seen = (torch.from_numpy(values.reshape(-1, *values.shape[2:])) for values in (self.statistics, self.regions))
        versions = self.statistics.shape[1]
        target = np.repeat(self.target, versions, axis=0)
        weight = np.repeat(self.weight, versions) if self.weight.ndim == 1 else self.weight.ravel()
        rest = (target, weight, np.repeat(self.noisy.astype(np.float32), versions))
        return *seen, *(torch.from_numpy(values) for values in rest)  # type: ignore[return-value]


def histogram(target: Tensor, levels: Tensor, softness: float) -> Tensor:
    """(batch,) -> (batch, levels): a normal bell of deviation `softness` around the target, summing to 1."""
    inside = target.clamp(float(levels[0]), float(levels[-1]))
    weights = torch.exp(-0.5 * ((levels[None] - inside[:, None]) / softness) ** 2)
    return weights / weights.sum(1, keepdim=True)


def fit_noise(
    train: NoiseExamples,
    val: NoiseExamples,
    levels: NDArray[np.float32],
    slopes: tuple[NDArray[np.float32], NDArray[np.float32]],
    work: Path,
    settings: NoiseFit,
    start: TorchRegions | None = None,
) -> TorchRegions:
    """Fit and return the network with the averaged weights.

    Args:
        start: the network to begin with, which is left as it is; a new one where there is none.
        levels: centres of the bins, evenly spaced, dB.
        slopes: float32 (statistics,) and (facts,): how much each rises when all energies rise by a factor e.
        work: folder for `state.pt` (resumed from when it exists) and `curve.csv` (cross entropy of training, mean absolute error of
            the histogram's mean on `val`, dB).
    """
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    centres = torch.from_numpy(levels)
    statistics, regions, target, weight, noisy = train.flat()
    rise, row_rise = (torch.from_numpy(each * np.float32(np.log(10) / 10)) for each in slopes)  # per dB
    rows = regions[::STANDARDISED_BY].float().flatten(0, 1)
    answers = target.shape[1]
    known = None if train.known is None else torch.from_numpy(train.known.ravel())
    outputs = answers * len(levels) + (known is not None)
    net = TorchRegions(statistics[::2], rows, settings.hidden, outputs, settings.dropout)
    if start is not None:
        net.load_state_dict(start.state_dict())
    shares = torch.tensor(settings.shares[:answers])
    fit = AveragedFit(net, len(target), settings, work, warm_up=0.15)
    for epoch, batches in fit.epochs():
        total = 0.0
        for chosen in batches:
            gain = settings.gain * (2 * torch.rand(len(chosen), generator=fit.draw) - 1) * noisy[chosen]
            drawn = torch.randperm(regions.shape[1], generator=fit.draw)[: settings.regions]
            shown = regions[chosen][:, drawn].float() + gain[:, None, None] * row_rise
            logits = net(statistics[chosen] + gain[:, None] * rise, shown, settings.input_noise)
            level = target[chosen] - gain[:, None] * (target[chosen] < centres[-1])
            wanted = histogram(level.flatten(), centres, settings.softness)
            said = torch.log_softmax(logits[:, : answers * len(levels)].reshape(len(wanted), -1), 1)
            entropy = -(wanted * said).sum(1).view(-1, answers)
            loss = (entropy @ shares * weight[chosen]).mean()
            if known is not None:
                told = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, -1], known[chosen])
                loss = loss + settings.known_share * told
            total += fit.step(loss) * len(chosen)
        error = _error(fit.averaged.eval(), val, centres)
        fit.log({"epoch": epoch, "train_loss": total / len(target), "val_error": error})
    return fit.averaged.eval()


@torch.no_grad()
def _error(net: TorchRegions, examples: NoiseExamples, levels: Tensor) -> float:
    """Mean absolute error of the histogram's mean of the first answer, dB."""
    statistics, regions, target, *_ = examples.flat()
    parts = zip(statistics.split(64), regions.split(64), strict=True)
    chances = torch.cat([torch.softmax(net(some, rows.float())[:, : len(levels)], 1) for some, rows in parts])
    return float(((chances * levels).sum(1) - target[:, 0]).abs().mean())

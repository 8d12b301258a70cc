"""The exposure CRF in torch: ordinal thresholds, the HEX graph's likelihood, focal weighting, and the fit of the light unary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.dense_fit import TorchDense

LossName = Literal["marginal", "focal"]


class OrdinalThresholds(nn.Module):
    """Scores (batch, labels) -> z (batch, labels, 3): e^scale (s - tau_k), the gaps between tau_k kept positive by softplus.

    `first` is where tau_1 begins and `gap` the distance of the next ones; both are learned from there, per label.
    """

    def __init__(self, labels: int = 6, first: float = 1.5, gap: float = 1.0, scale: float = 1.0) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.full((labels,), first))
        self.gaps = nn.Parameter(torch.full((labels, 2), float(np.log(np.expm1(gap)))))
        self.scale = nn.Parameter(torch.full((labels,), scale))

    def thresholds(self) -> Tensor:
        """tau, (labels, 3), strictly increasing."""
        steps = torch.cat([self.first[:, None], functional.softplus(self.gaps)], dim=1)
        return steps.cumsum(dim=1)

    def forward(self, scores: Tensor) -> Tensor:
        """z of every bit."""
        return self.scale.exp()[:, None] * (scores[..., None] - self.thresholds())


class HexLikelihood:
    """The graph's partial-label log likelihood as a differentiable function of z."""

    def __init__(self, graph: HexGraph) -> None:
        self.parts = [
            (torch.from_numpy(part.bits), torch.from_numpy(part.indicator).float(), torch.from_numpy(part.cells))
            for part in graph.components
        ]

    def __call__(self, z: Tensor, admissible: Tensor) -> Tensor:
        """z (batch, bits), admissible bool (batch, cells) -> log P(admissible), (batch, components), <= 0."""
        found = []
        for bits, indicator, cells in self.parts:
            scores = z[:, bits] @ indicator.T
            open_states = admissible[:, cells].all(dim=2)
            inside = scores.masked_fill(~open_states, -torch.inf).logsumexp(dim=1)
            found.append(inside - scores.logsumexp(dim=1))
        return torch.stack(found, dim=1)


def likelihood_loss(log_likelihood: Tensor, name: LossName, gamma: float = 2.0) -> Tensor:
    """Mean of -log P ("marginal"), or of -(1 - P)^gamma log P ("focal", which spends less on what is already sure)."""
    loss = -log_likelihood
    if name == "focal":
        loss = (1.0 - log_likelihood.exp()).clamp_min(1e-6) ** gamma * loss
    return loss.sum(dim=1).mean()


@dataclass(frozen=True)
class SeverityRange:
    """What is known of severities (see `exposure_faults.severity`), float (..., 6): equal ends where exact, 1 and 4.5 where unknown."""

    low: NDArray[np.floating[Any]]
    high: NDArray[np.floating[Any]]

    @classmethod
    def of(cls, severity: NDArray[Any], uncertainty: float = 0.0) -> SeverityRange:
        """Known to within `uncertainty` of a level; nan: not known. A picture without a fault (1 or less) is exactly that."""
        known, width = np.isfinite(severity), np.where(severity <= 1.0, 0.0, uncertainty)
        return cls(np.where(known, severity - width, 1.0), np.where(known, severity + width, 4.5))


def admissible_levels(known: SeverityRange, graph: HexGraph, margin: float) -> NDArray[np.bool_]:
    """Ranges (n, 6) -> admissible cells, bool (n, 24): the levels in the range, and the neighbour of an end within `margin` levels.

    Combinations that the graph forbids (a suppressed picture that was clipped afterwards, say) are left open.
    """
    levels = np.arange(1, 5)
    lowest = np.clip(np.rint(known.low - margin), 1, 4)[..., None]
    highest = np.clip(np.rint(known.high + margin), 1, 4)[..., None]
    cells: NDArray[np.bool_] = ((levels >= lowest) & (levels <= highest)).reshape(len(known.low), -1)
    zero = np.zeros((len(cells), graph.bit_offsets[-1]))
    for part in graph.components:
        columns = np.concatenate([np.arange(graph.cell_offsets[i], graph.cell_offsets[i + 1]) for i in part.labels])
        alone = np.ones_like(cells)
        alone[:, columns] = cells[:, columns]
        impossible = ~np.isfinite(graph.log_partition(zero, alone))
        cells[np.ix_(impossible, columns)] = True
    return cells


@dataclass(frozen=True)
class ExposureFit(FitSettings):
    """Settings of one fit of the light unary."""

    hidden: tuple[int, ...] = (256, 128)
    sweeps: int = 12  # exposure sweeps per step
    sweep_weight: float = 0.25  # of their labels: many views of few photographs
    rate: float = 1.5e-3
    decay: float = 2e-2
    dropout: float = 0.15
    input_noise: float = 0.1
    margin: float = 0.06
    regression: float = 0.5  # weight of "the score is the position on the scale"
    ranking: float = 8.0  # weight of "more exposure scores brighter"
    rank_slope: float = 0.6  # levels per EV that two exposures of a sweep are apart, at least
    loss: LossName = "marginal"
    average: float = 0.99


class LightUnary(nn.Module):
    """Tone statistics -> six scores -> z."""

    def __init__(self, mean: Tensor, scale: Tensor, settings: ExposureFit) -> None:
        super().__init__()
        self.dense = TorchDense(mean, scale, settings.hidden, 6, settings.dropout)
        self.ordinal = OrdinalThresholds()

    def tensors(self, index: int) -> dict[str, NDArray[Any]]:
        """Weights of this network under the names that the metric reads; dense weights in float16."""
        named = self.dense.tensors(f"net{index}.")
        return {
            name: value.astype(np.float32 if name.endswith(("mean", "scale")) else np.float16)
            for name, value in named.items()
        }


def regression_loss(scores: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Scores within the ranges of severity; where there may be no fault (1 or less), anything below level 1's upper half will do."""
    above = functional.relu(scores - torch.where(high <= 1.0, 1.2, high))
    below = functional.relu(torch.where(low <= 1.0, -torch.inf, low) - scores)
    return functional.smooth_l1_loss(above + below, torch.zeros_like(scores), beta=0.3)


def ranking_loss(scores: Tensor, ev: Tensor, slope: float) -> Tensor:
    """Scores (sweeps, exposures, 6) by exposure: too_dark must fall to 0 EV, too_bright rise from there, by `slope` levels per EV.

    Args:
        ev: (sweeps, exposures), rising, the middle one 0. Every pair on one side of it counts.
    """
    middle = scores.shape[1] // 2
    first, second = torch.triu_indices(middle + 1, middle + 1, offset=1)
    dark, light = scores[:, : middle + 1, 1], scores[:, middle:, 0]
    below, above = ev[:, : middle + 1], ev[:, middle:]
    short = [
        slope * (below[:, second] - below[:, first]) - (dark[:, first] - dark[:, second]),
        slope * (above[:, second] - above[:, first]) - (light[:, second] - light[:, first]),
    ]
    return functional.relu(torch.cat(short, dim=1)).mean()


@dataclass(frozen=True)
class Sweeps:
    """Exposure sweeps: tones (m, exposures, WIDTH), severities (m, exposures, 6), EV (m, exposures)."""

    tones: NDArray[Any]
    severity: NDArray[Any]
    ev: NDArray[Any]


def fit_light(
    tones: NDArray[Any], known: SeverityRange, sweeps: Sweeps, graph: HexGraph, settings: ExposureFit, work: Path
) -> LightUnary:
    """Fit on pictures (n, WIDTH) with what is known of their severities (n, 6), and on sweeps; resumable through `work/state.pt`."""
    torch.manual_seed(settings.seed)
    exposures = sweeps.ev.shape[1]
    x, sweep_x = torch.from_numpy(tones.astype(np.float32)), torch.from_numpy(sweeps.tones.astype(np.float32))
    low, high, cells = _targets(known, graph, settings.margin)
    of_sweeps = [part.unflatten(0, (-1, exposures)) for part in
                 _targets(SeverityRange.of(sweeps.severity.reshape(-1, 6)), graph, settings.margin)]  # fmt: skip
    sweep_ev = torch.from_numpy(sweeps.ev.astype(np.float32))
    likelihood = HexLikelihood(graph)
    fit = AveragedFit(LightUnary(x.mean(0), x.std(0).clamp_min(1e-3), settings), len(x), settings, work)
    for epoch, batches in fit.epochs():
        generator = torch.Generator().manual_seed(settings.seed * 1000 + epoch + 500_000)
        for batch in batches:
            chosen = torch.randint(len(sweep_x), (settings.sweeps,), generator=generator)
            lows, highs, open_cells = (
                torch.cat([own[batch], other[chosen].flatten(0, 1)])
                for own, other in zip((low, high, cells), of_sweeps, strict=True)
            )
            scores = fit.net.dense(torch.cat([x[batch], sweep_x[chosen].flatten(0, 1)]), settings.input_noise)
            weight = torch.ones(len(scores), 1)
            weight[len(batch) :] = settings.sweep_weight
            log_likelihood = likelihood(fit.net.ordinal(scores).flatten(1), open_cells)
            ranked = scores[len(batch) :].unflatten(0, (-1, exposures))
            fit.step(
                likelihood_loss(log_likelihood * weight, settings.loss)
                + settings.regression * regression_loss(scores, lows, highs)
                + settings.ranking * ranking_loss(ranked, sweep_ev[chosen], settings.rank_slope)
            )
    return fit.averaged.eval()


def _targets(known: SeverityRange, graph: HexGraph, margin: float) -> tuple[Tensor, Tensor, Tensor]:
    """Low and high ends, float32 (n, 6), and admissible cells, bool (n, 24)."""
    cells = admissible_levels(known, graph, margin)
    return (
        torch.from_numpy(known.low.astype(np.float32)),
        torch.from_numpy(known.high.astype(np.float32)),
        torch.from_numpy(cells),
    )

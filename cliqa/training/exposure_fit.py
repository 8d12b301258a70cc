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

from cliqa.signal.hex_graph import HexGraph
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


def admissible_from_severity(severity: NDArray[Any], graph: HexGraph, margin: float) -> NDArray[np.bool_]:
    """Severities (n, 6), nan where unknown -> admissible cells (n, 24): the level, and its neighbour too near their boundary.

    Near is within `margin` levels.

    Combinations that the graph forbids (a suppressed picture that was clipped afterwards, say) are left open.
    """
    known = np.isfinite(severity)
    filled = np.where(known, severity, 1.0)
    levels = [
        np.where(known, np.clip(np.rint(filled + shift), 1, 4), 0).astype(int) for shift in (-margin, 0.0, margin)
    ]
    cells: NDArray[np.bool_] = graph.admissible(levels[0]) | graph.admissible(levels[1]) | graph.admissible(levels[2])
    zero = np.zeros((len(cells), graph.bit_offsets[-1]))
    for part in graph.components:
        columns = np.concatenate([np.arange(graph.cell_offsets[i], graph.cell_offsets[i + 1]) for i in part.labels])
        alone = np.ones_like(cells)
        alone[:, columns] = cells[:, columns]
        impossible = ~np.isfinite(graph.log_partition(zero, alone))
        cells[np.ix_(impossible, columns)] = True
    return cells


@dataclass(frozen=True)
class ExposureFit:
    """Settings of one fit of the light unary."""

    hidden: tuple[int, ...] = (256, 128)
    epochs: int = 40
    batch: int = 256
    sweeps: int = 8  # exposure sweeps per step
    rate: float = 1.5e-3
    decay: float = 2e-2
    dropout: float = 0.15
    input_noise: float = 0.1
    margin: float = 0.06
    regression: float = 0.5  # weight of "the score is the position on the scale"
    ranking: float = 1.0  # weight of "more exposure scores brighter"
    rank_gap: float = 0.08  # of a level between neighbours of a sweep
    loss: LossName = "marginal"
    average: float = 0.99
    seed: int = 0


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


def regression_loss(scores: Tensor, severity: Tensor) -> Tensor:
    """Scores near the severities (nan: unknown); where there is no fault, anything below level 1's upper half will do."""
    known = torch.isfinite(severity)
    error = functional.smooth_l1_loss(scores, torch.where(known, severity, 1.0), beta=0.3, reduction="none")
    absent = functional.relu(scores - 1.2)
    return (torch.where(severity <= 1.0, absent, error) * known).mean()


def ranking_loss(scores: Tensor, gap: float) -> Tensor:
    """Scores (sweeps, 17, 6) from dark to bright: too_dark must fall over the first half, too_bright rise over the second."""
    middle = scores.shape[1] // 2
    rises = torch.cat([scores[:, middle + 1 :, 0] - scores[:, middle:-1, 0],
                       scores[:, :middle, 1] - scores[:, 1 : middle + 1, 1]], dim=1)  # fmt: skip
    return functional.relu(gap - rises).mean()


def fit_light(
    tones: NDArray[Any],
    severity: NDArray[Any],
    sweeps: tuple[NDArray[Any], NDArray[Any]],
    graph: HexGraph,
    settings: ExposureFit,
    work: Path,
) -> LightUnary:
    """Fit on examples (n, WIDTH), (n, 6) and sweeps (m, 17, WIDTH), (m, 17, 6); resumable through `work/state.pt`."""
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    x, y = torch.from_numpy(tones.astype(np.float32)), torch.from_numpy(severity.astype(np.float32))
    cells = torch.from_numpy(admissible_from_severity(severity, graph, settings.margin))
    sweep_x, sweep_y = (torch.from_numpy(part.astype(np.float32)) for part in sweeps)
    flat = sweeps[1].reshape(-1, 6)
    sweep_cells = torch.from_numpy(admissible_from_severity(flat, graph, settings.margin)).reshape(
        *sweep_y.shape[:2], -1
    )
    likelihood = HexLikelihood(graph)
    net = LightUnary(x.mean(0), x.std(0).clamp_min(1e-3), settings)
    averaged = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.average)
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=settings.decay)
    steps = (len(x) + settings.batch - 1) // settings.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=settings.epochs * steps + 1)
    first, path = 0, work / "state.pt"
    if path.exists():
        state = torch.load(path, weights_only=True)
        for part, name in ((net, "net"), (averaged, "averaged"), (optimizer, "optimizer"), (schedule, "schedule")):
            part.load_state_dict(state[name])  # type: ignore[attr-defined]
        first = int(state["epoch"]) + 1
    for epoch in range(first, settings.epochs):
        generator = torch.Generator().manual_seed(settings.seed * 1000 + epoch)
        net.train()
        for batch in torch.randperm(len(x), generator=generator).split(settings.batch):
            chosen = torch.randint(len(sweep_x), (settings.sweeps,), generator=generator)
            count = settings.sweeps * sweep_x.shape[1]
            inputs = torch.cat([x[batch], sweep_x[chosen].flatten(0, 1)])
            scores = net.dense(inputs, settings.input_noise)
            open_cells = torch.cat([cells[batch], sweep_cells[chosen].flatten(0, 1)])
            log_likelihood = likelihood(net.ordinal(scores).flatten(1), open_cells)
            weight = torch.ones(len(inputs), 1)
            weight[-count:] = 0.25  # many views of few photographs
            loss = (
                likelihood_loss(log_likelihood * weight, settings.loss)
                + settings.regression * regression_loss(scores, torch.cat([y[batch], sweep_y[chosen].flatten(0, 1)]))
                + settings.ranking * ranking_loss(scores[-count:].reshape(settings.sweeps, -1, 6), settings.rank_gap)
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            averaged.update_parameters(net)
        state = {"net": net.state_dict(), "averaged": averaged.state_dict(), "optimizer": optimizer.state_dict(),
                 "schedule": schedule.state_dict(), "epoch": epoch}  # fmt: skip
        torch.save(state, work / "state.part")
        (work / "state.part").replace(path)
    result = averaged.module
    assert isinstance(result, LightUnary)
    return result.eval()

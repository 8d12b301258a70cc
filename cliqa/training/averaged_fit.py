"""What the fits of small networks share: AdamW, one cycle of the rate, averaged weights, and a state that resumes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class FitSettings:
    """What every fit's settings name; each recipe says the values that it chose."""

    epochs: int = 40
    batch: int = 256
    rate: float = 2e-3  # the highest of the cycle
    decay: float = 1e-2  # of the weights
    dropout: float = 0.0
    input_noise: float = 0.0  # deviation added to standardised inputs
    average: float = 0.995  # decay of the running average of the weights, per step
    seed: int = 0  # of the first weights and of the order of the examples


class AveragedFit(Generic[Net]):
    """A network under fit, and the running average of its weights.

    `net` is trained; `averaged` is the average (decay `settings.average` a step), which is what a fit returns. The state of both,
    of the optimizer and of the schedule goes to `work/state.pt` after every epoch, and a fit that finds one goes on from there.
    `draw` is the source of the epoch's random numbers, for what else is drawn in it.
    """

    def __init__(
        self, net: Net, examples: int, settings: FitSettings, work: Path, clip: float = 1.0, warm_up: float = 0.3
    ) -> None:
        """Begin, or resume.

        Args:
            net: the network; its buffers (standardisation) are set already.
            examples: how many there are; an epoch sees each once.
            work: folder for `state.pt`; made where missing.
            clip: largest norm of the gradient.
            warm_up: share of the steps in which the rate rises.
        """
        self.net, self.settings, self.clip = net, settings, clip
        self.examples = examples
        self.path = work / "state.pt"
        self.draw = torch.Generator()
        work.mkdir(parents=True, exist_ok=True)
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(settings.average)
        self._average = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average, use_buffers=True)
        self.optimizer = torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=settings.decay)
        steps = settings.epochs * ((examples + settings.batch - 1) // settings.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=steps + 1, pct_start=warm_up
        )

    @property
    def averaged(self) -> Net:
        """The network with the averaged weights."""
        return self._average.module  # type: ignore[return-value]

    def _parts(self) -> dict[str, Any]:
        return {"net": self.net, "averaged": self._average, "optimizer": self.optimizer, "schedule": self.schedule}

    def epochs(self) -> Iterator[tuple[int, list[Tensor]]]:
        """Each epoch's number and its batches (indices of examples, int64, in an order that its number alone decides).

        The state is saved when the next epoch is asked for, so what a caller does at the end of one happens before.
        """
        for epoch in resumable(self.path, self._parts(), self.settings.epochs):
            self.draw = torch.Generator().manual_seed(self.settings.seed * 1000 + epoch)
            self.net.train()
            yield epoch, list(torch.randperm(self.examples, generator=self.draw).split(self.settings.batch))

    def step(self, loss: Tensor) -> float:
        """One step down the gradient of `loss`; returns its value."""
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        self._average.update_parameters(self.net)
        return float(loss.detach())

    def log(self, row: Mapping[str, float]) -> None:
        """Append an epoch's figures to `curve.csv` in the work folder."""
        path = self.path.with_name("curve.csv")
        new = not path.exists()
        with open(path, "a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            if new:
                writer.writerow(row)
            writer.writerow(value if isinstance(value, int) else f"{value:.6f}" for value in row.values())


def resumable(path: Path, parts: Mapping[str, Any], epochs: int) -> Iterator[int]:
    """The numbers of the epochs that are left; after each, the states of `parts` go to `path`, whole or not at all.

    For loops that keep their own optimizer, or none; a fit that finds a state goes on from there.
    """
    first = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        first = int(state["epoch"]) + 1
    for epoch in range(first, epochs):
        yield epoch
        beside = path.with_suffix(".part")
        torch.save({name: part.state_dict() for name, part in parts.items()} | {"epoch": epoch}, beside)
        beside.replace(path)

"""Fine-tune a branch of the encoder, and its head, on rated photographs: opinion, class and the order of damaged copies.

Used by the recipes of GRepQ's `quality` and of the aesthetic classes. Rounds follow one another over the same views (`examples`), each
in an order of its own, and resume (`state.pt`; `curve.csv` is the log).
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.grepq.rated_sets import RatedImage
from cliqa.metrics.encoder import Branch, RatedHead, Trunk, join_pooled, pool_statistics
from cliqa.training.rated.examples import (
    RatedSettings,
    batches,
    held_out,
    load_shard,
    make_shards,
)

LABELS = ("rejected", "pending", "accepted")


def fine_tune(
    images: Sequence[RatedImage],
    trunk: Trunk,
    branch: Branch,
    work: Path,
    settings: RatedSettings,
    head: RatedHead | None = None,
    views: Path | None = None,
    workers: int = 1,
) -> tuple[Branch, RatedHead]:
    """Fit on `images` (scores 0-1, class labels) less the held-out ones; returns the averaged branch and head.

    A head that is given is tuned further, with the branch that belongs to it; without one, a new one is fitted. All runs on the trunk's
    device; `workers` processes make the pictures, which are kept in `views`, or in `work`.
    """
    torch.manual_seed(settings.seed)
    train = [image for image in images if not held_out(image)]
    val = [image for image in images if held_out(image)]
    settings = replace(settings, shard=min(settings.shard, len(train)))
    trunk.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    device = next(trunk.parameters()).device
    branch.to(device).to(memory_format=torch.channels_last)
    plain = replace(settings, ladders=0, sides=settings.sides[len(settings.sides) // 2 :][:1], seed=settings.seed + 1)
    val_shard = _load(make_shards(val[: settings.shard], trunk, work / "val", plain)[0], device)
    fresh = head is None
    head = head or RatedHead()
    head.to(device).dropout = settings.dropout
    net = nn.ModuleDict({"branch": branch, "head": head})
    optimizer = torch.optim.AdamW(
        [{"params": branch.parameters(), "lr": settings.rate}, {"params": head.parameters(), "lr": settings.head_rate}],
        weight_decay=settings.decay,
    )
    count = math.ceil(len(train) / settings.shard)
    steps = sum(1 for _ in batches(list(range(count)), 0, settings))
    total = steps * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / settings.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / total))),
    )
    step, state_path = 0, work / "state.pt"
    if state_path.exists():
        state = torch.load(state_path, weights_only=True, map_location=device)
        net.load_state_dict(state["net"])
        averaged = state["averaged"]
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        step = int(state["step"])
    else:
        if fresh:
            _standardise_head(head, branch, val_shard)
        averaged = {name: value.clone() for name, value in net.state_dict().items()}
    losses: list[Tensor] = []
    started = time.process_time()
    last = total if settings.stop is None else min(total, settings.stop)
    while step < last:
        epoch, at = divmod(step, steps)
        view = epoch % settings.views
        seeded = replace(settings, seed=settings.seed + 1000 * view)
        shards = make_shards(train, trunk, (views or work) / f"view-{view}", seeded, workers)
        mine = batches(shards, epoch, settings)[at:steps]
        loaded = None
        for path, rows in mine[: last - step]:
            if loaded is None or loaded[0] != path:
                loaded = path, _load(path, device)
            rng = np.random.default_rng([settings.order, 1, step, 0])
            # By step: dropout is then the same in a run that was stopped and resumed
            torch.manual_seed(settings.order * 1_000_000 + step)
            loss = _loss(net, loaded[1], rows, train, settings, rng)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            step += 1
            decay = min(settings.average, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, value in net.state_dict().items():
                    averaged[name].lerp_(value, 1 - decay)
            losses.append(loss.detach())  # asking a GPU for the number would wait for all that runs there
            if step % 50 == 0 or step == last:
                state = {"net": net.state_dict(), "averaged": averaged, "optimizer": optimizer.state_dict(),
                         "schedule": schedule.state_dict(), "step": step}  # fmt: skip
                torch.save(state, work / "state.part")
                (work / "state.part").replace(state_path)
                row = [step, total, float(torch.stack(losses).mean())]
                if step % 200 == 0 or step == last:
                    row += _validate(averaged, val_shard, val)
                _log(work / "curve.csv", [*row, time.process_time() - started])
                losses = []
    net.load_state_dict(averaged)
    return branch.eval(), head.eval()


@dataclass(frozen=True)
class _Loaded:
    """A shard, see `make_shards`, its maps and statistics on the device."""

    maps: Tensor
    early: Tensor
    image: NDArray[np.int64]
    strength: NDArray[np.float32]


def _load(path: Path, device: torch.device) -> _Loaded:
    shard = load_shard(path)
    maps, early = (torch.from_numpy(shard[name]).to(device) for name in ("maps", "early"))
    return _Loaded(maps, early, shard["image"], shard["strength"])


def _forward(net: nn.ModuleDict, maps: Tensor, early: Tensor) -> Tensor:
    x = maps.float().contiguous(memory_format=torch.channels_last)
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        later = net["branch"](x)
    found: Tensor = net["head"](join_pooled([early] + [pool_statistics(y) for y in [x, *later]]))[1]
    return found


def _loss(
    net: nn.ModuleDict,
    shard: _Loaded,
    rows: NDArray[Any],
    images: Sequence[RatedImage],
    settings: RatedSettings,
    rng: np.random.Generator,
) -> Tensor:
    whole = np.flatnonzero(shard.strength == 0)
    rated = whole[rows[rows < len(whole)]]  # the last shard is short
    if not len(rated):
        rated = whole[rows % len(whole)]
    # a photograph's damaged copies follow it at once
    laddered = [i for i in rated if i + 2 < len(shard.strength) and shard.strength[i + 1] > 0]
    laddered = laddered[: settings.ladders_at_once]
    chosen = np.concatenate([rated, [i + 1 for i in laddered], [i + 2 for i in laddered]]).astype(int)
    device = shard.maps.device
    places = torch.from_numpy(chosen).to(device)
    maps, early = shard.maps[places], shard.early[places]
    keep = float(rng.uniform(settings.keep, 1.0))
    height, width = (2 * round(keep * side / 2) for side in maps.shape[2:])
    top, left = int(rng.integers(maps.shape[2] - height + 1)), int(rng.integers(maps.shape[3] - width + 1))
    net.train()
    out = _forward(net, maps[:, :, top : top + height, left : left + width], early)
    n = len(rated)
    those = [images[shard.image[i]] for i in rated]
    score = torch.tensor([image.score for image in those], device=device)
    loss = 10.0 * F.smooth_l1_loss(out[:n, 0], score, beta=0.1)
    centred, target = out[:n, 0] - out[:n, 0].mean(), score - score.mean()
    loss = loss + 0.5 * (1 - (centred * target).sum() / (centred.norm() * target.norm() + 1e-6))
    curated = torch.tensor([float(image.source == "ss03") for image in those], device=device)
    loss = loss + 0.1 * F.binary_cross_entropy_with_logits(out[:n, 1], curated)
    label = torch.tensor([LABELS.index(image.label) if image.label else -100 for image in those], device=device)
    weights = torch.tensor([1.5, 1.0, 1.0], device=device)  # rejected is the rarest class
    loss = loss + 0.3 * F.cross_entropy(out[:n, 2:], label, weights, ignore_index=-100, label_smoothing=0.05)
    if laddered:
        first = [int(np.flatnonzero(rated == i)[0]) for i in laddered]
        order = torch.stack([out[first, 0], out[n : n + len(first), 0], out[n + len(first) :, 0]])
        weak, strong = (torch.from_numpy(shard.strength[[i + k for i in laddered]]).to(device) for k in (1, 2))
        margin = settings.rank_margin * torch.stack([weak, strong - weak])
        loss = loss + 2.0 * F.relu(margin - (order[:-1] - order[1:])).mean()
    assert isinstance(loss, Tensor)
    return loss


def _standardise_head(head: RatedHead, branch: Branch, shard: _Loaded) -> None:
    with torch.no_grad():
        x = shard.maps[:128].float()
        features = join_pooled([shard.early[:128]] + [pool_statistics(y) for y in [x, *branch(x)]])
        head.mean.copy_(features.mean(0))
        head.scale.copy_(features.std(0).clamp_min(1e-2))
        nn.init.normal_(head.out.weight, std=0.01)
        head.out.bias.copy_(torch.tensor([0.65, 0.7, 0.0, 0.0, 0.0]))


def _validate(averaged: dict[str, Tensor], shard: _Loaded, images: Sequence[RatedImage]) -> list[float]:
    from scipy.stats import pearsonr, spearmanr

    net = nn.ModuleDict({"branch": Branch(), "head": RatedHead()})
    net.load_state_dict(averaged)
    net.eval().to(shard.maps.device).to(memory_format=torch.channels_last)
    with torch.no_grad():
        rows = range(0, len(shard.maps), 16)
        out = (
            torch.cat([_forward(net, shard.maps[at : at + 16], shard.early[at : at + 16]) for at in rows]).cpu().numpy()
        )
    score = np.array([images[i].score for i in shard.image])
    label = np.array([LABELS.index(images[i].label or "pending") for i in shard.image])
    accuracy = float((out[:, 2:].argmax(1) == label).mean())
    return [float(spearmanr(out[:, 0], score).statistic), float(pearsonr(out[:, 0], score).statistic), accuracy]


def _log(path: Path, row: Sequence[float]) -> None:
    with open(path, "a", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerow([f"{value:.5g}" for value in row])

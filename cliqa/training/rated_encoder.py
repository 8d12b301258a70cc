"""Fine-tune a branch of the encoder, and its head, on rated photographs: opinion, class and the order of damaged copies.

Used by the recipes of GRepQ's `quality` and of the aesthetic classes. The trunk is frozen, so its maps are made once, one augmented
view of each photograph and a share of them also in two damaged copies, and kept in shards; epochs then run over crops of these maps.
Shards are seeded by their number and resume; so does the training (`state.pt`; `curve.csv` is the log). Start it under `torchrun`
and the processes share the work.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, distributed, nn

from cliqa.metrics.encoder import Branch, RatedHead, Trunk, join_pooled, pool_statistics, standardise
from cliqa.training.rated_sets import RatedImage
from cliqa.training.severity import ladder

LABELS = ("rejected", "pending", "accepted")
Shard = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class RatedSettings:
    """Settings of the fine-tuning, all of them."""

    shard: int = 256  # photographs
    ladders: int = 24  # of a shard that come with two damaged copies
    sides: tuple[int, ...] = (224, 256, 288)  # of the square with as many pixels as the view; one per shard, in turn
    keep: float = 0.8  # least share of a view's side that a training crop keeps
    epochs: int = 7
    batch: int = 16
    rate: float = 3e-4
    head_rate: float = 1e-3
    decay: float = 0.02
    warmup: int = 150  # steps
    average: float = 0.998  # decay of the running average of the weights, per step
    dropout: float = 0.2
    rank_margin: float = 0.15  # of opinion (0-1) per unit of strength
    names: tuple[str, ...] = (
        "gaussian_blur", "defocus", "motion_blur", "noise", "noise", "jpeg", "jpeg", "down_up", "low_light", "low_contrast",
    )  # fmt: skip
    seed: int = 0


def held_out(image: RatedImage) -> bool:
    """Whether a training photograph is kept for choosing and calibrating (one in sixteen, by name)."""
    return hashlib.sha256(image.path.name.lower().encode()).digest()[0] < 16


def make_shards(images: Sequence[RatedImage], trunk: Trunk, work: Path, settings: RatedSettings) -> list[Path]:
    """Trunk maps of all photographs: `maps` (n, 32, h, w), `early` statistics, `image` (position in `images`), `strength` (0 whole)."""
    work.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(settings.seed).permutation(len(images))
    paths = [work / f"shard-{number:04d}.npz" for number in range(math.ceil(len(images) / settings.shard))]
    rank, world = _rank_and_world()
    for number in range(rank, len(paths), world):
        if not paths[number].exists():
            chosen = order[number * settings.shard : (number + 1) * settings.shard]
            shard = _make_shard(images, chosen, trunk, settings, number)
            part = paths[number].with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, **shard)  # type: ignore[arg-type]
            part.replace(paths[number])
    if world > 1:
        distributed.barrier()
    return paths


def _make_shard(
    images: Sequence[RatedImage], chosen: NDArray[Any], trunk: Trunk, settings: RatedSettings, number: int
) -> Shard:
    rng = np.random.default_rng([settings.seed, number])
    side = settings.sides[number % len(settings.sides)]
    aspect = float(np.exp(rng.normal(0, 0.15)))
    size = (32 * round(side * aspect**0.5 / 32), 32 * round(side / aspect**0.5 / 32))  # width, height
    rows: dict[str, list[Any]] = {"maps": [], "early": [], "image": [], "strength": []}
    for place, index in enumerate(chosen):
        crop = _crop(images[index].path, size, rng)
        kernel = [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR][int(rng.integers(3))]
        strengths, pictures = [0.0], [crop]
        if place < settings.ladders:
            weak = float(rng.uniform(0.02, 0.5))
            strengths += [weak, weak + float(rng.uniform(0.2, 0.5))]
            copies = ladder(np.asarray(crop), strengths[1:], rng, settings.names)
            pictures += [Image.fromarray(copy) for copy in copies]
        elif rng.random() < 0.3:
            stream = io.BytesIO()
            crop.save(stream, "JPEG", quality=int(rng.integers(65, 99)), subsampling=int(rng.choice([0, 2])))
            pictures = [Image.open(stream)]
        pixels = np.stack([np.asarray(picture.resize(size, kernel)) for picture in pictures])
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            shared = trunk(standardise(torch.from_numpy(pixels)))
        rows["maps"].append(shared[-1].half().numpy())
        rows["early"].append(pool_statistics(shared[0]).numpy())
        rows["image"] += [int(index)] * len(pictures)
        rows["strength"] += strengths
    return {
        "maps": np.concatenate(rows["maps"]),
        "early": np.concatenate(rows["early"]),
        "image": np.array(rows["image"]),
        "strength": np.array(rows["strength"], dtype=np.float32),
    }


def _crop(path: Path, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """At least four fifths of the picture, of the given proportions as far as that allows, mirrored half the time."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    wide, high = picture.size
    scale = min(wide / size[0], high / size[1]) * float(rng.uniform(0.9, 1.0))
    width, height = max(int(size[0] * scale), int(0.8 * wide)), max(int(size[1] * scale), int(0.8 * high))
    left, top = int(rng.integers(wide - width + 1)), int(rng.integers(high - height + 1))
    picture = picture.crop((left, top, left + width, top + height))
    mirrored: Image.Image = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else picture
    return mirrored


def fine_tune(
    images: Sequence[RatedImage], trunk: Trunk, branch: Branch, work: Path, settings: RatedSettings
) -> tuple[Branch, RatedHead]:
    """Fit on `images` (scores 0-1, class labels) less the held-out ones; returns the averaged branch and head."""
    torch.manual_seed(settings.seed)
    train = [image for image in images if not held_out(image)]
    val = [image for image in images if held_out(image)]
    trunk.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    branch.to(memory_format=torch.channels_last)
    head = RatedHead(settings.dropout)
    plain = RatedSettings(ladders=0, sides=(256,), seed=settings.seed + 1)
    val_shard = _load(make_shards(val[: settings.shard], trunk, work / "val", plain)[0])
    shards = make_shards(train, trunk, work / "shards", settings)
    net = nn.ModuleDict({"branch": branch, "head": head})
    optimizer = torch.optim.AdamW(
        [{"params": branch.parameters(), "lr": settings.rate}, {"params": head.parameters(), "lr": settings.head_rate}],
        weight_decay=settings.decay,
    )
    rank, world = _rank_and_world()
    steps = sum(1 for _ in _batches(shards, 0, settings)) // world
    total = steps * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / settings.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / total))),
    )
    step, state_path = 0, work / "state.pt"
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        net.load_state_dict(state["net"])
        averaged = state["averaged"]
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        step = int(state["step"])
    else:
        _standardise_head(head, branch, val_shard)
        averaged = {name: value.clone() for name, value in net.state_dict().items()}
    losses, started = [], time.process_time()
    while step < total:
        epoch, at = divmod(step, steps)
        mine = [batch for place, batch in enumerate(_batches(shards, epoch, settings)) if place % world == rank][
            at:steps
        ]
        loaded = None
        for path, rows in mine:
            if loaded is None or loaded[0] != path:
                loaded = path, _load(path)
            rng = np.random.default_rng([settings.seed, 1, step, rank])
            loss = _loss(net, loaded[1], rows, train, settings, rng)
            optimizer.zero_grad()
            loss.backward()
            if world > 1:
                _average_gradients(net, world)
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            step += 1
            decay = min(settings.average, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, value in net.state_dict().items():
                    averaged[name].lerp_(value, 1 - decay)
            losses.append(float(loss.detach()))
            if rank == 0 and (step % 50 == 0 or step == total):
                state = {"net": net.state_dict(), "averaged": averaged, "optimizer": optimizer.state_dict(),
                         "schedule": schedule.state_dict(), "step": step}  # fmt: skip
                torch.save(state, work / "state.part")
                (work / "state.part").replace(state_path)
                row = [step, total, float(np.mean(losses))]
                if step % 200 == 0 or step == total:
                    row += _validate(averaged, val_shard, val)
                _log(work / "curve.csv", [*row, time.process_time() - started])
                losses = []
    net.load_state_dict(averaged)
    return branch.eval(), head.eval()


def _batches(shards: Sequence[Path], epoch: int, settings: RatedSettings) -> list[tuple[Path, NDArray[Any]]]:
    """(shard, positions of its photographs) in this epoch's order."""
    rng = np.random.default_rng([settings.seed, 2, epoch])
    found: list[tuple[Path, NDArray[Any]]] = []
    for number in rng.permutation(len(shards)):
        order = rng.permutation(settings.shard)
        found += [(shards[number], order[at : at + settings.batch]) for at in range(0, settings.shard, settings.batch)]
    return found


def _load(path: Path) -> Shard:
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def _forward(net: nn.ModuleDict, maps: NDArray[Any], early: NDArray[Any]) -> Tensor:
    x = torch.from_numpy(np.ascontiguousarray(maps)).float().contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        later = net["branch"](x)
    found: Tensor = net["head"](join_pooled([torch.from_numpy(early)] + [pool_statistics(y) for y in [x, *later]]))[1]
    return found


def _loss(
    net: nn.ModuleDict,
    shard: Shard,
    rows: NDArray[Any],
    images: Sequence[RatedImage],
    settings: RatedSettings,
    rng: np.random.Generator,
) -> Tensor:
    whole = np.flatnonzero(shard["strength"] == 0)
    rated = whole[rows[rows < len(whole)]]
    # a photograph's damaged copies follow it at once
    laddered = [i for i in rated if i + 2 < len(shard["strength"]) and shard["strength"][i + 1] > 0][:2]
    chosen = np.concatenate([rated, [i + 1 for i in laddered], [i + 2 for i in laddered]]).astype(int)
    maps = shard["maps"][chosen]
    keep = float(rng.uniform(settings.keep, 1.0))
    height, width = (2 * round(keep * side / 2) for side in maps.shape[2:])
    top, left = int(rng.integers(maps.shape[2] - height + 1)), int(rng.integers(maps.shape[3] - width + 1))
    net.train()
    out = _forward(net, maps[:, :, top : top + height, left : left + width], shard["early"][chosen])
    n = len(rated)
    those = [images[shard["image"][i]] for i in rated]
    score = torch.tensor([image.score for image in those])
    loss = 10.0 * F.smooth_l1_loss(out[:n, 0], score, beta=0.1)
    centred, target = out[:n, 0] - out[:n, 0].mean(), score - score.mean()
    loss = loss + 0.5 * (1 - (centred * target).sum() / (centred.norm() * target.norm() + 1e-6))
    curated = torch.tensor([float(image.source == "ss03") for image in those])
    loss = loss + 0.1 * F.binary_cross_entropy_with_logits(out[:n, 1], curated)
    label = torch.tensor([LABELS.index(image.label) if image.label else -100 for image in those])
    weights = torch.tensor([1.5, 1.0, 1.0])  # rejected is the rarest class
    loss = loss + 0.3 * F.cross_entropy(out[:n, 2:], label, weights, ignore_index=-100, label_smoothing=0.05)
    if laddered:
        places = [int(np.flatnonzero(rated == i)[0]) for i in laddered]
        order = torch.stack([out[places, 0], out[n : n + len(places), 0], out[n + len(places) :, 0]])
        weak, strong = (torch.from_numpy(shard["strength"][[i + k for i in laddered]]) for k in (1, 2))
        margin = settings.rank_margin * torch.stack([weak, strong - weak])
        loss = loss + 2.0 * F.relu(margin - (order[:-1] - order[1:])).mean()
    assert isinstance(loss, Tensor)
    return loss


def _standardise_head(head: RatedHead, branch: Branch, shard: Shard) -> None:
    with torch.no_grad():
        x = torch.from_numpy(shard["maps"][:128]).float()
        features = join_pooled([torch.from_numpy(shard["early"][:128])] + [pool_statistics(y) for y in [x, *branch(x)]])
        head.mean.copy_(features.mean(0))
        head.scale.copy_(features.std(0).clamp_min(1e-2))
        nn.init.normal_(head.out.weight, std=0.01)
        head.out.bias.copy_(torch.tensor([0.65, 0.7, 0.0, 0.0, 0.0]))


def _validate(averaged: dict[str, Tensor], shard: Shard, images: Sequence[RatedImage]) -> list[float]:
    from scipy.stats import pearsonr, spearmanr

    net = nn.ModuleDict({"branch": Branch(), "head": RatedHead()})
    net.load_state_dict(averaged)
    net.eval().to(memory_format=torch.channels_last)
    with torch.no_grad():
        rows = range(0, len(shard["maps"]), 16)
        out = torch.cat(
            [_forward(net, shard["maps"][at : at + 16], shard["early"][at : at + 16]) for at in rows]
        ).numpy()
    score = np.array([images[i].score for i in shard["image"]])
    label = np.array([LABELS.index(images[i].label or "pending") for i in shard["image"]])
    accuracy = float((out[:, 2:].argmax(1) == label).mean())
    return [float(spearmanr(out[:, 0], score).statistic), float(pearsonr(out[:, 0], score).statistic), accuracy]


def _rank_and_world() -> tuple[int, int]:
    return (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)


def _average_gradients(net: nn.Module, world: int) -> None:
    gradients = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
    joined = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(joined)
    for gradient, part in zip(gradients, (joined / world).split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def _log(path: Path, row: Sequence[float]) -> None:
    with open(path, "a", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerow([f"{value:.5g}" for value in row])

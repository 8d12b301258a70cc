"""GRepQ's high-level directions, from "bad" to "good" and towards each kind of damage, learned without any rating.

The tuned branch's network (`free_branch`) says of a picture how good it is and how much of each damage it has. What it says of pictures
as they are met (those of the rated set; no rating and no list of subsets is read) and of damaged views is told again by ridge
regressions from the pooled features: one direction each, so that the metric needs no further network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.images.loading import load_image
from cliqa.metrics.base import View
from cliqa.metrics.encoder import Trunk, balance, pool, standardise
from cliqa.metrics.grepq import DETAIL_SIDE, PICTURE_SIDE
from cliqa.signal.quality.picture_statistics import picture_statistics
from cliqa.training.grepq.damaged_views import KINDS
from cliqa.training.grepq.free_branch import FreeNet

Observed = dict[str, NDArray[Any]]
PART = 100  # pictures in a file of the work folder
# The kinds that belong to a damage, in the order of `DAMAGES`; the last of those is being an unchosen cut.
GROUPS: dict[str, tuple[str, ...]] = {
    "blur": ("blur",), "jpeg": ("compression",), "noise": ("noise",), "light": ("dark", "bright", "flat"),
}  # fmt: skip


@dataclass(frozen=True)
class HighSettings:
    """Settings of the directions."""

    pictures: int = 800  # of the rated set, chosen at random
    views: int = 2048  # damaged views, the first
    penalty: float = 3.0
    constant: float = 12.0  # second coordinate of the embedding: the larger, the flatter q_high
    seed: int = 0


def observe_pictures(paths: Sequence[Path], trunk: Trunk, net: FreeNet, work: Path, settings: HighSettings) -> Observed:
    """Of pictures as the metric sees them: `features` (n, POOLED_WIDTH), `answers` (n, len(KINDS) + 2), `statistics` (n, 15)."""
    work.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(settings.seed).permutation(len(paths))[: settings.pictures]
    parts: list[Observed] = []
    for start in range(0, len(order), PART):
        store = work / f"pictures-{start:05d}.npz"
        if not store.exists():
            rows = [_observe(paths[place], trunk, net) for place in order[start : start + PART]]
            part = store.with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})  # type: ignore[arg-type]
            part.replace(store)
        with np.load(store) as stored:
            parts.append({name: stored[name] for name in stored.files})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _observe(path: Path, trunk: Trunk, net: FreeNet) -> Observed:
    view = View(load_image(path))
    with torch.inference_mode():
        shared = trunk(standardise(torch.from_numpy(np.array(view.thumbnail(PICTURE_SIDE))[None])))
        features = pool(shared + net.branch(shared[-1]))
        answers = net.head((features - net.head.mean) / net.head.scale)
    statistics = picture_statistics(view.thumbnail(DETAIL_SIDE))
    return {"features": features[0].numpy(), "answers": answers[0].numpy(), "statistics": statistics}


def observe_views(shards: Sequence[Path], net: FreeNet, settings: HighSettings) -> Observed:
    """Of damaged views: `features` and `answers`, as above."""
    features: list[NDArray[Any]] = []
    answers: list[NDArray[Any]] = []
    for path in shards:
        with np.load(path) as shard:
            maps = torch.from_numpy(shard["maps"]).flatten(0, 1).float()
            early = torch.from_numpy(shard["early"]).flatten(0, 1).float()
        for at in range(0, len(maps), 32):
            with torch.inference_mode():
                some = maps[at : at + 32].contiguous(memory_format=torch.channels_last)
                standard, told = net(some, early[at : at + 32])
            features.append((standard * net.head.scale + net.head.mean).numpy())
            answers.append(told.numpy())
            if sum(map(len, answers)) >= settings.views:
                return {"features": np.concatenate(features), "answers": np.concatenate(answers)}
    return {"features": np.concatenate(features), "answers": np.concatenate(answers)}


def fit_directions(pictures: Observed, views: Observed, settings: HighSettings) -> Observed:
    """The tensors `high.*` (standardisation, embedding, prototypes), `damage.*` and `statistics.*` of the metric."""
    mean, scale = pictures["features"].mean(0).astype(np.float64), pictures["features"].std(0).astype(np.float64) + 1e-3
    gains = balance().numpy().astype(np.float64)
    x = np.concatenate([pictures["features"], views["features"]]).astype(np.float64)
    x = np.clip((x - mean) / scale, -6.0, 6.0) * gains
    targets = _targets(np.concatenate([pictures["answers"], views["answers"]]).astype(np.float64))
    middle = x.mean(0)
    gram = (x - middle).T @ (x - middle)
    gram[np.diag_indices_from(gram)] += settings.penalty
    directions = np.linalg.solve(gram, (x - middle).T @ (targets - targets.mean(0))).T
    met = x[: len(pictures["features"])] @ directions.T
    directions /= met.std(0)[:, None]
    levels = -(met / met.std(0)).mean(0)
    return {
        "high.mean": mean, "high.scale": scale, "high.weight": np.stack([directions[0], np.zeros_like(directions[0])]),
        "high.bias": np.array([levels[0], settings.constant]),
        "high.good": np.array([1.0, 0.0]), "high.bad": np.array([-1.0, 0.0]),
        "damage.weight": directions[1:], "damage.bias": levels[1:],
        "statistics.mean": pictures["statistics"].mean(0), "statistics.scale": pictures["statistics"].std(0) + 1e-3,
    }  # fmt: skip


def _targets(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Goodness, then freedom from each damage and from being an unchosen cut: (n, 6), higher is better."""
    names = [kind.name for kind in KINDS]
    free = [-answers[:, [names.index(name) for name in group]].max(axis=1) for group in GROUPS.values()]
    return np.stack([answers[:, len(KINDS)], *free, -answers[:, -1]], axis=1)

"""Pictures that the networks made, in a folder: what takes time, so they are kept and an ended run goes on where it was.

Every output is a file of its own, seeded by the network and its number, so any number of runs may share the work.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from cliqa.training.learned.scenes import make_scene
from cliqa.training.learned.upscalers import Upscaler, published
from cliqa.training.photos import Split

Pixels = NDArray[np.uint8]

SPLITS: tuple[Split, ...] = ("train", "train", "val", "train", "test", "train", "train", "test", "train", "train")
SIDE = 256  # pixels of an output: four tiles
MARGIN = 4  # pixels of mirrored border for networks that need none


@dataclass(frozen=True)
class Output:
    """A picture that a network made. `scale` 1 is a denoiser's."""

    pixels: Pixels
    name: str
    family: str
    scale: int
    split: Split
    seed: tuple[int, ...]


def split_of(name: str, number: int) -> Split:
    """The split whose photographs the network's output of that number is made from."""
    return SPLITS[(number + sum(map(ord, name))) % len(SPLITS)]


def seed_of(name: str, number: int) -> tuple[int, ...]:
    """What seeds an output's scene."""
    return 7, sum(map(ord, name)), number


def planned(networks: list[Upscaler], a_family: int) -> list[tuple[Upscaler, int]]:
    """`a_family` outputs of every family, its networks in turn, and of all denoisers together: (network, number)."""
    groups: dict[str, list[Upscaler]] = {}
    for each in networks:
        groups.setdefault(each.family if each.scale > 1 else "denoisers", []).append(each)
    found = []
    for place in range(a_family):
        for own in groups.values():
            turn, member = divmod(place, len(own))
            found.append((own[member], turn))
    return found


def make_outputs(folder: Path, networks: Path, photos: Path, a_family: int, device: str) -> None:
    """Make what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded: dict[str, nn.Module] = {}
    for each, number in tqdm(planned(published(networks), a_family), unit="output", desc="outputs"):
        path = folder / f"{each.name.replace(' ', '_')}-{number}.npz"
        if path.exists():
            continue
        if each.name not in loaded:
            loaded[each.name] = each.load().eval().to(device)
        pixels = _enlarged(each, loaded[each.name], number, photos, device)
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, y=pixels, split=split_of(each.name, number), family=each.family, name=each.name,
                            scale=each.scale)  # fmt: skip
        os.replace(part, path)


def _enlarged(each: Upscaler, network: nn.Module, number: int, photos: Path, device: str) -> Pixels:
    rng = np.random.default_rng(seed_of(each.name, number))
    split = split_of(each.name, number)
    if each.scale == 1:
        given = make_scene(rng, str(photos), split, SIDE, 2, 1, "true").others[0][0]
    else:
        given = make_scene(rng, str(photos), split, SIDE, each.scale, 0).small
    x = torch.from_numpy(np.array(given)).permute(2, 0, 1)[None].to(device).float() / 255
    around = replace(each, margin=MARGIN) if each.margin == Upscaler.margin else each
    with torch.no_grad():
        y = around(network, x)[0].clamp(0, 1) * 255
    return y.round().byte().permute(1, 2, 0).cpu().numpy()[:SIDE, :SIDE]


def read_outputs(folder: Path) -> list[Output]:
    """All that the folder holds, by name."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        if path.name.endswith(".part.npz"):
            continue
        with np.load(path) as stored:
            name, split = str(stored["name"]), str(stored["split"])
            seed = seed_of(name, int(path.stem.rpartition("-")[2]))
            found.append(Output(stored["y"], name, str(stored["family"]), int(stored["scale"]), split, seed))  # type: ignore[arg-type]
    return found

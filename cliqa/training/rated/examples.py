"""Examples for fine-tuning on rated photographs: maps of the frozen trunk, in shards that are seeded by their number and resume.

The trunk is frozen, so its maps are made once, one augmented view of each photograph, and of a share of them two damaged copies
as well; epochs then run over crops of these maps. Pictures are made by several processes, maps on the trunk's device.
"""

from __future__ import annotations

import hashlib
import io
import math
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cliqa.grepq.rated_sets import RatedImage
from cliqa.metrics.encoder import Trunk, pool_statistics, standardise
from cliqa.training.severity import ladder

Shard = dict[str, NDArray[Any]]
AT_ONCE = 64  # pictures that pass the trunk together


@dataclass(frozen=True)
class RatedSettings:
    """Settings of the fine-tuning, all of them."""

    shard: int = 256  # photographs
    ladders: int = 40  # of a shard that come with two damaged copies
    ladders_at_once: int = 6  # of a batch, at most
    sides: tuple[int, ...] = (
        384,
        288,
        352,
        320,
    )  # of the square with as many pixels as the view; one per shard, in turn
    keep: float = 0.8  # least share of a view's side that a training crop keeps
    views: int = 5  # augmented views of each photograph; an epoch reads one, in turn
    epochs: int = 5
    batch: int = 32
    rate: float = (
        1.5e-4  # with 4e-4 held-out SRCC is 0.013 less after one round, with 7e-5 0.006 more, and PLCC 0.001 less
    )
    head_rate: float = 8e-4
    decay: float = 0.02
    warmup: int = 200  # steps
    average: float = 0.999  # decay of the running average of the weights, per step
    dropout: float = 0.2
    stop: int | None = None  # the step at which the round ends, if before the rate has come to zero
    rank_margin: float = 0.15  # of opinion (0-1) per unit of strength
    names: tuple[str, ...] = (
        "gaussian_blur", "defocus", "motion_blur", "noise", "noise", "jpeg", "jpeg", "down_up", "low_light", "low_contrast",
        "webp", "webp", "more_light", "more_light", "less_light",
    )  # fmt: skip
    seed: int = 0  # of the head and the views
    order: int = 0  # of the batches, their crops and dropout: rounds over the same views differ in it


def held_out(image: RatedImage) -> bool:
    """Whether a training photograph is kept for choosing and calibrating (one in sixteen, by name)."""
    return hashlib.sha256(image.path.name.lower().encode()).digest()[0] < 16


def make_shards(
    images: Sequence[RatedImage], trunk: Trunk, work: Path, settings: RatedSettings, workers: int = 1
) -> list[Path]:
    """Trunk maps of all photographs: `maps` (n, 32, h, w), `early` statistics, `image` (position in `images`), `strength` (0 whole)."""
    work.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(settings.seed).permutation(len(images))
    paths = [work / f"shard-{number:04d}.npz" for number in range(math.ceil(len(images) / settings.shard))]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    chosen = [order[number * settings.shard : (number + 1) * settings.shard] for number in missing]
    for number, pictures in zip(missing, _all_pictures(images, chosen, missing, settings, workers), strict=True):
        part = paths[number].with_suffix(f".{os.getpid()}.part.npz")
        np.savez(part, **_with_maps(pictures, trunk))  # type: ignore[arg-type]
        part.replace(paths[number])
    return paths


def _all_pictures(
    images: Sequence[RatedImage],
    chosen: Sequence[NDArray[Any]],
    numbers: Sequence[int],
    settings: RatedSettings,
    workers: int,
) -> Iterator[Shard]:
    make = partial(_make_pictures, settings)
    paths = [[images[index].path for index in indices] for indices in chosen]
    if workers < 2 or len(numbers) < 2:
        yield from map(make, paths, chosen, numbers)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(make, paths, chosen, numbers)


def _make_pictures(settings: RatedSettings, paths: Sequence[Path], chosen: NDArray[Any], number: int) -> Shard:
    """The pictures of a shard, `pixels` (n, h, w, 3), with `image` and `strength`."""
    rng = np.random.default_rng([settings.seed, number])
    side = settings.sides[number % len(settings.sides)]
    aspect = float(np.exp(rng.normal(0, 0.15)))
    size = (32 * round(side * aspect**0.5 / 32), 32 * round(side / aspect**0.5 / 32))  # width, height
    pixels: list[NDArray[np.uint8]] = []
    rows: dict[str, list[float]] = {"image": [], "strength": []}
    for place, (path, index) in enumerate(zip(paths, chosen, strict=True)):
        crop = cropped(path, size, rng)
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
        pixels += [np.asarray(picture.resize(size, kernel)) for picture in pictures]
        rows["image"] += [int(index)] * len(pictures)
        rows["strength"] += strengths
    return {
        "pixels": np.stack(pixels),
        "image": np.array(rows["image"], dtype=np.int64),
        "strength": np.array(rows["strength"], dtype=np.float32),
    }


def _with_maps(pictures: Shard, trunk: Trunk) -> Shard:
    """A shard as it is stored: the trunk's maps in place of the pictures."""
    device = next(trunk.parameters()).device
    maps, early = [], []
    for at in range(0, len(pictures["pixels"]), AT_ONCE):
        pixels = torch.from_numpy(pictures["pixels"][at : at + AT_ONCE]).to(device)
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
            shared = trunk(standardise(pixels))
        maps.append(shared[-1].half().cpu().numpy())
        early.append(pool_statistics(shared[0]).cpu().numpy())
    kept = {name: value for name, value in pictures.items() if name != "pixels"}
    return {"maps": np.concatenate(maps), "early": np.concatenate(early)} | kept


def cropped(path: Path, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
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


T = TypeVar("T")


def batches(shards: Sequence[T], epoch: int, settings: RatedSettings) -> list[tuple[T, NDArray[Any]]]:
    """(shard, positions of its photographs) in this epoch's order."""
    rng = np.random.default_rng([settings.order, 2, epoch])
    found: list[tuple[T, NDArray[Any]]] = []
    for number in rng.permutation(len(shards)):
        order = rng.permutation(settings.shard)
        found += [(shards[number], order[at : at + settings.batch]) for at in range(0, settings.shard, settings.batch)]
    return found


def load_shard(path: Path) -> Shard:
    """The arrays of a shard, see `make_shards`."""
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}

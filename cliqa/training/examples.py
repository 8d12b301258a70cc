"""Training examples made on the fly: numbered, seeded by their number, kept in shards that resume.

An example is made by `make(rng, index) -> {name: array}`, where equal names have equal shapes. Example `i` of seed `s` is the same
whoever makes it, so any number of processes may share the work and a killed run goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

Example = dict[str, NDArray[Any]]
Make = Callable[[np.random.Generator, int], Example]
SHARD = 256


def generate(make: Make, count: int, folder: str | os.PathLike[str], *, seed: int, workers: int = 1) -> Example:
    """Make (or read back) `count` examples and return them stacked, first axis the example.

    Args:
        make: a picklable function (module level, or a functools.partial of one).
        count: rounded up to a multiple of 256, from 256 on.
        folder: where shards lie; those that exist are not made again.
    """
    shards = []
    for path in generate_shards(make, count, folder, seed=seed, workers=workers):
        with np.load(path) as stored:
            shards.append({name: stored[name] for name in stored.files})
    return {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}


def generate_shards(
    make: Make, count: int, folder: str | os.PathLike[str], *, seed: int, workers: int = 1
) -> list[Path]:
    """As `generate`, but return the paths of the shards (`.npz`, 256 examples each), for examples too large for memory."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    if count < SHARD:  # a trial: sooner made here than a process for it started
        few = root / f"few-{count:05d}.npz"
        if not few.exists():
            _make_shard(make, few, range(count), seed)
        return [few]
    numbers = range((count + SHARD - 1) // SHARD)
    missing = [number for number in numbers if not _path(root, number).exists()]
    if missing:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            tasks = [
                pool.submit(_make_shard, make, _path(root, number), range(number * SHARD, (number + 1) * SHARD), seed)
                for number in missing
            ]
            for task in tqdm(as_completed(tasks), total=len(tasks), unit="shard", desc=root.name):
                task.result()
    return [_path(root, number) for number in numbers]


def _path(root: Path, number: int) -> Path:
    return root / f"shard-{number:05d}.npz"


def _make_shard(make: Make, path: Path, indices: range, seed: int) -> None:
    examples = [make(np.random.default_rng([seed, index]), index) for index in indices]
    stacked = {name: np.stack([example[name] for example in examples]) for name in examples[0]}
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    np.savez(part, **stacked)  # type: ignore[arg-type]
    os.replace(part, path)

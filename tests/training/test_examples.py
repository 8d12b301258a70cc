"""Examples by number: the same whoever makes them, few or many, and made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliqa.training.examples import SHARD, Example, generate, generate_shards


def make(rng: np.random.Generator, index: int) -> Example:
    return {"value": rng.integers(1_000_000, size=3), "index": np.array(index)}


def test_few_are_as_many_as_asked_for_and_the_first_of_many(tmp_path: Path) -> None:
    few = generate(make, 5, tmp_path, seed=3)
    assert few["index"].tolist() == [0, 1, 2, 3, 4]
    many = generate(make, SHARD + 1, tmp_path, seed=3)
    assert len(many["index"]) == 2 * SHARD  # rounded up to whole shards
    assert np.array_equal(many["value"][:5], few["value"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few-00005.npz", "shard-00000.npz", "shard-00001.npz"]


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    (path,) = generate_shards(make, 7, tmp_path, seed=0)
    before = path.stat().st_mtime_ns
    assert generate_shards(make, 7, tmp_path, seed=0) == [path]
    assert path.stat().st_mtime_ns == before
    assert len(generate(make, 9, tmp_path, seed=0)["index"]) == 9  # another number is another file

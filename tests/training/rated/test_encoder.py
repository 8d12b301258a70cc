"""Fine-tuning on rated photographs: shards that resume, rounds that follow one another, on a few tiny pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("cv2")
from cliqa.grepq.rated_sets import RatedImage
from cliqa.metrics.encoder import Branch, RatedHead, Trunk
from cliqa.training.grepq.grepq import average
from cliqa.training.rated.encoder import fine_tune
from cliqa.training.rated.examples import RatedSettings, batches, held_out, load_shard, make_shards

SETTINGS = RatedSettings(shard=8, ladders=2, sides=(64,), views=2, epochs=2, batch=8, warmup=1)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[RatedImage]:
    folder, found = tmp_path_factory.mktemp("rated"), []
    for number in range(16):
        rng = np.random.default_rng(number)
        path = folder / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(path)
        found.append(RatedImage(path, number / 16, "ss03", "train", "pending"))
    return found


@pytest.fixture
def trunk() -> Trunk:
    torch.manual_seed(0)
    return Trunk().eval().requires_grad_(False)


def test_a_shard_holds_each_photograph_and_the_ladders_of_the_first(
    images: list[RatedImage], trunk: Trunk, tmp_path: Path
) -> None:
    paths = make_shards(images[:12], trunk, tmp_path, SETTINGS)
    first, second = (load_shard(path) for path in paths)
    assert len(np.unique(first["image"])) == 8 and len(first["maps"]) == 8 + 2 * 2
    assert sorted([*np.unique(first["image"]), *np.unique(second["image"])]) == list(range(12))
    assert first["strength"][0] == 0 and 0 < first["strength"][1] < first["strength"][2] <= 1
    paths[1].unlink()
    again = load_shard(make_shards(images[:12], trunk, tmp_path, SETTINGS)[1])
    assert all(np.array_equal(again[name], second[name]) for name in second)


def test_an_epoch_reads_every_row_once_in_an_order_of_its_own() -> None:
    def rows(epoch: int) -> list[tuple[str, int]]:
        return [(shard, int(row)) for shard, chosen in batches(["a", "b"], epoch, SETTINGS) for row in chosen]

    assert sorted(rows(0)) == sorted(rows(1)) == sorted((shard, row) for shard in "ab" for row in range(8))
    assert rows(0) != rows(1)
    assert rows(0) == rows(0)


def test_a_second_round_goes_on_from_the_first_and_a_finished_one_is_not_run_again(
    images: list[RatedImage], trunk: Trunk, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    branch, head = fine_tune(images, trunk, Branch(), tmp_path / "one", SETTINGS)
    assert {path.name for path in (tmp_path / "one").iterdir()} >= {"view-0", "view-1", "val", "state.pt", "curve.csv"}
    before = {name: value.clone() for name, value in branch.state_dict().items()}
    again, _ = fine_tune(images, trunk, Branch(), tmp_path / "one", SETTINGS)
    assert all(torch.equal(before[name], value) for name, value in again.state_dict().items())
    scale = head.scale.clone()
    further, same = fine_tune(images, trunk, branch, tmp_path / "two", replace(SETTINGS, seed=1, epochs=1), head)
    assert same is head and torch.equal(head.scale, scale)
    assert any(not torch.equal(before[name], value) for name, value in further.state_dict().items())


def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_weights(
    images: list[RatedImage], trunk: Trunk, tmp_path: Path
) -> None:
    found = []
    for folder, stops in (("whole", (None,)), ("stopped", (1, None))):
        for stop in stops:
            torch.manual_seed(1)
            branch, head = fine_tune(images, trunk, Branch(), tmp_path / folder, replace(SETTINGS, stop=stop))
        found.append(branch.state_dict() | head.state_dict())
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_the_held_out_share_is_a_sixteenth_and_told_by_the_name_alone() -> None:
    names = [RatedImage(Path("a") / f"{number}.jpg", 0.0, "") for number in range(4000)]
    held = [held_out(image) for image in names]
    assert 0.05 < np.mean(held) < 0.075
    assert held == [held_out(RatedImage(Path("B") / image.path.name.upper(), 1.0, "x")) for image in names]


def test_averaging_two_modules_averages_their_weights() -> None:
    torch.manual_seed(0)
    one, other = RatedHead(), RatedHead()
    expected = (one.out.weight + other.out.weight) / 2
    average(one, other)
    assert torch.allclose(one.out.weight, expected)

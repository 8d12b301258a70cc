"""What the label-free branch is asked, and that it learns to answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("cv2")
from cliqa.metrics.encoder import POOLED_WIDTH, Branch
from cliqa.training.grepq.damaged_views import KINDS, VIEWS, WEIGHTS
from cliqa.training.grepq.free_branch import UNCHOSEN, FreeSettings, damage_loss, fit_free_branch


def told(strength: torch.Tensor, unchosen: torch.Tensor) -> torch.Tensor:
    """The right answers."""
    goodness = -(strength @ torch.from_numpy(WEIGHTS)) - UNCHOSEN * unchosen[:, None]
    sure = (20.0 * unchosen - 10.0)[:, None, None].expand(-1, VIEWS, 1)
    return torch.cat([strength, goodness[..., None], sure], dim=-1)


def test_right_answers_cost_nothing_and_of_others_pictures_only_differences_are_asked():
    strength = torch.rand(3, VIEWS, len(KINDS))
    strength[:, 0] = 0
    clean, others = torch.tensor([[1, 0], [1, 1], [1, 0]]), torch.zeros(3, 2, dtype=torch.int64)
    right = told(strength, clean[:, 1].float())
    assert float(damage_loss(right, strength, clean)) < 1e-4
    moved = right.clone()
    moved[..., : len(KINDS) + 1] += 0.7  # a picture that was damaged before
    assert float(damage_loss(moved, strength, others)) < 1e-6
    assert float(damage_loss(moved, strength, clean)) > 0.1
    assert float(damage_loss(right.flip(1), strength, others)) > 0.1


def test_a_fit_resumes_and_lowers_the_loss(tmp_path: Path):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    strength = rng.random((8, VIEWS, len(KINDS))).astype(np.float32)
    strength[:, 0] = 0
    maps = 0.1 * rng.random((8, VIEWS, 32, 8, 8)) + strength.mean(-1)[..., None, None, None]
    shard = tmp_path / "shard.npz"
    np.savez(
        shard, maps=maps.astype(np.float16), early=rng.random((8, VIEWS, 48)).astype(np.float16), strength=strength,
        taught=rng.random((8, VIEWS, POOLED_WIDTH)).astype(np.float16), origin=np.tile(np.array([1, 0], np.int8), (8, 1)),
    )  # fmt: skip
    settings = FreeSettings(epochs=3, batch=4, rate=1e-3, average=0.5)
    net = fit_free_branch([shard], Branch(), tmp_path / "work", settings)
    lines = (tmp_path / "work" / "curve.csv").read_text().splitlines()
    damage = [float(line.split(",")[1]) for line in lines[1:]]
    assert len(damage) == 3
    assert damage[-1] < damage[0]
    again = fit_free_branch([shard], Branch(), tmp_path / "work", settings)
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), again.state_dict().values(), strict=True))

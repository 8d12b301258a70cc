"""Damage of known strength, and the views that are made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("cv2")
from cliqa.metrics.encoder import POOLED_WIDTH
from cliqa.training.grepq import damaged_views
from cliqa.training.grepq.damaged_views import KINDS, VIEWS, make_views
from tests.exposed_pictures import scene


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_more_strength_is_more_change(kind):
    pixels = scene(3)
    for way in kind.ways:
        changed = [
            np.abs(way(pixels, strength, np.random.default_rng(7)).astype(float) - pixels).mean()
            for strength in (0.05, 0.9)
        ]
        assert changed[0] < changed[1]
        assert way(pixels, 0.5, np.random.default_rng(7)).shape == pixels.shape


def test_views_are_one_picture_four_times_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "lossless").mkdir()
    for number in range(12):
        Image.fromarray(scene(number, (300, 400))).save(tmp_path / "lossless" / f"{number}.png")
    torch.manual_seed(0)
    encoder = damaged_views.Trunk().eval(), damaged_views.Branch().eval()
    monkeypatch.setattr(damaged_views, "_encoder", lambda backbone: encoder)
    made = [make_views(str(tmp_path), None, "", np.random.default_rng([1, index]), index) for index in (4, 4, 5)]
    assert made[0]["maps"].shape == (VIEWS, 32, 28, 28)
    assert made[0]["taught"].shape == (VIEWS, POOLED_WIDTH)
    assert all(np.array_equal(made[0][name], made[1][name]) for name in made[0])
    assert not np.array_equal(made[0]["maps"], made[2]["maps"])
    strength = made[0]["strength"]
    assert (strength[0] == 0).all()
    assert (strength[1] > 0).sum() == 1
    assert strength[2].max() > strength[1].max()
    assert 2 <= (strength[3] > 0).sum() <= 3
    assert made[0]["origin"][0] == 1

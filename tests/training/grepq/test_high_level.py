"""The label-free directions, learned from damage done to a few small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("cv2")
from cliqa.metrics.encoder import POOLED_WIDTH, Branch, Trunk
from cliqa.metrics.encoder_heads import balance
from cliqa.metrics.grepq_features import DAMAGES
from cliqa.signal.quality.picture_statistics import STATISTICS
from cliqa.training.grepq.high_level import GROUPS, HighSettings, fit_directions, observe_photos
from cliqa.training.photos import Photo
from cliqa.training.severity import DISTORTIONS


def photo(folder: Path, number: int) -> Photo:
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    path = folder / f"{number}.png"
    Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC).save(path)
    kind = "camera" if number == 2 else "lossless"
    return Photo(path=path, kind=kind, split="train", origin=path.name)


def test_every_kind_of_damage_has_its_distortions() -> None:
    assert (*GROUPS, "camera") == DAMAGES
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(DISTORTIONS)


def test_directions_separate_the_damage_that_they_were_fitted_to(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trunk, branch = Trunk().eval(), Branch().eval()
    photos = [photo(tmp_path, number) for number in range(3)]
    settings = HighSettings(penalty=1e-3)
    observed = observe_photos(photos, trunk, branch, tmp_path / "work", settings)
    rows = len(photos) * (1 + len(DISTORTIONS))
    assert observed["features"].shape == (rows, POOLED_WIDTH)
    assert observed["statistics"].shape == (rows, len(STATISTICS))
    assert observed["targets"].shape == (rows, 1 + len(DAMAGES))
    assert (observed["targets"][:-10, -1] == 0).all() and (observed["targets"][-10:, -1] == -1).all()
    again = observe_photos(photos, trunk, branch, tmp_path / "work", settings)
    assert all(np.array_equal(observed[name], again[name]) for name in observed)

    tensors = fit_directions(observed, settings)
    x = np.clip((observed["features"] - tensors["high.mean"]) / tensors["high.scale"], -6, 6)
    x = x * balance()
    for direction, target in zip(
        [tensors["high.weight"][0], *tensors["damage.weight"]], observed["targets"].T, strict=True
    ):
        assert np.corrcoef(x @ direction, target)[0, 1] > 0.8
        assert np.std(x @ direction) == pytest.approx(1.0)

"""The label-free directions, told again from what the tuned network says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("cv2")
from cliqa.metrics.encoder import POOLED_WIDTH, Branch, Trunk, balance
from cliqa.metrics.grepq_features import DAMAGES
from cliqa.signal.quality.picture_statistics import STATISTICS
from cliqa.training.grepq.damaged_views import KINDS
from cliqa.training.grepq.free_branch import DamageHead, FreeNet
from cliqa.training.grepq.high_level import GROUPS, HighSettings, fit_directions, observe_pictures, observe_views

ANSWERS = len(KINDS) + 2


def test_every_damage_has_its_kinds() -> None:
    assert (*GROUPS, "camera") == DAMAGES
    names = {kind.name for kind in KINDS}
    assert all(name in names for group in GROUPS.values() for name in group)


def network() -> FreeNet:
    torch.manual_seed(0)
    return FreeNet(Branch(), DamageHead(torch.zeros(POOLED_WIDTH), torch.ones(POOLED_WIDTH), 0.0)).eval()


def test_pictures_and_views_are_observed_alike_and_once(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trunk, net, paths = Trunk().eval(), network(), []
    for number in range(3):
        small = np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC).save(paths[-1])
    settings = HighSettings(pictures=2, views=3)
    met = observe_pictures(paths, trunk, net, tmp_path / "work", settings)
    assert met["features"].shape == (2, POOLED_WIDTH)
    assert met["answers"].shape == (2, ANSWERS)
    assert met["statistics"].shape == (2, len(STATISTICS))
    for path in paths:
        path.unlink()  # what is kept is not made again
    again = observe_pictures(paths, trunk, net, tmp_path / "work", settings)
    assert all(np.array_equal(met[name], again[name]) for name in met)

    shard = tmp_path / "shard.npz"
    rng = np.random.default_rng(5)
    np.savez(
        shard, maps=rng.random((2, 4, 32, 7, 7)).astype(np.float16), early=rng.random((2, 4, 48)).astype(np.float16)
    )
    views = observe_views([shard], net, settings)
    assert views["features"].shape == (8, POOLED_WIDTH)
    assert views["answers"].shape == (8, ANSWERS)


def test_directions_tell_what_the_answers_told() -> None:
    rng = np.random.default_rng(2)
    hidden = rng.normal(size=(160, ANSWERS)).astype(np.float32)
    features = (hidden @ rng.normal(size=(ANSWERS, POOLED_WIDTH))).astype(np.float32)
    pictures = {
        "features": features[:100],
        "answers": hidden[:100],
        "statistics": rng.normal(size=(100, len(STATISTICS))),
    }
    views = {"features": features[100:], "answers": hidden[100:]}
    tensors = fit_directions(pictures, views, HighSettings(penalty=1e-3))
    x = np.clip((pictures["features"] - tensors["high.mean"]) / tensors["high.scale"], -6, 6) * balance().numpy()
    good = x @ tensors["high.weight"][0] + tensors["high.bias"][0]
    assert np.corrcoef(good, hidden[:100, len(KINDS)])[0, 1] > 0.95
    assert np.std(good) == pytest.approx(1.0)
    assert np.mean(good) == pytest.approx(0.0, abs=1e-6)
    camera = x @ tensors["damage.weight"][-1]
    assert np.corrcoef(camera, -hidden[:100, -1])[0, 1] > 0.95

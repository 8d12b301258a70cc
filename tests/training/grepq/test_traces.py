"""Examples for the network that reads traces of compression and noise, and its fit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")
from cliqa.signal.networks.dense import Dense
from cliqa.signal.quality.trace_statistics import WIDTH
from cliqa.training.dense_fit import DenseFit
from cliqa.training.grepq import traces
from cliqa.training.photos import Photo
from cliqa.training.train import TrainOptions


@pytest.fixture
def photos(monkeypatch):
    rng = np.random.default_rng(0)
    small = [rng.integers(0, 256, (40, 40, 3), dtype=np.uint8) for _ in range(2)]
    pixels = [np.asarray(Image.fromarray(each).resize((400, 300), Image.Resampling.BICUBIC)) for each in small]
    known = [Photo(Path(kind), kind=kind, split="train", origin=kind) for kind in ("lossless", "camera")]
    monkeypatch.setattr(traces, "_photos", lambda data, split: known)
    monkeypatch.setattr(traces, "_pixels", lambda data, split, place: pixels[place])


def test_targets_grow_with_the_strength():
    assert traces.compression_target(None) == traces.compression_target(97) == 0
    assert traces.compression_target(5) == pytest.approx(1)
    assert traces.compression_target(20) - traces.compression_target(40) == pytest.approx(
        traces.compression_target(10) - traces.compression_target(20)
    )
    assert traces.noise_target(0) == 0
    assert traces.noise_target(50) == pytest.approx(1)
    assert traces.noise_target(4) < traces.noise_target(8)


def test_examples_are_those_of_their_number(photos):
    made = [traces.make_trace_example(np.random.default_rng([1, i]), i, "photos") for i in range(24)]
    again = traces.make_trace_example(np.random.default_rng([1, 3]), 3, "photos")
    assert all(np.array_equal(again[name], made[3][name]) for name in again)
    assert {example["statistics"].shape for example in made} == {(WIDTH,)}
    targets, known = (
        np.array([example["targets"] for example in made]),
        np.array([example["known"] for example in made]),
    )
    assert (targets >= 0).all()
    assert (targets[:, 0] > 0).any()
    assert (targets[:, 1] > 0).any()
    assert set(known) == {0.0, 1.0}


def test_fit_learns_and_unknown_noise_is_left_out(photos, monkeypatch, tmp_path):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(512, WIDTH)).astype(np.float32)
    truth = np.stack([x[:, 0] > 0, x[:, 1] > 0], axis=1).astype(np.float32)
    known = (rng.random(512) < 0.5).astype(np.float32)
    wrong = truth.copy()
    wrong[known == 0, 1] = 5.0  # a noise that nobody knows must teach nothing
    monkeypatch.setattr(traces, "generate", lambda *a, **k: {"statistics": x, "targets": wrong, "known": known})
    monkeypatch.setattr(traces, "FIT", DenseFit(hidden=(32,), epochs=30, batch=64, average=0.9))
    options = TrainOptions(tmp_path, None, tmp_path / "work", tmp_path, None, 1, 0)
    predicted = Dense(traces.fit_traces(options), "traces.")(x)
    assert np.mean((predicted > 0.5) == (truth > 0.5)) > 0.9
    assert predicted[:, 1].max() < 2

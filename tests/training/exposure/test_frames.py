"""Frames: what is said of their light, what is left open, and which snapshots they are made from."""

import csv

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from cliqa.signal.exposure.tones import MEDIAN_LUMA
from cliqa.training.exposure import faults, frames


@pytest.fixture
def scene():
    rng = np.random.default_rng(4)
    small = Image.fromarray(rng.integers(30, 190, (6, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((160, 120), Image.Resampling.BICUBIC))


def test_brightness_and_clipping_alone_are_labelled_and_agree_with_the_picture(scene):
    brightest, darkest, untouched = 0.0, 1.0, 0
    for seed in range(60):
        made = frames._frame(scene, np.random.default_rng(seed), known=True)
        severity, median = made["severity"], float(made["tones"][MEDIAN_LUMA])
        assert np.isfinite(severity[[faults.BRIGHT, faults.DARK, faults.CLIPPED]]).all()
        assert min(severity[faults.BRIGHT], severity[faults.DARK]) == 1
        if severity[faults.BRIGHT] > 2:
            brightest = max(brightest, median)
        elif severity[faults.DARK] > 2:
            darkest = min(darkest, median)
        elif np.isfinite(severity).all():
            untouched += 1
            assert (severity == 1).all()
    assert brightest > 0.7 and darkest < 0.25 and 10 < untouched < 35


def test_a_snapshot_as_it_is_says_only_that_it_is_not_too_bright(scene):
    found = [frames._frame(scene, np.random.default_rng(seed), known=False)["severity"] for seed in range(40)]
    open_ones = [row for row in found if np.isnan(row[faults.DARK])]
    assert len(open_ones) > 5
    assert all(row[faults.BRIGHT] == 1 and np.isnan(row[1:]).all() for row in open_ones)


def test_good_snapshots_are_rated_well_of_the_first_subsets_and_reach_neither_end(tmp_path, scene):
    (tmp_path / "Images").mkdir()
    white = scene.copy()
    white[:20] = 255
    pictures = {"ss01 (1).jpg": (scene, 0.7), "ss01 (2).jpg": (scene, 0.5), "ss02 (1).jpg": (white, 0.9),
                "ss02 (2).jpg": (scene // 8, 0.8), "ss03 (1).jpg": (scene, 0.9)}  # fmt: skip
    for name, (pixels, _) in pictures.items():
        Image.fromarray(pixels).save(tmp_path / "Images" / name)
    with open(tmp_path / "Train (Images and MOS).csv", "w", newline="") as stream:
        rows = [(name, rating) for name, (_, rating) in pictures.items()]
        csv.writer(stream).writerows([("Images", "MOS"), *rows, ("ss01 (9).jpg", 0.9)])
    assert [path.name for path in frames.good_snapshots(tmp_path)] == ["ss01 (1).jpg"]
    assert np.isfinite(frames.make_snapshot_frame(tmp_path, np.random.default_rng(0), 0)["tones"]).all()

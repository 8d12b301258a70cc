"""Low light: what is taken from a picture, what is kept, and which snapshots count as dark."""

import csv

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from cliqa.training.exposure import low_light as low


@pytest.fixture
def scene():
    rng = np.random.default_rng(4)
    small = Image.fromarray(rng.integers(30, 226, (6, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((160, 120), Image.Resampling.BICUBIC))


def test_the_median_pixel_loses_the_light_that_is_reported(scene):
    for seed in range(12):
        pixels, ev = low.low_light(np.random.default_rng(seed), scene)
        small = np.asarray(Image.fromarray(scene).resize(pixels.shape[1::-1], Image.Resampling.BICUBIC))
        before, after = (np.median(low.srgb_to_linear(part / 255.0) @ low._LUMINANCE) for part in (small, pixels))
        assert np.log2((before + low.FLOOR) / (after + low.FLOOR)) == pytest.approx(ev, abs=0.6)
        assert ev < low.MOST_LOSS + 1.5


def test_white_and_black_originals_are_no_trouble():
    with np.errstate(all="raise", under="ignore"):
        for value in (0, 255):
            for seed in range(6):
                pixels, ev = low.low_light(np.random.default_rng(seed), np.full((96, 96, 3), value, np.uint8))
                assert np.isfinite(ev) and pixels.dtype == np.uint8


def test_lamps_only_add_light(scene):
    light = low.srgb_to_linear(scene / 255.0) * 0.05
    lit = low._add_lamps(np.random.default_rng(0), light)
    assert (lit >= light).all()
    assert lit.max() > 0.5 and np.median(lit) < 0.1


def test_snapshots_are_dark_by_their_own_tones_and_of_the_first_subsets(tmp_path, scene):
    (tmp_path / "Images").mkdir()
    black_behind = np.zeros_like(scene)
    black_behind[40:80, 50:110] = 230  # a well-lit subject
    pictures = {
        "ss01 (1).jpg": scene // 8, "ss01 (2).jpg": scene, "ss02 (1).jpg": black_behind, "ss02 (2).jpg": scene // 6,
        "ss03 (1).jpg": scene // 8,
    }  # fmt: skip
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(tmp_path / "Images" / name)
    with open(tmp_path / "Train (Images and MOS).csv", "w", newline="") as stream:
        csv.writer(stream).writerows([["Images", "MOS"], *([name, 0.5] for name in pictures), ["ss01 (9).jpg", 0.5]])
    assert [path.name for path in low.dark_snapshots(tmp_path)] == ["ss01 (1).jpg", "ss02 (2).jpg"]
    example = low.make_dark_snapshot(tmp_path, np.random.default_rng(0), 0)
    assert np.isfinite(example["tones"]).all()
    assert np.isnan(example["severity"][1:]).all() and example["severity"][0] == 1

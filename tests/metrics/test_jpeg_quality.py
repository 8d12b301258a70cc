from __future__ import annotations

import numpy as np
import pytest

from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import load_metric
from cliqa.metrics.base import View
from cliqa.metrics.jpeg_quality import JpegQuality
from cliqa.signal.jpeg.features import HYPOTHESES, hypotheses
from cliqa.signal.jpeg.history import read_history
from tests.jpeg_pictures import saved, stream, textured, tiles


def view(pixels: np.ndarray) -> View:
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


def shipped() -> JpegQuality:
    metric = load_metric("jpeg_quality")
    assert isinstance(metric, JpegQuality)
    return metric


def proposal(pixels: np.ndarray, name: str) -> float:
    return float(hypotheses(read_history(tiles(pixels)))[HYPOTHESES.index(name)])


def test_each_kind_of_evidence_proposes_what_happened():
    once = saved(textured(1), 70)
    assert proposal(once, "quality") == 70
    assert abs(proposal(once, "newest") - 70) <= 1
    assert proposal(once, "nearest") == pytest.approx(70, abs=2)
    assert abs(proposal(saved(saved(textured(1), 55), 82), "previous") - 55) <= 1
    shifted = saved(np.ascontiguousarray(saved(textured(1, 400), 55)[3:, 2:]), 90)
    assert min(abs(proposal(shifted, name) - 55) for name in ("older 1", "older 2", "older 3")) <= 2
    assert proposal(once, "none") == 100


@pytest.mark.parametrize("quality", [15, 50, 80, 92])
def test_shipped_weights_tell_one_save(quality: int):
    found = shipped().score_view(view(saved(textured(quality), quality)))
    assert abs(float(found["quality"] or 0) - quality) <= 2
    assert found["qf_header"] is None


def test_shipped_weights_leave_pictures_that_were_never_saved_alone():
    for seed in range(3):
        assert float(shipped().score_view(view(textured(seed)))["quality"] or 0) >= 97


def test_shipped_weights_tell_the_sampling():
    low = shipped().score_view(view(saved(textured(2), 85, "4:2:0")))
    full = shipped().score_view(view(saved(textured(2), 85, "4:4:4")))
    assert float(low["subsampling_420"] or 0) > 0.5 > float(full["subsampling_420"] or 0)


def test_header_quality_is_reported_for_jpeg_files():
    assert shipped().score_view(View(load_image(stream(textured(3), 64))))["qf_header"] == 64


@pytest.mark.parametrize(
    "pixels", [np.zeros((64, 64, 3), np.uint8), np.full((128, 300, 3), 255, np.uint8), textured(0, 40)]
)
def test_flat_and_tiny_pictures_get_a_number(pixels: np.ndarray):
    found = shipped().score_view(view(pixels))
    assert 0 <= float(found["quality"] or 0) <= 100
    assert 0 <= float(found["subsampling_420"] or 0) <= 1

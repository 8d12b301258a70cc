from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import CheckpointError
from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import load_metric
from cliqa.metrics.base import View
from cliqa.metrics.compression import Compression
from cliqa.signal.compression.codecs import CODECS
from tests.jpeg_pictures import textured

ROOT = Path(__file__).parents[2]


def view(pixels: np.ndarray) -> View:
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


def stream(format: str, pixels: np.ndarray, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **settings)
    return buffer.getvalue()


def file_fields(data: bytes) -> tuple[Any, Any, Any]:
    found = load_metric("compression").score_view(View(load_image(data)))
    return found["file_codec"], found["file_quality"], found["file_lossless"]


def test_what_a_file_says_of_itself() -> None:
    pixels = textured(3)
    assert file_fields(stream("JPEG", pixels, quality=64)) == ("jpeg", 64, 0)
    assert file_fields(stream("WEBP", pixels, quality=64))[1] == pytest.approx(64, abs=2)
    assert file_fields(stream("WEBP", pixels, lossless=True)) == ("webp", None, 1)
    assert file_fields(stream("AVIF", pixels, quality=50, speed=10)) == ("avif", 148, 0)
    assert file_fields(stream("PNG", pixels)) == ("none", None, 1)
    assert file_fields(stream("JPEG2000", pixels)) == ("jpeg2000", None, None)
    assert file_fields(stream("TIFF", pixels)) == (None, None, None)
    found = load_metric("compression").score_view(view(pixels))
    assert (found["file_codec"], found["file_quality"], found["file_lossless"]) == (None, None, None)


def test_a_lossy_jpeg_xl_is_told_though_no_network_reads_its_header() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    data = imagecodecs.jpegxl_encode(textured(3, 384), distance=0.3)
    found = load_metric("compression").score_view(View(load_image(data)))
    assert (found["file_codec"], found["file_lossless"], found["p_lossy"]) == ("jxl", 0, 1) and found["codec"] != "none"


def test_a_lossy_file_is_lossy_and_its_codec_is_none_of_none() -> None:
    found = load_metric("compression").score_view(View(load_image(stream("JPEG", textured(3), quality=100))))
    assert found["p_lossy"] == 1 and found["codec"] != "none"


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_fidelity_falls_with_quality_and_the_codec_is_named(format: str) -> None:
    metric, pixels, scores = load_metric("compression"), textured(6, 512), []
    for quality in (20, 60, 92):
        data = stream(format, pixels, quality=quality)
        scores.append(float(metric.score_view(View(load_image(data)))["fidelity"] or 0))
        png = metric.score_view(view(load_image(data).pixels[5:, 3:]))
        assert float(png["p_lossy"] or 0) > 0.5
        if quality < 50:  # these textures are no photographs, and above it the codec is a guess
            assert png["codec"] == format.lower()
        assert float(png["fidelity"] or 0) == pytest.approx(scores[-1], abs=20)
    assert scores[0] + 10 < scores[1] < scores[2] < 97


@pytest.mark.parametrize("name", ["stone.png", "facade.jpg", "lake.jpg"])
def test_a_bad_save_is_not_hidden_by_a_good_one_after_it(name: str) -> None:
    metric, photo = load_metric("compression"), load_image(str(ROOT / "examples/photos" / name)).pixels
    bad = load_image(stream("JPEG", photo, quality=40)).pixels
    once, twice, good = (
        float(metric.score_view(each)["fidelity"] or 0)
        for each in (view(bad), *(View(load_image(stream("JPEG", pixels, quality=95))) for pixels in (bad, photo)))
    )
    assert twice < once + 8 and twice + 8 < good


def test_pictures_that_lost_nothing_are_told_so() -> None:
    for seed in range(4):
        found = load_metric("compression").score_view(view(textured(seed, 384)))
        assert float(found["fidelity"] or 0) >= 95 and found["codec"] == "none"


@pytest.mark.parametrize(
    "pixels", [np.zeros((64, 64, 3), np.uint8), np.full((128, 300, 3), 255, np.uint8), textured(0, 40)]
)
def test_flat_and_tiny_pictures_get_numbers(pixels: np.ndarray) -> None:
    found = load_metric("compression").score_view(view(pixels))
    assert 0 <= float(found["fidelity"] or 0) <= 100 and found["codec"] in CODECS


def test_weights_without_a_network_are_refused() -> None:
    with pytest.raises(CheckpointError):
        Compression({}, {})

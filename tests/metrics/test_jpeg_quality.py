from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from PIL import features as features_of_pillow

from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import load_metric
from cliqa.metrics.base import View
from cliqa.metrics.jpeg_quality import JpegQuality, _older
from cliqa.signal.jpeg.features import HYPOTHESES, features, hypotheses
from cliqa.signal.jpeg.history import read_history
from cliqa.signal.jpeg.readings import has_few_colours
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


def test_an_older_grid_bears_an_answer_out_only_beyond_chance():
    shifted = read_history(tiles(saved(np.ascontiguousarray(saved(textured(1, 400), 55)[3:, 2:]), 90)))
    never = read_history(tiles(textured(1, 400)))
    assert any(abs(found - 55) <= 2 for found in _older(hypotheses(shifted), features(shifted)))
    assert not _older(hypotheses(never), features(never))


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


def resized(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("quality", "side"), [(40, 400), (50, 680)])
def test_a_save_is_seen_through_a_resize_and_a_later_save(quality: int, side: int):
    pixels = resized(saved(textured(quality, 512), quality), side)
    for later in (pixels, saved(pixels, 95)):
        found = shipped().score_view(view(later))
        assert abs(float(found["quality"] or 0) - quality) <= 2
        assert float(found["resized"] or 0) == pytest.approx(side / 512, rel=0.01)
        assert float(found["confidence"] or 0) > 0.6


def test_pictures_that_were_only_resized_stay_at_the_top():
    for side in (400, 680):
        found = shipped().score_view(view(resized(textured(5, 512), side)))
        assert float(found["quality"] or 0) >= 97 and found["resized"] == 1


def test_pixels_repeated_by_nearest_neighbour_are_judged_before_that():
    for pixels, quality in ((saved(textured(6), 45), 45), (textured(7), 100)):
        found = shipped().score_view(view(pixels.repeat(3, axis=0).repeat(3, axis=1)))
        assert abs(float(found["quality"] or 0) - quality) <= 2
        assert found["resized"] == 3


def test_a_turn_by_90_degrees_changes_nothing():
    pixels = saved(textured(8, 384), 35)
    found = shipped().score_view(view(np.rot90(pixels)))
    assert abs(float(found["quality"] or 0) - 35) <= 1


def test_text_is_no_jpeg_and_hides_no_photograph():
    canvas = Image.new("RGB", (768, 640), "white")
    draw = ImageDraw.Draw(canvas)
    for top in range(4, 640, 16):
        draw.text(
            (4, top), "Shipments rose by 12.5 % while returns fell; see table 7. " * 3, fill="black", font_size=13
        )
    assert float(shipped().score_view(view(np.asarray(canvas)))["quality"] or 0) >= 97
    canvas.paste(Image.fromarray(saved(textured(9, 300, 400), 50)), (150, 130))
    assert abs(float(shipped().score_view(view(np.asarray(canvas)))["quality"] or 0) - 50) <= 2


def test_the_lowest_part_of_a_collage_counts():
    canvas = textured(10, 768)
    canvas[381:, 5:389] = saved(textured(11, 387, 384), 40)
    assert abs(float(shipped().score_view(view(canvas))["quality"] or 0) - 40) <= 2


def test_other_codecs_with_blocks_are_no_jpeg():
    if not features_of_pillow.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    stream = io.BytesIO()
    Image.fromarray(textured(12, 512)).save(stream, "AVIF", quality=60, speed=9)
    assert float(shipped().score_view(View(load_image(stream.getvalue())))["quality"] or 0) >= 97


@pytest.mark.parametrize(("screened", "turn"), [("blobs", 0.45), ("blobs", 0.6), ("ramp", 0.56), ("ramp", 0.75)])
def test_softened_halftone_screens_are_no_jpeg(screened: str, turn: float):
    y, x = np.mgrid[:640, :640]
    tones = 110 + 90 * np.sin(x / 90) * np.cos(y / 70) if screened == "blobs" else 20 + x / 3
    screen = (np.sin((x + y) * turn) + np.sin((x - y) * turn) + 2) * 63.75
    dots = Image.fromarray(np.where(tones > screen, 255, 0).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))
    assert float(shipped().score_view(view(np.asarray(dots.convert("RGB"))))["quality"] or 0) >= 97


@pytest.mark.parametrize(("distance", "side", "seed"), [(2.0, 717, 13), (3.0, 435, 14)])
def test_a_resized_jpeg_xl_is_no_jpeg(distance: float, side: int, seed: int):
    imagecodecs = pytest.importorskip("imagecodecs")
    data = imagecodecs.jpegxl_encode(textured(seed, 512), distance=distance, effort=4, lossless=False)
    pixels = np.asarray(imagecodecs.jpegxl_decode(data), np.uint8)
    resized = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
    assert float(shipped().score_view(view(np.asarray(resized)))["quality"] or 0) >= 97


def test_a_save_is_read_beneath_a_palette():
    tint = np.array([1.0, 0.8, 0.6])
    pixels = (textured(6, 512) * tint).astype(np.uint8)
    few = [np.asarray(Image.fromarray(each).quantize(128).convert("RGB")) for each in (saved(pixels, 40), pixels)]
    assert all(has_few_colours(tiles(each)) for each in few)
    assert not has_few_colours(tiles(np.asarray(Image.fromarray(few[0]).convert("L").convert("RGB"))))  # levels of grey
    after, never = (float(shipped().score_view(view(each))["quality"] or 0) for each in few)
    assert abs(after - 40) <= 6
    assert never >= 97

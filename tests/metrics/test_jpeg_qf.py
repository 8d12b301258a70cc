from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.errors import ImageSkipped
from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics.base import View
from cliqa.metrics.jpeg_qf import JpegQf, choose_patches, select_patches
from cliqa.signal.jpeg.last_save import read_quality
from tests.jpeg_pictures import saved, stream, textured, tiles


def metric(**options: bool) -> JpegQf:
    tensors = {
        "calibrator.x": np.array([0, 50, 100], np.float32),
        "calibrator.y": np.array([0, 60, 100], np.float32),
        "previous.gain": np.array(0.2, np.float32),
        "confidence": np.array([0.5, 0.5, 0, -3, -1, 2, 1, 0, 0, -2], np.float32),
    }
    return JpegQf(tensors, {}, **options)


def view(pixels: np.ndarray) -> View:
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


def test_patch_rule_is_the_documented_one():
    assert choose_patches([20.0] * 30) == list(range(24))
    assert choose_patches([20.0, 5.0] * 6) == [0, 2, 4, 6, 8, 10]
    assert choose_patches([12.0] * 9) == [0, 1, 2, 3, 4]
    assert choose_patches([20.0, 12.0, 3.0]) == [0, 1]
    assert choose_patches([9.0] * 40) == []


def test_small_and_flat_images_are_skipped_with_the_reason():
    with pytest.raises(ImageSkipped, match="smaller than a patch"):
        select_patches(textured(0, 100))
    with pytest.raises(ImageSkipped, match="too little information"):
        select_patches(np.full((200, 200, 3), 90, np.uint8))


@pytest.mark.parametrize("quality", [12, 50, 83, 98])
def test_quality_is_exact_and_the_grid_is_told(quality: int):
    pixels = saved(textured(quality, 272), quality, "4:2:0")[5:, 3:]
    found = metric(no_calibrator=True).score_view(view(pixels))
    assert found["qf"] == found["qf_final"] == quality
    assert (found["grid_x"], found["grid_y"]) == (5, 3)
    assert found["previous_qf"] is None and found["qf_header"] is None
    assert 0 <= float(found["confidence"] or 0) <= 1


def test_flips_change_nothing():
    """Why averaging over flips is no part of the estimate: the evidence reads absolute coefficients."""
    rgb = tiles(saved(textured(5), 77))
    straight = read_quality(rgb)
    for flipped in (rgb[..., ::-1], rgb[:, :, ::-1], rgb[:, :, ::-1, ::-1]):
        answer = read_quality(np.ascontiguousarray(flipped))
        assert answer[0] == straight[0] == 77
        assert answer[4] == pytest.approx(straight[4], rel=1e-3)


def test_calibrator_is_applied_unless_it_is_switched_off():
    pixels = saved(textured(6), 50)
    assert metric().score_view(view(pixels))["qf_final"] == 60
    assert metric(no_calibrator=True).score_view(view(pixels))["qf_final"] == 50


def test_an_earlier_save_is_reported():
    found = metric(no_calibrator=True).score_view(view(saved(saved(textured(7), 60), 85)))
    assert found["qf_final"] == 85
    assert abs(int(found["previous_qf"] or 0) - 60) <= 1


def test_header_is_reported_beside_the_pixels():
    found = metric(no_calibrator=True).score_view(View(load_image(stream(textured(8), 71))))
    assert found["qf_header"] == found["qf_final"] == 71


@pytest.mark.parametrize("kind", ["CMYK", "TIFF", "RGB"])
def test_the_header_decides_where_the_pixels_agree(kind: str):
    picture, target = Image.fromarray(textured(11)), io.BytesIO()
    if kind == "TIFF":
        picture.save(target, "TIFF", compression="jpeg", quality=44)
    elif kind == "CMYK":
        inks = list(picture.convert("CMYK").split())
        inks[3] = inks[0].point(lambda value: value // 2)
        Image.merge("CMYK", inks).save(target, "JPEG", quality=44)
    else:
        picture.save(target, "JPEG", quality=44, keep_rgb=True)
    found = metric(no_calibrator=True).score_view(View(load_image(target.getvalue())))
    assert found["qf"] == found["qf_header"] == 44
    assert float(found["confidence"] or 0) >= 0.99


def test_an_earlier_save_is_the_same_with_the_header_and_without():
    first = saved(textured(4, 512), 45)
    file = io.BytesIO()
    Image.fromarray(first).save(file, "JPEG", quality=80)
    by_file = metric().score_view(View(load_image(file.getvalue())))
    by_pixels = metric().score_view(view(np.asarray(Image.open(file))))
    for name in ("previous_qf", "grid_x", "grid_y"):
        assert by_file[name] == by_pixels[name]
    assert by_file["previous_qf"] == 45


def test_the_pixels_decide_where_they_contradict_the_header():
    loaded = load_image(stream(textured(12), 90))
    other = LoadedImage(Image.fromarray(saved(textured(12), 35)), loaded.header)
    agreeing = metric(no_calibrator=True).score_view(View(loaded))
    found = metric(no_calibrator=True).score_view(View(other))
    assert (found["qf"], found["qf_header"]) == (35, 90)
    assert float(found["confidence"] or 0) <= 0.5 < float(agreeing["confidence"] or 0)


def test_pixels_repeated_by_nearest_neighbour_are_judged_before_that():
    pixels = saved(textured(13), 62)
    enlarged = pixels.repeat(3, axis=0).repeat(3, axis=1)
    assert metric(no_calibrator=True).score_view(view(enlarged))["qf"] == 62
    drawn = np.random.default_rng(0).integers(0, 4, (60, 70, 1)).astype(np.uint8) * np.uint8(80)
    art = view(np.broadcast_to(drawn, (60, 70, 3)).repeat(8, axis=0).repeat(8, axis=1))
    assert float(metric().score_view(art)["confidence"] or 0) < 0.5


def test_blocks_of_one_colour_are_the_lowest_qualities_and_no_replication():
    blurred = Image.fromarray(textured(15, 512)).filter(ImageFilter.GaussianBlur(5))
    picture = view(saved(np.asarray(blurred), 2))
    assert picture.unreplicated[1] == (8, 8)
    assert float(metric().score_view(picture)["qf"] or 0) <= 4

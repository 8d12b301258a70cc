"""The truth about a picture after sequences of steps, for every metric."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")
from cliqa.signal.noise.psnr import grey_psnr
from cliqa.training.codecs import encode_jpeg, encode_webp
from cliqa.training.histories.draws import uniform
from cliqa.training.histories.filters import edited, gamma, noise_of, retouched, sharpened, white_noise
from cliqa.training.histories.geometry import cropped, kernels_of, off_grid, quarter_turn, resized, rotated
from cliqa.training.histories.pages import framed
from cliqa.training.histories.picture import Picture, Save
from cliqa.training.histories.saves import jpeg, plain_jpeg, rolled, save
from tests.jpeg_pictures import textured

BICUBIC = kernels_of("BICUBIC")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def saved_at(picture: Picture, quality: int, sampling: str = "4:4:4") -> Picture:
    return save("jpeg", encode_jpeg, quality=quality, subsampling=sampling)(rng(), picture)


def test_a_bad_save_an_enlargement_and_a_good_save():
    picture = saved_at(Picture(textured(1, 200)), 60, "4:2:0")
    picture = resized(rng(), picture, (1.5, 1.5), BICUBIC)
    assert picture.pixels.shape == (300, 300, 3) and picture.grid is None and picture.file == b""
    picture = saved_at(picture, 90)
    assert (picture.jpeg_quality, picture.jpeg_last, picture.is_420) == (60, 90, True)
    assert picture.factors == (1.5, 1.5) and picture.resized_since == pytest.approx(1.5)
    assert picture.grid == (0, 0) and picture.file[:2] == b"\xff\xd8"
    picture = saved_at(picture, 40)
    assert (picture.jpeg_quality, picture.resized_since, picture.factors) == (40, 1, (1.5, 1.5))


def test_what_never_was_a_jpeg_has_no_quality():
    picture = Picture(textured(1, 64))
    assert (picture.jpeg_quality, picture.jpeg_last, picture.is_420, picture.strongest) == (100, 0, False, None)
    picture = save("webp", encode_webp, quality=30)(rng(), picture)
    assert (picture.jpeg_quality, picture.jpeg_last, picture.grid) == (100, 0, None)
    assert picture.saves[0].codec == "webp" and picture.saves[0].quality == 30


def test_a_crop_moves_the_grid_and_ends_the_file():
    picture = saved_at(Picture(textured(2, 128)), 50).cropped(3, 5)
    assert picture.grid == (3, 5) and picture.pixels.shape == (125, 123, 3) and picture.file == b""
    assert picture.cropped(5, 3).grid == (0, 0)
    assert cropped(rng(), saved_at(picture, 80), 40, 40, grid=8).grid == (0, 0)
    assert picture.jpeg_last == 50
    moved = rolled(rng(1), picture)
    assert sorted(moved.pixels.ravel()) == sorted(picture.pixels.ravel()) and moved.grid is not None


def test_a_reduction_takes_an_enlargement_back_and_no_more():
    picture = resized(rng(), Picture(textured(3, 100)), (0.5, 1.0), BICUBIC)
    assert picture.factors == (1, 1)
    picture = resized(rng(), picture, (2.0, 1.2), BICUBIC)
    assert picture.factors == (2.0, 1.2)
    turned = quarter_turn(lambda rng: 1)(rng(), picture)
    assert turned.factors == (1.2, 2.0) and turned.pixels.shape == (120, 100, 3)
    assert resized(rng(), turned, (0.5, 0.75), BICUBIC).factors == (1.0, 1.5)


def test_noise_is_measured_through_what_comes_after_it():
    start = np.full((160, 160, 3), 120, np.uint8)
    picture = white_noise(lambda rng: 8.0)(rng(1), Picture(start, clean=start))
    grey, _ = picture.noise_psnr()
    assert grey == pytest.approx(20 * np.log10(255 / 8), abs=0.3)  # the same in all channels, by this seed
    small = resized(rng(), picture, (0.5, 0.5), kernels_of("BOX"))
    assert small.noise_psnr()[0] == pytest.approx(grey + 6, abs=0.6)
    assert small.clean is not None and small.noise_psnr()[0] == grey_psnr(small.clean, small.pixels)
    assert sharpened(rng(3), picture).noise_psnr()[0] < grey


def test_saves_are_no_noise_where_the_lossless_twin_is_followed():
    start = textured(4, 160)
    picture = noise_of("gaussian", uniform(30, 30.01))(rng(2), Picture(start, lossless=start, clean=start))
    assert picture.lossless is picture.pixels
    before = picture.noise_psnr()
    assert before[0] == pytest.approx(30, abs=0.5)
    picture = saved_at(picture, 20)
    assert picture.noise_psnr() == before and picture.saves[0].error > 1
    assert grey_psnr(picture.clean, picture.pixels) != before[0]
    with pytest.raises(ValueError, match="clean"):
        Picture(start).noise_psnr()


def test_two_shots_count_half_of_their_difference():
    start = textured(5, 128)
    one = Picture(start, clean=start).noised(start, start + np.uint8(6), "shots", 0.5)
    whole = Picture(start, clean=start).noised(start, start + np.uint8(6), "grain")
    assert one.noise_psnr()[0] == pytest.approx(whole.noise_psnr()[0] + 10 * np.log10(2))


def test_noise_after_a_save_is_the_same_in_both_twins():
    start = textured(6, 128)
    picture = saved_at(Picture(start, lossless=start, clean=start), 30)
    noisy = white_noise(lambda rng: 5.0)(rng(3), picture)
    assert picture.clean is start and noisy.clean is start
    assert 25 < noisy.noise_psnr()[0] < 42
    added = noisy.pixels.astype(int) - picture.pixels, noisy.lossless.astype(int) - start
    inside = (noisy.pixels > 0) & (noisy.pixels < 255) & (noisy.lossless > 0) & (noisy.lossless < 255)
    np.testing.assert_array_equal(added[0][inside], added[1][inside])


@pytest.mark.parametrize("step", [edited, retouched, off_grid, rotated, framed, gamma(uniform(0.5, 2)), sharpened])
def test_the_lossless_twin_goes_through_the_same_step(step):
    start = textured(7, 120)
    for seed in range(9):
        picture = saved_at(Picture(start, lossless=start), 95)
        again, alone = step(rng(seed), picture), step(rng(seed), Picture(start))
        assert again.lossless is not None and again.lossless.shape == again.pixels.shape
        if again.noise == "clean":
            np.testing.assert_array_equal(again.lossless, alone.pixels)
        assert step(rng(seed), Picture(picture.pixels)).pixels.tobytes() == again.pixels.tobytes()


def test_the_save_that_changed_most_names_the_codec():
    start = textured(8, 128)
    picture = save("webp", encode_webp, quality=5)(rng(), Picture(start, lossless=start))
    assert saved_at(picture, 98).strongest.codec == "webp"
    better = save("webp", encode_webp, quality=99)(rng(), Picture(start, lossless=start))
    assert saved_at(better, 5).strongest.codec == "jpeg"


def test_a_save_that_cuts_a_row_cuts_the_twins():
    start = textured(9, 65)
    done = Picture(start, lossless=start, clean=start).saved(start[:64, :64], Save("other", 20))
    assert done.lossless.shape == done.clean.shape == (64, 64, 3)
    assert done.saves[0].error == 0


def test_a_frame_leaves_a_share():
    picture = framed(rng(), Picture(textured(1, 100)))
    assert picture.share == pytest.approx(100 * 100 / (picture.pixels.shape[0] * picture.pixels.shape[1]))


def test_tables_are_read_from_files_of_every_encoder():
    for seed in range(12):
        picture = plain_jpeg(lambda rng: 73)(rng(seed), Picture(textured(2, 64)))
        assert picture.jpeg_last == picture.saves[0].quality == 73
        picture = jpeg(40, 40, ijg_only=True)(rng(seed), picture)
        assert (picture.jpeg_quality, picture.jpeg_last) == (40, 40)

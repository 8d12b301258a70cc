from __future__ import annotations

import numpy as np

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.chroma import FEATURES, chroma_features, chroma_planes, integer_colour, phase_profiles
from tests.jpeg_pictures import saved, textured, tiles


def test_planes_are_those_of_jfif():
    rgb = np.array([[[200]], [[100]], [[50]]], np.uint8)[None]
    chroma = chroma_planes(rgb, luma(rgb))  # luma is rounded to integers, which moves them by up to 0.5 / 1.402
    assert np.isclose(chroma[0, 0, 0], -0.168736 * 200 - 0.331264 * 100 + 0.5 * 50, atol=0.36)
    assert np.isclose(chroma[1, 0, 0], 0.5 * 200 - 0.418688 * 100 - 0.081312 * 50, atol=0.36)


def test_profiles_equal_plain_loops():
    planes = np.random.default_rng(0).normal(size=(2, 40, 33)).astype(np.float32)
    found = phase_profiles(planes, 3, 0)
    sums, counts = np.zeros(16), np.zeros(16)
    for i in range(32):
        sums[(i - 3) % 16] += np.abs(planes[:, :, i + 1] - planes[:, :, i]).mean()
        counts[(i - 3) % 16] += 1
    expected = sums / counts
    if expected[7] > expected[15]:
        expected = np.roll(expected, 8)
    assert np.allclose(found[0], expected, atol=1e-5)


def test_profiles_across_and_down_change_places_with_the_axes():
    planes = np.random.default_rng(3).normal(size=(2, 48, 33)).astype(np.float32)
    found, turned = phase_profiles(planes, 3, 5), phase_profiles(planes.swapaxes(1, 2).copy(), 5, 3)
    assert np.allclose(found, turned[[2, 3, 0, 1]], atol=1e-5)


def test_third_differences_equal_those_of_numpy():
    planes = np.random.default_rng(4).normal(size=(1, 24, 19)).astype(np.float32)
    third = np.abs(np.diff(planes[0], n=3, axis=1)).mean(axis=0)  # 16: one of each phase
    rolled = [np.roll(third, 1), np.roll(third, 9)]
    found = phase_profiles(planes, 0, 0)[1]
    assert any(np.allclose(found, expected, atol=1e-5) for expected in rolled)


def test_repeated_chroma_has_no_difference_at_every_second_phase():
    small = np.random.default_rng(1).normal(0, 20, (1, 64, 64)).astype(np.float32)
    profile = phase_profiles(small.repeat(2, axis=1).repeat(2, axis=2), 0, 0)
    assert profile[0, 0::2].max() == 0 and profile[0, 1::2].min() > 5
    assert profile[2, 0::2].max() == 0


def test_smooth_upsampling_shows_in_the_third_difference():
    pictures = [tiles(saved(textured(2), 95, sampling)) for sampling in ("4:2:0", "4:4:4")]
    from_420, from_444 = (phase_profiles(chroma_planes(rgb, luma(rgb)), 0, 0)[1] for rgb in pictures)
    ratio = [max(p[0::2].mean() / p[1::2].mean(), p[1::2].mean() / p[0::2].mean()) for p in (from_420, from_444)]
    assert ratio[0] > 1.3 > ratio[1]


def test_decoded_colours_are_integers_in_ycc():
    decoded, coloured = integer_colour(tiles(saved(textured(4), 90)))
    never, _ = integer_colour(tiles(textured(4)))
    assert decoded > 0.95 and coloured > 0.5
    assert never < 0.4
    assert integer_colour(np.full((1, 3, 16, 16), 90, np.uint8)) == (0.0, 0.0)


def test_features_are_finite_and_as_many_as_said():
    for picture in (textured(5), np.zeros((128, 128, 3), np.uint8)):
        found = chroma_features(tiles(picture), luma(tiles(picture)), 0, 0)
        assert found.shape == (FEATURES,)
        assert np.isfinite(found).all()

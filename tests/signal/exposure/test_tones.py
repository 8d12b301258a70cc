"""Tone statistics against direct computation on pictures."""

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.exposure import tones


def histograms(pixels):
    luma = np.asarray(Image.fromarray(pixels).convert("L"))
    planes = [*pixels.transpose(2, 0, 1), luma, pixels.max(axis=2), pixels.min(axis=2)]
    return np.stack([np.bincount(plane.ravel(), minlength=256) for plane in planes]).astype(float), luma


@pytest.fixture
def picture():
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC))


def test_percentiles_and_moments_are_those_of_the_pixels(picture):
    counts, luma = histograms(picture)
    found = tones.histogram_statistics(counts)
    expected = np.percentile(luma, tones.PERCENTILES, method="inverted_cdf") / 255
    np.testing.assert_allclose(found[: len(tones.PERCENTILES)], expected, atol=1e-6)
    start = 6 * len(tones.PERCENTILES) + 72
    assert found[start] == pytest.approx(luma.mean() / 255, abs=1e-6)
    assert found[start + 1] == pytest.approx(luma.std() / 255, abs=1e-6)


def test_clipped_share_is_counted_at_254_and_255(picture):
    clipped = picture.copy()
    clipped[:24] = 254  # a tenth
    counts, luma = histograms(np.minimum(clipped, 254))
    found = tones.histogram_statistics(counts)
    share = 6 * len(tones.PERCENTILES) + 3 * 6  # row of luma, first of six
    assert 10 ** found[share] == pytest.approx((luma >= 254).mean(), rel=1e-3)


def test_width_and_finiteness_of_extremes():
    for value in (0, 127, 255):
        flat = np.full((50, 40, 3), value, np.uint8)
        counts, _ = histograms(flat)
        thumbnail = np.full((64, 64, 3), value, np.uint8)
        found = tones.tone_statistics(counts, thumbnail)
        assert found.shape == (tones.WIDTH,) and found.dtype == np.float32
        assert np.isfinite(found).all()


def test_regions_follow_the_picture():
    thumbnail = np.zeros((64, 64, 3), np.uint8)
    thumbnail[:, 32:] = 200
    found = tones.regional_statistics(thumbnail)
    grid = found[:64].reshape(8, 8)
    np.testing.assert_allclose(grid[:, :4], 0)
    np.testing.assert_allclose(grid[:, 4:], 200 / 255, rtol=1e-6)


def test_statistics_do_not_depend_on_how_many_pixels_there_are(picture):
    counts, _ = histograms(picture)
    thumbnail = np.asarray(Image.fromarray(picture).resize((64, 64), Image.Resampling.BOX))
    np.testing.assert_allclose(
        tones.tone_statistics(counts, thumbnail), tones.tone_statistics(counts * 8, thumbnail), atol=1e-5
    )

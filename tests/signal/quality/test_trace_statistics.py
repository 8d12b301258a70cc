"""Traces of compression and noise: the statistics, and what the shipped network makes of them."""

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.signal.quality.trace_statistics import BANDS, QUANTILES, WIDTH, trace_statistics

NEAR, FAR = slice(4, 4 + BANDS), slice(4 + BANDS, 4 + 2 * BANDS)
QUIET = slice(4 + 3 * BANDS, 4 + 3 * BANDS + len(QUANTILES))


def picture(side=384, seed=0):
    """Smooth shapes with some texture: float32 (side, side, 3), 40-215."""
    rng = np.random.default_rng(seed)
    field = np.zeros((side, side, 3))
    for cells, strength in ((6, 60), (24, 25), (96, 8)):
        small = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        field += strength * (np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)) / 127.5 - 1)
    return np.clip(127 + field, 40, 215)


def saved(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(np.rint(pixels).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def statistics(pixels):
    return trace_statistics(
        View(LoadedImage.from_array(np.ascontiguousarray(np.rint(pixels).astype(np.uint8)))).patches
    )


def test_shape_and_type():
    found = statistics(picture())
    assert found.shape == (WIDTH,)
    assert found.dtype == np.float32
    assert np.isfinite(statistics(np.zeros((40, 300, 3)))).all()


def test_the_grid_is_found_wherever_it_starts():
    compressed = saved(picture(), 25)
    at_home, moved = statistics(compressed), statistics(compressed[3:, 5:])
    plain = statistics(picture())
    for found in (at_home, moved):
        assert found[0] > plain[0] + 0.2
        assert found[2] > plain[2] + 0.2
        np.testing.assert_allclose(found[NEAR], at_home[NEAR], atol=0.1)
    assert (at_home[FAR] > plain[FAR])[:4].all()  # the higher bands of this picture are empty as it is


def test_quiet_places_tell_white_noise():
    flat = np.full((256, 256, 3), 120.0)
    for deviation in (2.0, 8.0):
        noisy = flat + np.random.default_rng(1).normal(0, deviation, flat.shape)
        luma = deviation * np.sqrt(0.299**2 + 0.587**2 + 0.114**2)
        median = np.exp(statistics(noisy)[QUIET][QUANTILES.index(50)])
        assert median == pytest.approx(luma, rel=0.1)


def test_shipped_scores_fall_with_compression_and_with_noise():
    metric = load_metric("grepq")

    def traces(pixels):
        return metric._traces({"traces": statistics(pixels)})

    qualities = [traces(saved(picture(), quality))[0] for quality in (92, 75, 50, 25, 10)]
    assert qualities == sorted(qualities)
    assert qualities[-1] > qualities[0] + 0.5
    rng = np.random.default_rng(2)
    louder = [traces(np.clip(picture() + rng.normal(0, s, (384, 384, 3)), 0, 255))[1] for s in (0, 6, 12, 24, 48)]
    assert louder == sorted(louder)
    assert louder[0] == 0

import numpy as np
import pytest

from cliqa.training.histories.softening import demosaiced, halftone, soften
from tests.rough_pictures import colored

pytest.importorskip("cv2")


@pytest.mark.parametrize("how", ["defocus", "motion", "rotation", "mosaic", "denoised"])
def test_softening_keeps_size_and_brightness(how):
    source = colored(120, 140)
    pixels = soften(np.random.default_rng(3), source, how)
    assert pixels.shape == source.shape and pixels.dtype == np.uint8
    assert abs(float(pixels.mean()) - float(source.mean())) < 4
    detail = [np.abs(np.diff(each.astype(float), axis=1)).mean() for each in (pixels, source)]
    assert detail[0] < detail[1] * 1.05


def test_demosaicing_keeps_the_colours():
    source = np.full((40, 40, 3), (200, 120, 40), np.uint8)
    for seed in range(8):
        assert np.abs(demosaiced(np.random.default_rng(seed), source).mean(axis=(0, 1)) - (200, 120, 40)).max() < 2


def test_halftone_has_few_tones_and_keeps_the_brightness():
    source = np.full((128, 128, 3), 90, np.uint8)
    for seed in range(10):
        pixels = halftone(np.random.default_rng(seed), source)
        assert pixels.shape == source.shape and pixels.std() > 10
        assert abs(float(pixels.mean()) - 90) < 45

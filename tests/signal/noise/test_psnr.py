import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from cliqa.signal.noise.psnr import chroma_psnr, grey, grey_psnr


def test_grey_is_the_rounded_mean_of_the_channels():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(grey(image), np.floor(image.mean(axis=2) + 0.5 + 1e-9))


@pytest.mark.parametrize("deviation", [2, 8, 30])
def test_agrees_with_scikit_image(deviation):
    rng = np.random.default_rng(deviation)
    before = rng.integers(0, 256, (64, 48, 3), dtype=np.uint8)
    after = np.clip(before + rng.normal(0, deviation, before.shape), 0, 255).astype(np.uint8)
    expected = peak_signal_noise_ratio(grey(before), grey(after), data_range=255)
    assert grey_psnr(before, after) == pytest.approx(expected)


def test_no_noise_is_fifty():
    image = np.full((16, 16, 3), 90, np.uint8)
    other = image.copy()
    other[0, 0] += 1
    assert grey_psnr(image, image) == 50.0
    assert grey_psnr(image, other) == 50.0  # 72 dB, cut off


def test_noise_of_the_colours_is_what_is_not_the_same_in_all_channels():
    rng = np.random.default_rng(0)
    before = np.full((200, 200, 3), 120, np.uint8)
    grey_noise = np.rint(before + rng.normal(0, 9, (200, 200, 1))).astype(np.uint8)
    assert chroma_psnr(before, grey_noise) == 50
    each = np.rint(before + rng.normal(0, 9, before.shape)).astype(np.uint8)
    assert chroma_psnr(before, each) == pytest.approx(20 * np.log10(255 / 9) + 10 * np.log10(3 / 2), abs=0.1)
    opposed = before.copy()
    opposed[..., 0] += 10
    opposed[..., 2] -= 10
    assert grey_psnr(before, opposed) == 50 and chroma_psnr(before, opposed) == pytest.approx(29.9, abs=0.1)

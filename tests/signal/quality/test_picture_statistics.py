"""Statistics of the picture against independent implementations and by what they must do."""

import numpy as np
import pytest
from scipy import ndimage

from cliqa.signal.quality.picture_statistics import STATISTICS, TONES, picture_statistics, tone_statistics


def named(pixels):
    found = picture_statistics(pixels)
    assert found.shape == (len(STATISTICS),) and found.dtype == np.float32
    return dict(zip(STATISTICS, found.tolist(), strict=True))


def picture(height=96, width=128, seed=0):
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(height, width, 3)), (2, 2, 0))
    return np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)


def test_agrees_with_scipy():
    pixels = picture()
    luma = pixels.astype(np.float64) @ [0.299, 0.587, 0.114]
    inner = np.s_[1:-1, 1:-1]
    squares = ndimage.sobel(luma, 0)[inner] ** 2 + ndimage.sobel(luma, 1)[inner] ** 2
    found = named(pixels)
    assert found["log_gradient_energy"] == pytest.approx(np.log1p(squares.mean()), rel=1e-4)
    assert found["log_laplacian_variance"] == pytest.approx(np.log1p(ndimage.laplace(luma)[inner].var()), rel=1e-4)
    assert found["luma_deviation"] == pytest.approx(luma.std(), rel=1e-4)
    assert found["luma_95"] == pytest.approx(np.percentile(luma, 95), abs=0.01)


def test_tones_are_the_same_numbers():
    found = named(picture())
    assert tone_statistics(picture()).tolist() == pytest.approx([found[name] for name in TONES], rel=1e-6)


def test_blur_takes_detail_and_grey_takes_colour():
    pixels = picture()
    blurred = ndimage.gaussian_filter(pixels, (2, 2, 0))
    for name in ("log_laplacian_variance", "log_gradient_energy", "block_detail_10", "block_detail_90"):
        assert named(blurred)[name] < named(pixels)[name]
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    assert named(grey)["colourfulness"] == named(grey)["saturation"] == 0
    assert named(np.full((40, 40, 3), 250, np.uint8))["bright_share"] == 1


@pytest.mark.parametrize("shape", [(3, 3), (3, 200), (33, 31)])
def test_small_pictures_are_one_block(shape):
    assert np.isfinite(picture_statistics(picture(*shape))).all()

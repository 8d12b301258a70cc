import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from cliqa.images.patches import spread_patches
from cliqa.signal.noise.blocks import decompose
from cliqa.signal.noise.traces import TRACES, codec_traces
from tests.images.test_paper import saved
from tests.noisy_pictures import add_noise, scene

STEPS, COLOURS = slice(0, 16), slice(16, 24)
ON, OFF = slice(24, 40), slice(40, 56)


def traces(image: Image.Image) -> np.ndarray:
    return codec_traces(decompose(spread_patches(image)))


def test_zeros_agree_with_scipy():
    tiles = np.repeat(np.random.default_rng(0).integers(120, 124, (1, 1, 128, 128), dtype=np.uint8), 3, axis=1)
    blocks = tiles[0, 0].reshape(32, 4, 32, 4).transpose(0, 2, 1, 3).reshape(-1, 4, 4)
    zero = np.abs(dctn(blocks.astype(float), axes=(1, 2), norm="ortho")) < 0.7
    np.testing.assert_allclose(codec_traces(decompose(tiles))[ON], zero.mean(axis=0).ravel(), atol=2e-3)


def test_jpeg_steps_at_every_eighth_pixel_and_webp_is_smooth_at_every_fourth():
    picture = add_noise(scene(512, 512), 6)
    jpeg = traces(saved(picture, "JPEG", 30))[STEPS]
    assert set(np.argsort(-jpeg)[:2]) == {7, 15}
    webp = traces(saved(picture, "WEBP", 30))[STEPS]
    fours = webp[3::4].mean() - np.delete(webp, [3, 7, 11, 15]).mean()
    plain = traces(Image.fromarray(picture))[STEPS]
    assert fours < -3 * np.abs(plain).max()  # its filter takes the steps, and more


def test_what_codecs_took_shows_as_blocks_without_variation():
    picture = add_noise(scene(512, 512), 3)
    shares = [
        traces(image)[-4]
        for image in (Image.fromarray(picture), saved(picture, "JPEG", 90), saved(picture, "JPEG", 30))
    ]
    assert shares[0] < 0.01 and shares[1] < shares[2]
    zeros = [traces(image)[ON].mean() for image in (Image.fromarray(picture), saved(picture, "WEBP", 40))]
    assert zeros[1] > 2 * zeros[0]


@pytest.mark.parametrize("count", [1, 2, 8])
@pytest.mark.parametrize("value", [0, 255])
def test_flat_tiles_give_finite_numbers_of_one_length(count, value):
    found = codec_traces(decompose(np.full((count, 3, 128, 128), value, np.uint8)))
    assert found.shape == (TRACES,) and found.dtype == np.float32 and np.isfinite(found).all()

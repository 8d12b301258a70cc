import numpy as np
import pytest
from PIL import Image

from cliqa.errors import CheckpointError
from cliqa.images.loading import LoadedImage
from cliqa.images.patches import select_patches, spread_patches, tile_detail
from cliqa.metrics import View, load_metric
from cliqa.metrics.grain_noise import LEVELS, GrainNoise
from cliqa.signal.noise.psnr import grey_psnr


@pytest.fixture(scope="module")
def metric():
    return load_metric("grain_noise")


def scene(height: int = 384, width: int = 384, seed: int = 0) -> np.ndarray:
    """A clean picture: soft shapes and a few edges, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (6, 6, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    y, x = np.mgrid[:height, :width]
    image[(x - 0.6 * width) ** 2 + (y - 0.4 * height) ** 2 < (0.2 * min(height, width)) ** 2] *= 0.6
    small = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return np.asarray(small)


def add_noise(pixels: np.ndarray, deviation: float, seed: int = 1) -> np.ndarray:
    """White noise that the three channels share."""
    noise = np.random.default_rng(seed).normal(0, deviation, (*pixels.shape[:2], 1))
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def view(pixels: np.ndarray) -> View:
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


@pytest.mark.parametrize("deviation", [3, 6, 12, 22])
def test_reads_the_psnr_of_white_noise(metric, deviation):
    clean = scene()
    noisy = add_noise(clean, deviation)
    assert metric.score_view(view(noisy))["psnr"] == pytest.approx(grey_psnr(clean, noisy), abs=2.5)


def test_clean_pictures_read_as_clean(metric):
    assert all(metric.score_view(view(scene(seed=seed)))["psnr"] >= 40 for seed in range(4))


@pytest.mark.parametrize("shape", [(32, 32), (40, 300), (129, 131), (700, 900)])
def test_psnr_is_in_range_at_any_size(metric, shape):
    rng = np.random.default_rng(0)
    for pixels in (scene(*shape), np.full((*shape, 3), 255, np.uint8), rng.integers(0, 256, (*shape, 3), np.uint8)):
        assert 0.0 <= metric.score_view(view(pixels))["psnr"] <= 50.0


def test_doubtful_pictures_read_as_noisy_and_sure_ones_as_clean():
    levels = len(LEVELS)

    def answer(clean: float, noisy: float) -> float:
        chances = np.full(levels, 1e-6, np.float32)
        chances[[-1, levels - 11]] = clean, noisy
        other = GrainNoise.__new__(GrainNoise)
        other.networks = [lambda statistics, regions: np.log(chances)]
        return float(other.score({"statistics": np.zeros(1), "regions": np.zeros((1, 1))})["psnr"])

    assert LEVELS[levels - 11] == 40
    assert answer(0.6, 0.4) == pytest.approx(40, abs=0.6)
    assert answer(0.95, 0.05) > 49


def test_grey_pictures_are_scored(metric):
    grey = add_noise(np.repeat(scene()[..., :1], 3, axis=2), 8)
    assert metric.score_view(view(grey))["psnr"] == pytest.approx(30, abs=3)


def test_tiles_are_spread_from_detailed_to_flat():
    pixels = np.full((512, 640, 3), 128, np.uint8)
    pixels[128:256, 128:256] = np.random.default_rng(0).integers(0, 256, (128, 128, 3))
    image = Image.fromarray(add_noise(pixels, 3))
    tiles = spread_patches(image, 8)
    detail = tiles.astype(float).std(axis=(2, 3)).mean(axis=1)
    assert tiles.shape == (8, 3, 128, 128)
    np.testing.assert_array_equal(tiles[0], select_patches(image, 1)[0])
    assert (np.diff(detail) <= 1e-9).all()
    assert detail[-1] == pytest.approx(tile_detail(image).min())
    assert len(spread_patches(image.crop((0, 0, 300, 260)), 8)) == 4
    assert len(spread_patches(image.crop((0, 0, 60, 260)), 8)) == 2


def test_damaged_weights_are_refused():
    with pytest.raises(CheckpointError, match="incomplete"):
        GrainNoise({"net0.weight.0": np.zeros((3, 3), np.float32)}, {})
    with pytest.raises(CheckpointError, match="incomplete"):
        GrainNoise({}, {})

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import CheckpointError
from cliqa.images.loading import LoadedImage
from cliqa.images.patches import select_patches, spread_patches, tile_detail
from cliqa.metrics import View, load_metric
from cliqa.metrics.grain_noise import LEVELS, TEMPERATURE, GrainNoise
from cliqa.signal.noise.psnr import chroma_psnr, grey_psnr
from tests.noisy_pictures import add_noise, scene


@pytest.fixture(scope="module")
def metric():
    return load_metric("grain_noise")


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


def answers(known: float, first: dict[int, float], saved: dict[int, float], colours: dict[int, float]) -> dict:
    """What the metric says of histograms, dB: chance, and of how far the first networks know the picture (0-1)."""

    def logits(chances: dict[int, float]) -> np.ndarray:
        found = np.full(len(LEVELS), 1e-6, np.float32)
        for level, chance in chances.items():
            found[LEVELS.tolist().index(level)] = chance
        return TEMPERATURE * np.log(found)

    other = GrainNoise.__new__(GrainNoise)
    told = np.log(known / (1 - known))
    other.first = [lambda statistics, regions: logits(first)]
    other.first[0].inputs = (1, 1)
    other.saved = [lambda statistics, regions: np.concatenate([logits(saved), logits(colours), [told]])]
    return other.score({"statistics": np.zeros(1), "regions": np.zeros((1, 1))})


def test_doubtful_pictures_read_as_noisy_and_sure_ones_as_clean():
    doubtful, sure = {50: 0.7, 40: 0.3}, {50: 0.95, 40: 0.05}
    found = answers(0.001, {20: 1.0}, doubtful, sure)
    assert found["psnr"] == pytest.approx(40, abs=0.6) and found["chroma_psnr"] > 49
    assert answers(0.001, {20: 1.0}, sure, doubtful)["psnr"] > 49


def test_the_first_networks_are_believed_where_they_know_the_picture():
    assert answers(0.999, {30: 1.0}, {45: 1.0}, {45: 1.0})["psnr"] == pytest.approx(30, abs=1)
    assert answers(0.001, {30: 1.0}, {45: 1.0}, {45: 1.0})["psnr"] == pytest.approx(45, abs=1)
    assert answers(0.999, {30: 1.0}, {45: 1.0}, {38: 1.0})["psnr"] == pytest.approx(45, abs=1)  # of the colours alone


def saved(pixels: np.ndarray, format: str, **settings: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **settings)
    return np.asarray(Image.open(stream).convert("RGB"))


@pytest.mark.parametrize(("format", "quality"), [("WEBP", 75), ("JPEG", 60)])
def test_noise_is_seen_through_codecs(metric, format, quality):
    clean = scene(512, 512)
    noisy = add_noise(clean, 9)
    found = metric.score_view(view(saved(noisy, format, quality=quality)))["psnr"]
    assert found == pytest.approx(grey_psnr(clean, noisy), abs=4)
    assert metric.score_view(view(saved(clean, format, quality=quality)))["psnr"] >= 40


def test_noise_of_the_colours_counts_in_its_own_field(metric):
    clean = scene(512, 512)
    noise = np.random.default_rng(0).normal(0, 12, (512, 512, 3))
    noisy = np.clip(np.rint(clean + noise - noise.mean(axis=2, keepdims=True)), 0, 255).astype(np.uint8)
    found = metric.score_view(view(noisy))
    assert found["psnr"] > 42
    assert found["chroma_psnr"] == pytest.approx(chroma_psnr(clean, noisy), abs=7)  # drawn scenes; photographs 2
    shared = metric.score_view(view(add_noise(clean, 9)))
    assert shared["chroma_psnr"] > shared["psnr"] + 8


def test_a_photograph_in_a_page_is_as_noisy_as_alone(metric):
    noisy = add_noise(scene(512, 512), 12)
    page = np.full((1100, 1200, 3), 255, np.uint8)
    page[20:-20:24, 30:-30] = np.where(np.random.default_rng(0).random((45, 1140, 1)) < 0.4, 15, 255)
    page[300:812, 400:912] = noisy
    alone, inside = (metric.score_view(view(pixels))["psnr"] for pixels in (noisy, page))
    assert inside == pytest.approx(alone, abs=1.5)


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

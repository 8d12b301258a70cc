import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import cliqa
from cliqa.errors import CheckpointError, UsageError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.metrics.sharpness import Sharpness
from tests.drawn_scenes import blurred, scene


@pytest.fixture(scope="module")
def metric():
    return load_metric("sharpness")


def noisy(pixels: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def view(pixels: np.ndarray) -> View:
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0, 4.5])
def test_reads_the_blur_of_the_whole_picture(metric, sigma):
    found = metric.score_view(view(noisy(blurred(scene(), sigma), 1)))
    assert found["blur"] == pytest.approx(sigma, abs=0.25 + 0.15 * sigma) and found["confidence"] > 0.5


def test_sharp_pictures_with_noise_or_a_soft_background_are_sharp(metric):
    picture = scene(seed=1)
    soft = blurred(picture, 5)
    soft[100:290, 90:300] = picture[100:290, 90:300]
    for pixels in (picture, noisy(picture, 8), soft):
        found = metric.score_view(view(pixels))
        assert found["blur"] < 1 and found["confidence"] > 0.5
    assert metric.score_view(view(soft))["sharp_share"] < metric.score_view(view(picture))["sharp_share"]


@pytest.mark.parametrize("angle", [0, 90])
def test_motion_has_a_length_and_a_direction(metric, angle):
    moved = ndimage.uniform_filter1d(scene(seed=2).astype(float), 17, axis=1 if angle == 0 else 0).round()
    found = metric.score_view(view(moved.astype(np.uint8)))
    assert found["motion"] == pytest.approx(17, abs=6) and found["blur"] > 2
    assert abs((found["motion_angle"] - angle + 90) % 180 - 90) < 10
    still = metric.score_view(view(scene(seed=2)))
    assert still["motion"] == 0 and still["motion_angle"] is None


def test_skies_and_flat_pictures_cannot_be_told(metric):
    y, x = np.mgrid[:400, :500]
    sky = np.clip(150 + 0.1 * y + 0.03 * x, 0, 255)[..., None].repeat(3, axis=2)
    for pixels in (noisy(sky.astype(np.uint8), 1.5), np.full((300, 300, 3), 90, np.uint8)):
        assert metric.score_view(view(pixels))["confidence"] < 0.5


def test_relative_is_of_the_long_side(metric):
    found = metric.score_view(view(blurred(scene(256, 512), 3)))
    assert found["relative"] == pytest.approx(1000 * found["blur"] / 512)


@pytest.mark.parametrize("shape", [(32, 32), (33, 700), (129, 131), (700, 900)])
def test_fields_are_in_range_at_any_size(metric, shape):
    rng = np.random.default_rng(0)
    for pixels in (
        scene(*shape, count=40),
        np.zeros((*shape, 3), np.uint8),
        rng.integers(0, 256, (*shape, 3), np.uint8),
    ):
        found = metric.score_view(view(pixels))
        for field in Sharpness.fields:
            value = found[field.name]
            assert (value is None and field.optional) or field.low <= value <= field.high


def test_the_map_shows_where(tmp_path):
    picture = scene(512, 512, 3, 500)
    half = blurred(picture, 5)
    half[:, :256] = picture[:, :256]
    Image.fromarray(half).save(tmp_path / "half.png")
    scorer = cliqa.load_metric("sharpness")
    found = scorer.map(tmp_path / "half.png")
    assert found.shape == (8, 8) and found.dtype == np.float32
    assert np.nanmedian(found[:, :4]) < 1 and np.nanmedian(found[:, 5:]) > 2.5
    assert np.isnan(scorer.map(np.full((200, 300, 3), 90, np.uint8))).all()
    assert scorer.map(scene(64, 2500, count=60)).shape[1] == 32
    with pytest.raises(UsageError, match="no map"):
        cliqa.load_metric("jpeg_quality").map(half)


def test_damaged_weights_are_refused():
    with pytest.raises(CheckpointError, match="incomplete"):
        Sharpness({"net0.rows.weight.0": np.zeros((3, 3), np.float32)}, {})
    with pytest.raises(CheckpointError, match="incomplete"):
        Sharpness({}, {})

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cliqa.errors import CheckpointError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.metrics.checkpoints import load, shipped_path
from cliqa.metrics.scale_factor import (
    LEARNED_TILES,
    READ_TILES,
    SMALLEST,
    ScaleFactor,
    detailed_window,
    joined_factor,
    observed_window,
)
from cliqa.signal.resampling.network_traces import network_traces
from tests.rough_pictures import colored


@pytest.fixture(scope="module")
def metric():
    return load_metric("scale_factor")


def view(pixels: np.ndarray) -> View:
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


@pytest.mark.parametrize("factor", [1.2, 1.37, 1.6, 1.85])
@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
def test_reads_the_factor(metric, factor, method):
    side = round(320 * factor)
    pixels = np.asarray(Image.fromarray(colored(320, 320)).resize((side, side), method))
    fields = metric.score_view(view(pixels))
    assert fields["scale"] == pytest.approx(side / 320, abs=0.03)
    assert fields["quality"] == pytest.approx(100 - 100 * (fields["scale"] - 1))


def test_reads_the_axes_apart(metric):
    pixels = np.asarray(Image.fromarray(colored(320, 320)).resize((440, 560), Image.Resampling.BICUBIC))
    fields = metric.score_view(view(pixels))
    assert fields["scale_x"] == pytest.approx(1.375, abs=0.03)
    assert fields["scale_y"] == pytest.approx(1.75, abs=0.03)
    assert fields["scale"] == pytest.approx(1.75, abs=0.03)


def test_repeated_pixels_read_as_two(metric):
    pixels = colored(200, 200).repeat(2, axis=0).repeat(2, axis=1)
    assert metric.score_view(view(pixels))["scale"] > 1.9


@pytest.mark.parametrize("factor", [2, 3, 8, 16])
def test_repeated_pixels_are_beyond_doubt(metric, factor):
    side = 320 // factor
    pixels = colored(side, side).repeat(factor, axis=0).repeat(factor, axis=1)
    assert metric.score_view(view(pixels))["scale"] == 2.0


def test_a_flat_ramp_repeats_no_pixels():
    ramp = np.arange(256, dtype=np.uint8).repeat(2)[None, :, None].repeat(300, axis=0).repeat(3, axis=2)
    assert list(observed_window(Image.fromarray(ramp), 8)["repeated"]) != [2, 2]


def test_reduced_is_not_enlarged(metric):
    pixels = np.asarray(Image.fromarray(colored(512, 512)).resize((330, 330), Image.Resampling.LANCZOS))
    assert metric.score_view(view(pixels))["quality"] >= 95


@pytest.mark.parametrize("radius", [2, 3])
def test_strong_blur_is_not_enlarged(metric, radius):
    pixels = np.asarray(Image.fromarray(colored(512, 512)).filter(ImageFilter.GaussianBlur(radius)))
    assert metric.score_view(view(pixels))["quality"] >= 95


@pytest.mark.parametrize("shape", [(32, 32), (40, 300), (129, 131), (700, 900)])
def test_fields_are_in_range_at_any_size(metric, shape):
    fields = metric.score_view(view(colored(*shape)))
    for field in ScaleFactor.fields:
        assert field.low <= fields[field.name] <= field.high
    flat = metric.score_view(view(np.full((*shape, 3), 90, np.uint8)))
    assert flat == {"scale": 1.0, "scale_x": 1.0, "scale_y": 1.0, "quality": 100.0, "learned": 0.0}
    if min(shape) < SMALLEST:
        assert fields["learned"] == 0.0


def test_turning_the_picture_swaps_the_axes(metric):
    pixels = np.asarray(Image.fromarray(colored(320, 320)).resize((480, 400), Image.Resampling.BICUBIC))
    one, other = metric.score_view(view(pixels)), metric.score_view(view(pixels.swapaxes(0, 1)))
    assert one["scale_x"] == pytest.approx(other["scale_y"], abs=1e-3)
    assert one["scale"] == pytest.approx(other["scale"], abs=1e-3)


def test_window_is_the_detailed_one():
    pixels = np.random.default_rng(0).integers(40, 216, (768, 1280, 3), dtype=np.uint8)  # no page: nothing is flat
    pixels[128:640, 640:1152] = colored(512, 512)
    image = Image.fromarray(pixels)
    assert detailed_window(image, 8) == (640, 128, 1152, 640)
    left, top, right, bottom = detailed_window(image, 2)
    assert (right - left, bottom - top) == (256, 256) and left % 128 == top % 128 == 0
    assert detailed_window(image.crop((0, 0, 600, 100)), 8) == (0, 0, 512, 100)
    assert detailed_window(image.crop((0, 0, 60, 900)), 8) == (0, 0, 60, 512)


def test_window_is_the_photograph_of_a_page():
    page = Image.new("RGB", (900, 1000), "white")
    draw = ImageDraw.Draw(page)
    for top in range(10, 980, 22):
        draw.text(
            (10, top), "words and more words about the tonnage of ships " * 3, "black", ImageFont.load_default(15)
        )
    page.paste(Image.fromarray(colored(360, 300)), (333, 411))
    left, top, right, bottom = detailed_window(page, 8)
    assert 333 <= left < 380 and 411 <= top < 460 and 590 < right <= 633 and 730 < bottom <= 771


def test_joined_factor():
    assert joined_factor(1.5, 1.5) == pytest.approx(1.5)
    assert joined_factor(1.50, 1.52) == pytest.approx((1.50 * 1.52) ** 0.5)
    assert joined_factor(1.1, 1.6) == joined_factor(1.6, 1.1) == 1.6


def test_damaged_weights_are_refused():
    with pytest.raises(CheckpointError, match="incomplete"):
        ScaleFactor({"net0.maps.mean": np.zeros(3, np.float32)}, {})
    facts = {"metric": "scale_factor", "architecture": ScaleFactor.architecture, "version": ScaleFactor.version}
    tensors, metadata = load(shipped_path("scale_factor"), **facts)
    for lost in ("learned.shift", "learned.net0.weight.0", "learned.net"):
        with pytest.raises(CheckpointError, match="incomplete"):
            ScaleFactor({name: value for name, value in tensors.items() if not name.startswith(lost)}, metadata)


def test_learned_is_the_mean_over_tiles_and_networks_against_the_threshold(metric):
    picture = view(colored(256, 256))
    traces = network_traces(picture.tiles.with_corner(LEARNED_TILES), READ_TILES)
    assert len(traces) == READ_TILES
    logit = np.mean([network(traces) for network in metric.detectors]) - metric.shift
    learned = metric.score_view(picture)["learned"]
    assert 0.0 < learned < 1.0
    assert np.log(learned / (1 - learned)) == pytest.approx(logit, abs=1e-2)  # traces travel as float16

"""Bars and frames are found, and nothing else is taken for one; pictures without colour or content are told."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from cliqa.images.frame import content_box, on_grid, plainness
from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import View, load_metric
from tests.conftest import encode
from tests.jpeg_pictures import textured

WIDTH, HEIGHT = 300, 240


def picture(seed: int = 1) -> Image.Image:
    return Image.fromarray(textured(seed, WIDTH)[:HEIGHT])


def saved(image: Image.Image, quality: int | None) -> Image.Image:
    if quality is None:
        return image
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def near(found: tuple[int, int, int, int] | None, true: tuple[int, int, int, int], most: int) -> bool:
    """Whether a box lies in the true one, and at most so many pixels within it."""
    if found is None:
        return False
    inset = [found[0] - true[0], found[1] - true[1], true[2] - found[2], true[3] - found[3]]
    return min(inset) >= 0 and max(inset) <= most


@pytest.mark.parametrize("quality", [None, 92, 70])
@pytest.mark.parametrize("colour", ["black", "white", "#3050a0"])
@pytest.mark.parametrize("border", [(0, 30, 0, 30), (40, 0, 40, 0), (25, 25, 25, 25), (20, 16, 20, 60)])
def test_bars_and_frames_are_found(border: tuple[int, int, int, int], colour: str, quality: int | None) -> None:
    framed = ImageOps.expand(picture(), border, colour)
    true = (border[0], border[1], border[0] + WIDTH, border[1] + HEIGHT)
    assert near(content_box(saved(framed, quality)), true, 0 if quality is None else 9)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_thin_lines_and_frames_within_frames(line: int) -> None:
    framed = ImageOps.expand(ImageOps.expand(picture(), line, "black"), 30, "white")
    inside = 30 + line
    assert content_box(framed) == (inside, inside, inside + WIDTH, inside + HEIGHT)
    assert content_box(ImageOps.expand(picture(), line, "black")) == (line, line, line + WIDTH, line + HEIGHT)


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("colour", ["black", "white"])
@pytest.mark.parametrize("quality", [85, 75, 50])
def test_thin_lines_that_a_later_jpeg_has_blurred(line: int, colour: str, quality: int) -> None:
    framed = saved(ImageOps.expand(picture(), line, colour), quality)
    assert near(content_box(framed), (line, line, line + WIDTH, line + HEIGHT), 2)


def test_a_bar_on_one_side_must_be_black_or_white() -> None:
    def below(colour: str) -> Image.Image:
        return ImageOps.expand(picture(), (0, 0, 0, 40), colour)

    assert content_box(below("white")) == content_box(below("black")) == (0, 0, WIDTH, HEIGHT)
    assert content_box(below("#f0d000")) is None


def test_a_dark_sky_under_a_black_bar() -> None:
    night = np.asarray(picture()).copy()
    for column in range(WIDTH):
        edge = 50 + int(20 * np.sin(column / 30))
        night[:edge, column] = np.random.default_rng(column).integers(0, 9, (edge, 3))
    framed = ImageOps.expand(Image.fromarray(night), (0, 30), "black")
    assert near(content_box(framed), (0, 30, WIDTH, 30 + HEIGHT), 0)


def sky() -> Image.Image:
    """White down to hills of another height in every column."""
    pixels = np.asarray(picture()).copy()
    for column in range(WIDTH):
        pixels[: 60 + int(20 * np.sin(column / 40)), column] = 255
    return Image.fromarray(pixels)


def studio() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    disc = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(disc).ellipse((60, 40, 240, 220), fill=255)
    image.paste(picture(), mask=disc)
    return image


def drawing() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    for step in range(30, 200, 20):
        draw.line((20, step, 280, step + 10), fill="black", width=2)
    return image


def gradient() -> Image.Image:
    return Image.fromarray(
        np.repeat(np.linspace(0, 255, HEIGHT).astype(np.uint8)[:, None, None], WIDTH, 1).repeat(3, 2)
    )


def night() -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 6, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for place in np.random.default_rng(4).integers(20, 220, (40, 2)):
        pixels[place[0] : place[0] + 2, place[1] : place[1] + 2] = 240
    return Image.fromarray(pixels)


def horizon() -> Image.Image:
    """A blue sky without a cloud over a level sea."""
    pixels = np.asarray(picture()).copy()
    pixels[:90] = (120, 170, 230)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("make", [picture, sky, studio, drawing, gradient, night, horizon])
@pytest.mark.parametrize("quality", [None, 75])
def test_what_is_no_bar(make: object, quality: int | None) -> None:
    image = make()  # type: ignore[operator]
    assert content_box(saved(image, quality)) is None
    flat = Image.new("RGB", (200, 200), "white")
    assert content_box(flat) is None


def test_a_transparent_margin_is_a_frame() -> None:
    image = Image.new("RGBA", (400, 360))
    image.paste(picture(), (40, 60))
    loaded = load_image(encode(image, "PNG"))
    assert loaded.content_box == (40, 60, 40 + WIDTH, 60 + HEIGHT)
    assert loaded.facts()["content_box"] == "40,60,300,240"


def test_views_are_those_of_the_picture_inside() -> None:
    framed = LoadedImage.from_pil(ImageOps.expand(picture(), (24, 40), "black"))
    bare = LoadedImage.from_pil(picture())
    np.testing.assert_array_equal(framed.thumbnail(100), bare.thumbnail(100))
    np.testing.assert_array_equal(np.asarray(framed.sample(10_000)), np.asarray(bare.sample(10_000)))
    np.testing.assert_array_equal(np.asarray(framed.inside), np.asarray(bare.stored)[:, : WIDTH // 8 * 8])
    np.testing.assert_array_equal(np.asarray(framed.upright), np.asarray(bare.upright))
    assert framed.pixels.shape == (HEIGHT + 80, WIDTH + 48, 3)
    assert bare.facts()["content_box"] == ""


def test_grid_metrics_keep_the_phase_of_the_stored_image() -> None:
    assert on_grid((13, 16, 101, 95)) == (16, 16, 96, 88)
    framed = ImageOps.expand(Image.fromarray(textured(5, 400)), (13, 21), "black")
    jpeg = load_image(encode(framed, "JPEG", quality=60))
    assert jpeg.content_box is not None
    fields = load_metric("jpeg_qf").score_view(View(jpeg))
    assert (fields["qf_final"], fields["grid_x"], fields["grid_y"]) == (60, 0, 0)


@pytest.mark.parametrize("colour", ["black", "white"])
def test_exposure_is_that_of_the_picture_without_bars(colour: str) -> None:
    metric = load_metric("exposure")
    bare = metric.score_view(View(LoadedImage.from_pil(picture(7))))
    framed = metric.score_view(View(LoadedImage.from_pil(ImageOps.expand(picture(7), (0, 30), colour))))
    assert framed == bare


def smooth() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((320, 240), Image.Resampling.BICUBIC)


def test_colour_and_grey() -> None:
    colour = smooth()
    grey = colour.convert("L").convert("RGB")
    assert plainness(colour)["grey"] == 0 and plainness(grey)["grey"] == 1 and plainness(saved(grey, 60))["grey"] == 1
    sepia = Image.fromarray((np.asarray(grey) * [1.0, 0.85, 0.6]).astype(np.uint8))
    assert plainness(sepia)["grey"] == 0


def test_flat_pictures_hold_nothing() -> None:
    noise = np.random.default_rng(0).normal(0, 2.5, (240, 320, 3))
    paper = Image.fromarray(np.clip(np.rint(235 + noise), 0, 255).astype(np.uint8))
    assert plainness(paper)["flat"] == 1 and plainness(saved(paper, 60))["flat"] == 1
    assert plainness(smooth())["flat"] == 0
    sky = Image.fromarray(np.tile(np.linspace(90, 180, 240).astype(np.uint8)[:, None, None], (1, 320, 3)))
    assert plainness(sky)["flat"] == 0

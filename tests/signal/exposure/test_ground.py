"""A white ground is told from light that overflows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from cliqa.signal.exposure.ground import white_ground
from tests.exposed_pictures import cut_out, exposed, scene


def as_jpeg(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


@pytest.mark.parametrize("quality", [None, 92])
def test_the_ground_of_a_cut_out_is_found_up_to_its_edge(quality):
    pixels, disc = cut_out(texture=exposed(scene(), -1.0))
    found = white_ground(pixels if quality is None else as_jpeg(pixels, quality))
    assert found is not None
    ground, cells = found
    assert (ground & disc).mean() < 0.01
    assert (~ground & ~disc).mean() < (0.002 if quality is None else 0.03)
    assert cells.shape == (64, 64) and cells[0].all() and not cells[30, 30]


def test_a_page_of_text_is_ground_between_its_lines():
    page = Image.new("RGB", (500, 700), (255, 255, 255))
    draw = ImageDraw.Draw(page)
    for line in range(40, 660, 18):
        draw.text((40, line), "the light that a page has is its paper's " * 2, fill=(20, 20, 20))
    pixels = np.asarray(page)
    found = white_ground(pixels)
    assert found is not None
    assert found[0].sum() > 0.99 * (pixels.min(axis=2) == 255).sum()


def test_light_that_fades_into_white_is_no_ground():
    pixels, disc = cut_out()
    glow = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(24)))
    assert (glow.min(axis=2) == 255).mean() > 0.2 and glow[0].min() == 255
    assert white_ground(glow) is None
    assert white_ground(np.where(disc[..., None], pixels, np.minimum(glow, 255))) is None


def test_a_blown_sky_is_no_ground_since_it_ends_at_the_land():
    pixels = scene(1).copy()
    pixels[: pixels.shape[0] // 2] = 255
    assert white_ground(pixels) is None
    assert white_ground(exposed(scene(1), 4.0)) is None


def test_an_empty_page_and_a_picture_smaller_than_the_cells_have_none():
    assert white_ground(np.full((300, 300, 3), 255, np.uint8)) is None
    assert white_ground(np.full((40, 300, 3), 255, np.uint8)) is None


def test_what_lies_around_a_subject_that_is_over_exposed_itself_is_no_ground():
    pixels, disc = cut_out(texture=exposed(scene(), 1.0))
    subject = pixels[disc]
    assert ((subject.max(axis=1) >= 253) & (subject.min(axis=1) < 253)).mean() > 0.09
    assert white_ground(pixels) is None
    assert white_ground(cut_out(texture=exposed(scene(), -1.0))[0]) is not None

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.signal.jpeg.filtered import CLEAR, read_filtered
from tests.jpeg_pictures import saved, textured, tiles

FILTERS = {
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(1.0, 50, 0)),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(0.6)),
    "darker": lambda image: image.point(lambda value: value * 0.87),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("quality", [35, 60])
def test_the_quality_is_read_through_a_filter(name: str, quality: int):
    pixels = np.asarray(FILTERS[name](Image.fromarray(saved(textured(quality, 384), quality))))
    found = read_filtered(tiles(pixels), 0)
    likely, nats = found.best()
    assert nats > max(2 * CLEAR, found.other)
    assert abs(likely - quality) <= 5


def test_a_turn_shows_in_the_turned_tables_alone():
    pixels = saved(textured(4, 384), 50)
    assert read_filtered(tiles(np.ascontiguousarray(np.rot90(pixels))), 0).looks_turned
    assert not read_filtered(tiles(pixels), 0).looks_turned


def test_other_codecs_have_tables_of_another_shape():
    """A lattice with one step for all frequencies, as AV1 makes it, is no JPEG through a blur."""
    from cliqa.signal.jpeg.blocks import cut_blocks, dct_blocks, inverse_dct_blocks, luma

    y = luma(tiles(textured(5, 384)))
    blocks = dct_blocks(cut_blocks(y, 0, 0))
    pixels = (
        inverse_dct_blocks(14 * np.rint(blocks / 14)).reshape(-1, 16, 16, 8, 8).swapaxes(2, 3).reshape(-1, 128, 128)
    )
    rgb = np.clip(np.rint(pixels + 128), 0, 255).astype(np.uint8)[:, None].repeat(3, axis=1)
    found = read_filtered(np.ascontiguousarray(rgb), 0)
    assert found.other > max(CLEAR, found.best()[1])


def test_pictures_that_were_never_saved_show_nothing():
    assert read_filtered(tiles(textured(6, 384)), 0).best()[1] < CLEAR


def noisy(pixels: np.ndarray) -> np.ndarray:
    """Noise that fills the lattice of a fine save."""
    noise = np.random.default_rng(7).normal(0, 6, pixels.shape)
    return np.clip(np.rint(0.4 * pixels + 40 + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("last", [88, 90, 94])
def test_the_last_save_through_a_filter_is_no_save_before_it(last: int):
    """A blur leads the steps of 84 to those of 90 at half of the frequencies."""
    found = read_filtered(tiles(saved(noisy(textured(8, 384)), last)), 0, last)
    assert found.best(last - 6)[1] < CLEAR


def test_a_save_before_a_filter_and_another_save_still_shows():
    pixels = FILTERS["darker"](Image.fromarray(saved(textured(9, 384), 45)))
    likely, nats = read_filtered(tiles(saved(np.asarray(pixels), 93)), 0, 93).best(87)
    assert nats > 4 * CLEAR
    assert abs(likely - 45) <= 5

"""Which of two files of one size was made of the other."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.copies.descent import made_of
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.jpeg_pictures import saved, textured


def grey(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"))


@pytest.mark.parametrize("before", [None, 45])
@pytest.mark.parametrize("quality", [70, 80, 92])
def test_a_jpeg_is_known_for_the_child_of_what_it_was_given(before: int | None, quality: int) -> None:
    source = textured(3, 384) if before is None else saved(textured(3, 384), before)
    child = saved(source, quality)
    assert made_of(grey(source), grey(child), LUMA_TABLES[quality - 1])


def test_a_source_is_no_child_of_the_coarser_jpeg_that_was_made_of_it() -> None:
    source = saved(textured(4, 384), 85)
    assert not made_of(grey(saved(source, 50)), grey(source), LUMA_TABLES[84])


def test_two_saves_of_one_picture_are_no_child_of_each_other() -> None:
    first, second = (saved(textured(5, 384), quality) for quality in (60, 85))
    assert not made_of(grey(first), grey(second), LUMA_TABLES[84])


def test_flat_pictures_tell_nothing() -> None:
    flat = np.full((128, 128), 200, np.uint8)
    assert not made_of(flat, flat, LUMA_TABLES[79])

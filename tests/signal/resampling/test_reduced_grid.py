"""The comb of a JPEG that was reduced is seen at its lines, and nowhere else."""

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.resampling.reduced_grid import reduced_grid
from cliqa.signal.resampling.spectra import BINS, LENGTH, RESIDUALS, luma, picture_evidence
from tests.rough_pictures import rough


def soft() -> Image.Image:
    """A picture of which blocks at quality 20 leave little but themselves."""
    small = Image.fromarray(np.clip(rough(320, 320), 0, 255).astype(np.uint8)).convert("RGB")
    return small.resize((640, 640), Image.Resampling.BICUBIC)


def lines_of(picture: Image.Image, size: int) -> np.ndarray:
    resized = picture.resize((size, size), Image.Resampling.BICUBIC)
    return picture_evidence(luma(np.asarray(resized)[:512, :512])).lines


@pytest.mark.parametrize("size", [500, 540])
def test_a_line_of_a_reduced_jpeg_is_explained_by_its_grid(size):
    stream = io.BytesIO()
    soft().save(stream, "JPEG", quality=20)
    third = 3 * 640 / size / 8  # cycles per pixel
    factor = 1 / (1 - min(third, 1 - third))
    saved = reduced_grid(lines_of(Image.open(stream), size), (factor, factor))
    assert saved > 1.25 and saved > reduced_grid(lines_of(soft(), size), (factor, factor)) + 0.15


def test_an_enlargement_is_not():
    assert max(reduced_grid(lines_of(soft(), size), (size / 640,) * 2) for size in (740, 800)) < 1.25


def test_one_strong_line_is_no_comb_and_no_factor_has_none():
    lines = np.zeros((2, len(RESIDUALS), BINS), np.float32)
    lines[..., 150] = 4
    factor = 1 / (1 - 75 / LENGTH)
    assert reduced_grid(lines, (factor, factor)) < 0.8
    assert reduced_grid(lines, (1.0, 1.0)) == -np.inf


def test_a_comb_made_by_hand():
    lines = np.zeros((2, len(RESIDUALS), BINS), np.float32)
    for harmonic in range(1, 6):
        place = 80 * harmonic % LENGTH
        lines[..., min(place, LENGTH - place)] = 2
    place = 6 * 80 - LENGTH  # the sixth, which is not drawn
    factor = 1 / (1 + place / LENGTH)
    assert reduced_grid(lines, (factor, factor)) > 2
    lines[..., 80] = 0  # one line less
    assert reduced_grid(lines, (factor, factor)) < 2

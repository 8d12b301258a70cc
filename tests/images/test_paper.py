import io

import numpy as np
import pytest
from PIL import Image

from cliqa.images.paper import paper_shares

TILE = 128


def saved(pixels: np.ndarray, format: str, quality: int) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, quality=quality)
    return Image.open(stream).convert("RGB")


def half_page(paper: tuple[int, int, int]) -> np.ndarray:
    """Noise on the left, paper with black lines on the right: 3 x 4 tiles."""
    pixels = np.random.default_rng(0).integers(0, 256, (3 * TILE, 4 * TILE, 3), dtype=np.uint8)
    pixels[:, 2 * TILE :] = paper
    pixels[::16, 2 * TILE :] = 0
    return pixels


@pytest.mark.parametrize("paper", [(255, 255, 255), (244, 238, 221), (30, 33, 38)])
def test_paper_is_found_in_its_tiles_alone(paper):
    shares = paper_shares(Image.fromarray(half_page(paper)), TILE)
    assert shares.shape == (3, 4)
    assert (shares[:, :2] < 0.01).all() and (shares[:, 2:] > 0.8).all()


@pytest.mark.parametrize(("format", "quality"), [("JPEG", 75), ("WEBP", 80)])
def test_paper_is_found_after_codecs(format, quality):
    shares = paper_shares(saved(half_page((255, 255, 255)), format, quality), TILE)
    assert (shares[:, :2] < 0.02).all() and (shares[:, 2:] > 0.4).all()


def test_two_grounds_are_both_paper():
    pixels = half_page((255, 255, 255))
    pixels[2 * TILE :, 2 * TILE :] = (20, 90, 160)
    assert (paper_shares(Image.fromarray(pixels), TILE)[:, 2:] > 0.8).all()


def test_a_clear_sky_and_a_noisy_wall_are_no_paper():
    y, x = np.mgrid[: 3 * TILE, : 4 * TILE]
    sky = np.dstack([110 + y / 16, 150 + y / 20, 210 + x / 40]).astype(np.uint8)
    wall = np.clip(np.rint(np.random.default_rng(1).normal(200, 1.5, (3 * TILE, 4 * TILE, 3))), 0, 255).astype(np.uint8)
    for pixels in (sky, wall):
        assert (paper_shares(Image.fromarray(pixels), TILE) == 0).all()


def test_large_pictures_are_thinned_out():
    small = half_page((255, 255, 255))
    large = np.tile(small, (6, 5, 1))  # 5.9 million pixels
    found = paper_shares(Image.fromarray(large), TILE)
    np.testing.assert_allclose(found, np.tile(paper_shares(Image.fromarray(small), TILE), (6, 5)), atol=0.1)

"""The patch sampler against its definition."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.images.patches import PATCH, Tiles, pad_to_patch, select_patches, spread_patches, tile_detail
from tests.conftest import make_pixels


def noisy_tiles(levels: list[list[int]]) -> Image.Image:
    """One 128x128 tile of noise per number, its amplitude."""
    rng = np.random.default_rng(0)
    rows = [
        np.concatenate([128 + rng.integers(-level, level + 1, (PATCH, PATCH, 3)) for level in row], axis=1)
        for row in levels
    ]
    return Image.fromarray(np.concatenate(rows).astype(np.uint8))


def test_detail_is_the_mean_deviation_of_the_channels() -> None:
    pixels = make_pixels(300, 270)
    detail = tile_detail(Image.fromarray(pixels))
    assert detail.shape == (2, 2)
    expected = pixels[128:256, :128].reshape(-1, 3).std(axis=0).mean()
    np.testing.assert_allclose(detail[1, 0], expected, rtol=1e-9)


def test_detail_of_large_images_is_measured_on_every_fourth_pixel() -> None:
    image = noisy_tiles([[10 * (row + column) for column in range(8)] for row in range(6)])
    detail = tile_detail(image)
    whole = np.asarray(image).astype(float).reshape(6, 128, 8, 128, 3).std(axis=(1, 3)).mean(axis=2)
    np.testing.assert_allclose(detail, whole, atol=2.5)


def test_the_most_detailed_tiles_come_first_and_ties_by_position() -> None:
    image = noisy_tiles([[5, 90, 20], [60, 1, 40]])
    assert Tiles(image).origins[:3] == [(128, 0), (0, 128), (256, 128)]
    patches = select_patches(image, 3)
    assert patches.shape == (3, 3, 128, 128) and patches.dtype == np.uint8
    np.testing.assert_array_equal(patches[0], np.asarray(image)[:128, 128:256].transpose(2, 0, 1))
    flat = Image.new("RGB", (300, 300), (7, 7, 7))
    assert Tiles(flat).origins[:8] == [(0, 0), (128, 0), (0, 128), (128, 128)]


def test_origins_share_the_phase_of_the_8x8_grid() -> None:
    assert all(x % 8 == 0 and y % 8 == 0 for x, y in Tiles(noisy_tiles([[3, 9], [27, 80]])).origins[:8])


def test_a_picture_of_one_tile_has_a_second_one_in_its_far_corner() -> None:
    pixels = make_pixels(200, 150)
    tiles = Tiles(Image.fromarray(pixels)).with_corner(4)
    np.testing.assert_array_equal(tiles[0], pixels[:128, :128].transpose(2, 0, 1))
    np.testing.assert_array_equal(tiles[1], pixels[16:144, 72:200].transpose(2, 0, 1))
    assert len(tiles) == 2
    for width, height, count, found in (
        (200, 150, 1, 1),
        (150, 159, 4, 1),
        (300, 150, 4, 2),
        (90, 60, 4, 1),
        (300, 300, 4, 4),
    ):
        assert len(Tiles(Image.fromarray(make_pixels(width, height))).with_corner(count)) == found


def test_small_images_are_mirrored_out() -> None:
    pixels = make_pixels(50, 40)
    padded = np.asarray(pad_to_patch(Image.fromarray(pixels)))
    assert padded.shape == (128, 128, 3)
    np.testing.assert_array_equal(padded[:40, :50], pixels)
    np.testing.assert_array_equal(padded[:40, 50:100], pixels[:, ::-1])
    np.testing.assert_array_equal(padded[40:80, :50], pixels[::-1])
    assert select_patches(Image.fromarray(pixels), 8).shape == (1, 3, 128, 128)
    assert select_patches(Image.fromarray(make_pixels(400, 33)), 8).shape == (3, 3, 128, 128)


def test_spread_patches_span_the_ranks() -> None:
    image = noisy_tiles([[1, 20, 40, 60], [80, 100, 10, 30]])
    deviation = spread_patches(image, 3).std(axis=(1, 2, 3))
    assert len(deviation) == 3
    assert deviation[0] > 50 and deviation[-1] < 2
    assert len(spread_patches(image, 50)) == 8


def test_tiles_of_a_photograph_in_a_page_come_without_its_paper_and_text() -> None:
    page = np.full((6 * PATCH, 6 * PATCH, 3), 250, np.uint8)
    rng = np.random.default_rng(0)
    page[10:-10:20, 8:-8] = np.where(rng.random((len(range(10, 6 * PATCH - 10, 20)), 6 * PATCH - 16, 1)) < 0.5, 20, 250)
    photograph = slice(PATCH + 50, 4 * PATCH + 10), slice(2 * PATCH - 30, 5 * PATCH)
    page[photograph] = np.asarray(noisy_tiles([[30] * 3] * 3).resize((414, 344)))
    tiles = Tiles(Image.fromarray(page))
    assert sorted(tiles.photographic) == [(x * PATCH, y * PATCH) for x in (2, 3, 4) for y in (2, 3)]
    assert len(tiles.origins) == 36
    assert tiles.spread(4, tiles.photographic).shape == (4, 3, PATCH, PATCH)
    only_paper = Tiles(Image.new("RGB", (300, 300), (250, 250, 250)))
    assert only_paper.photographic == only_paper.origins

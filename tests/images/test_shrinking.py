"""The routine that shrinks gives Pillow's bytes, whatever the sizes; what it can't do, Pillow does."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.compiled.library import compiled
from cliqa.images import shrinking
from cliqa.images.loading import LoadedImage
from cliqa.images.shrinking import GAP, can_shrink, shrink

needs_routines = pytest.mark.skipif(compiled() is None, reason="no compiled routines here")


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Black, white and all between: what rounds and clips."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (height, width, 3), np.uint8)
    return np.where(rng.random((height, 1, 1)) < 0.5, values, values // 128 * 255).astype(np.uint8)


def by_pillow(pixels: np.ndarray, want: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(want, Image.Resampling.BICUBIC, reducing_gap=GAP))


@needs_routines
def test_bytes_are_those_of_pillow_for_all_sizes() -> None:
    rng = np.random.default_rng(1)
    compared = 0
    for seed in range(120):
        height, width = (int(side) for side in rng.integers(32, 700, 2))
        long_side = int(rng.integers(8, max(height, width)))
        want = (
            max(1, round(width * long_side / max(height, width))),
            max(1, round(height * long_side / max(height, width))),
        )
        if can_shrink((width, height), want):
            pixels = noise(height, width, seed)
            assert np.array_equal(shrink(pixels, want), by_pillow(pixels, want)), (height, width, want)
            compared += 1
    assert compared > 60


@needs_routines
@pytest.mark.parametrize("want", [(640, 100), (100, 480), (64, 48), (213, 160), (639, 479)])
def test_sides_may_shrink_by_themselves(want: tuple[int, int]) -> None:
    pixels = noise(480, 640)
    if can_shrink((640, 480), want):
        assert np.array_equal(shrink(pixels, want), by_pillow(pixels, want))
    else:
        assert want == (640, 100)


@needs_routines
def test_a_part_of_a_picture_is_read_in_place() -> None:
    part = noise(300, 401)[37:290, 11:399]
    assert np.array_equal(shrink(part, (97, 63)), by_pillow(part, (97, 63)))


@needs_routines
def test_what_pillow_does_otherwise_is_left_to_it() -> None:
    assert can_shrink((1080, 1920), (288, 512))
    assert not can_shrink((500, 1500), (100, 300))  # columns first
    assert not can_shrink((4000, 40), (100, 1))  # too few rows are left
    assert not can_shrink((4000, 4000), (100, 100))  # too large a sum
    with pytest.raises(ValueError, match="no routine"):
        shrink(noise(1500, 500), (100, 300))
    with pytest.raises(ValueError, match="packed"):
        shrink(noise(200, 200)[:, ::2], (50, 50))


def test_pictures_are_the_same_without_routines(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((400, 700, 3), np.uint8)
    pixels[40:360] = noise(320, 700)
    images = [LoadedImage.from_array(pixels) for _ in range(2)]
    assert images[0].content_box is not None
    with_routines = [images[0].thumbnail(200), np.asarray(images[0].as_seen(200, framed=True))]
    monkeypatch.setattr(shrinking, "compiled", lambda: None)
    without = [images[1].thumbnail(200), np.asarray(images[1].as_seen(200, framed=True))]
    for one, other in zip(with_routines, without, strict=True):
        assert np.array_equal(one, other)

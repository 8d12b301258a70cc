"""The compiled routines of the JPEG metrics and the same in NumPy: whole numbers are equal, others to a millionth, scores alike."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.compiled import library
from cliqa.images import patches
from cliqa.images.loading import load_image
from cliqa.metrics import View, jpeg_qf, load_metric
from cliqa.signal.jpeg import (
    blocks,
    chroma,
    comb_scores,
    combs,
    corner,
    double_compression,
    drawn,
    grid,
    lattice,
    parts,
    phases,
    step_spectra,
    windows,
)
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Result = TypeVar("Result")
RNG = np.random.default_rng(9)

pytestmark = pytest.mark.skipif(library.compiled() is None, reason="nothing is compiled here")


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    library.compiled.cache_clear()


def photo(seed: int, width: int = 400, height: int = 304) -> Image.Image:
    """Clouds with edges in them, some parts of one colour, some clipped."""
    rng = np.random.default_rng(seed)
    size = (max(4, width // 12), max(4, height // 12))
    parts = [
        Image.fromarray(rng.integers(0, 256, (y, x, 3), dtype=np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for x, y in (size, (width // 3, height // 3))
    ]
    picture = np.asarray(Image.blend(*parts, 0.35)).astype(np.float32)
    picture = (picture - 128) * rng.uniform(0.8, 1.6) + rng.uniform(90, 160) + rng.normal(0, 2, picture.shape)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    pixels[: height // 6, : width // 5] = rng.integers(0, 256, 3)
    return Image.fromarray(pixels)


def saved(picture: Image.Image, quality: int, subsampling: int = 2) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(buffer).convert("RGB")


def tiles(seed: int, quality: int = 80) -> NDArray[np.uint8]:
    pixels = np.asarray(saved(photo(seed), quality))
    cut = [pixels[y : y + 128, x : x + 128].transpose(2, 0, 1) for y in (0, 128) for x in (0, 128, 256)]
    return np.ascontiguousarray(np.stack(cut))


def test_luma_of_planes_is_the_same(twice):
    rgb = RNG.integers(0, 256, (3, 3, 40, 72), dtype=np.uint8)
    assert np.array_equal(*twice(lambda: blocks.luma(rgb)))


@pytest.mark.parametrize("width", (31, 128, 450))
def test_luma_of_pixels_is_the_same(twice, width):
    rgb = RNG.integers(0, 256, (50, width, 3), dtype=np.uint8)
    one, other = twice(lambda: windows.luma_of(rgb))
    assert np.allclose(one, other, rtol=1e-6, atol=5e-5)
    assert one.strides == other.strides


@pytest.mark.parametrize("shape", ((128, 128), (37, 255), (9, 1100)))
def test_variances_of_patches_are_the_same(twice, shape):
    rgb = RNG.integers(0, 256, (shape[0], shape[1] + 5, 4), dtype=np.uint8)
    for pixels in (rgb[:, 5:, :3], np.ascontiguousarray(rgb[:, 5:, :3])):
        one, other = twice(lambda: jpeg_qf._variance(pixels))  # noqa: B023
        assert other == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize(("lines", "most"), ((17, 640), (448, 640), (300, 100)))
def test_profiles_of_steps_are_the_same(twice, lines, most):
    luma = windows.luma_of(np.asarray(photo(3, 333, lines)))
    for one, other in zip(*twice(lambda: step_spectra.profiles(luma, most)), strict=True):
        assert one[1] == other[1]
        assert np.allclose(one[0], other[0], rtol=1e-6, atol=1e-6)


def test_profiles_of_the_largest_steps_are_the_same(twice):
    luma = np.where(RNG.random((200, 90)) < 0.5, np.float32(-128), np.float32(127))
    luma[:, :40] = 0
    for one, other in zip(*twice(lambda: step_spectra.profiles(luma)), strict=True):
        assert np.allclose(one[0], other[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("width", (60, 333, 448))
def test_spectra_of_steps_are_the_same(twice, width):
    luma = windows.luma_of(np.asarray(saved(photo(4, width, 200), 70)))
    one, other = twice(lambda: step_spectra.spectra(luma, 5, 640, 4096))
    assert np.array_equal(one.places, other.places)
    assert one.values.dtype == other.values.dtype
    assert np.abs(one.values - other.values).max() < 1e-5 * np.abs(one.values).max()


@pytest.mark.parametrize(("height", "width", "every"), ((128, 128, 4), (128, 128, 1), (93, 61, 4), (64, 1024, 2)))
def test_what_was_drawn_is_looked_at_the_same(twice, height, width, every):
    picture = np.asarray(photo(5, width, height))
    flat = np.zeros_like(picture)
    flat[:, ::9] = 200
    cut = [each.transpose(2, 0, 1) for each in (picture, flat)]
    for one, other in zip(*twice(lambda: drawn._look(cut, every)), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(4))
def test_histograms_of_coefficients_are_the_same(twice, seed):
    rgb = tiles(seed, 60 + 10 * seed)

    def found() -> list[NDArray[np.float32]]:
        y = blocks.luma(rgb)
        coefficients = blocks.dct_blocks(blocks.cut_blocks(y, seed, 0))
        coefficients[5, 3] = 1e9
        counted = lattice.histograms(coefficients)
        levels = double_compression.count_levels(coefficients, LUMA_TABLES[69])
        group = np.arange(coefficients.shape[1]) % 3
        curves = phases.step_curves_of_groups(coefficients.reshape(8, 8, -1), group, 3, phases.COARSE)
        return [grid.offset_histograms(y[:3]), counted.fine, counted.coarse, levels, curves]

    for one, other in zip(*twice(found), strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("x", "y", "most"), ((0, 0, 1000), (3, 5, 40), (7, 1, 7)))
def test_chosen_blocks_are_the_same(twice, x, y, most):
    rgb = tiles(1, 80)
    planes = blocks.luma(rgb)
    for enough in (1, 10**6):
        one, other = twice(lambda: blocks.choose_blocks(rgb, planes, x, y, most, enough))  # noqa: B023
        assert np.array_equal(one.pixels, other.pixels)
        assert one.among == other.among
        assert (one.dark is None) == (other.dark is None)


def test_evidence_of_steps_and_tables_is_the_same(twice):
    y = blocks.luma(tiles(2, 70))

    def found() -> list[NDArray[np.float32]]:
        coefficients = blocks.dct_blocks(blocks.cut_blocks(y, 0, 0))
        counted = grid.offset_histograms(y[:3])
        curves = phases.step_curves(coefficients.reshape(8, 8, -1))
        return [
            lattice.step_evidence(lattice.histograms(coefficients)),
            lattice.step_evidence(lattice.histograms(3 * coefficients[:, :2])),
            grid.grid_evidence(counted, 0, np.array([3, 20])),
            phases.evidence_of(curves, 8, 8, quality=70),
            phases.evidence_of(curves, 8, 8),
        ]

    for one, other in zip(*twice(found), strict=True):
        assert np.allclose(one, other, rtol=1e-6, atol=1e-6 * np.abs(one).max())


@pytest.mark.parametrize("size", (64, 96, 121))
def test_near_zeros_are_the_same(twice, size):
    planes = blocks.luma(tiles(size, 75))[:, :size, :size]
    assert np.array_equal(*twice(lambda: parts.near_zeros(planes)))


@pytest.mark.parametrize("size", (4, 50, 128, 200, 300))
def test_steps_of_chroma_are_the_same(twice, size):
    pixels = np.asarray(saved(photo(7, 320, 320), 70)).transpose(2, 0, 1)[None, :, :size, : size - size // 9]
    rgb = np.ascontiguousarray(np.concatenate([pixels, pixels[..., ::-1, :]]))
    planes = chroma.chroma_planes(rgb, blocks.luma(rgb))
    one, other = twice(lambda: chroma.phase_profiles(planes, 3, 5))
    assert np.allclose(one, other, rtol=1e-6, atol=1e-6)
    assert len(set(twice(lambda: chroma.integer_colour(rgb)))) == 1


@pytest.mark.parametrize(("width", "height", "side"), ((1001, 700, 128), (300, 401, 128), (1300, 500, 32)))
def test_detail_of_tiles_is_the_same(twice, width, height, side):
    picture = photo(8, width, height)
    assert np.array_equal(*twice(lambda: patches.tile_detail(picture, side)))


HISTORIES: dict[str, Callable[[int], Image.Image]] = {
    "never saved": photo,
    "one save": lambda seed: saved(photo(seed), 40 + 5 * seed, seed % 3),
    "a fine save": lambda seed: saved(photo(seed), 93 + seed % 6),
    "two saves": lambda seed: saved(saved(photo(seed), 50 + 3 * seed), 90),
    "a moved grid": lambda seed: saved(saved(photo(seed), 55 + 3 * seed).crop((3, 5, 371, 293)), 85),
    "enlarged": lambda seed: saved(photo(seed), 50 + 3 * seed).resize((560, 426), Image.Resampling.BICUBIC),
    "reduced": lambda seed: saved(saved(photo(seed, 560, 424), 60).resize((420, 318), Image.Resampling.LANCZOS), 93),
    "sharpened": lambda seed: saved(photo(seed), 60).filter(ImageFilter.UnsharpMask(2, 80, 0)),
    "a small picture": lambda seed: saved(photo(seed, 136 + 9 * seed, 150), 70),
    "a palette": lambda seed: saved(photo(seed), 60).quantize(64).convert("RGB"),
}


def scores(name: str, path: Path) -> dict[str, float]:
    metric = load_metric(name)
    found = metric.score(metric.observe(View(load_image(path))))
    return {field: -1.0 if value is None else float(value) for field, value in found.items()}


@pytest.mark.parametrize("history", HISTORIES)
def test_scores_are_the_same(twice, history, tmp_path: Path):
    for seed in range(4):
        path = tmp_path / f"{seed}.png"
        HISTORIES[history](seed).save(path)
        for name in ("jpeg_quality", "jpeg_qf"):
            one, other = twice(partial(scores, name, path))
            assert other == pytest.approx(one, rel=1e-5, abs=1e-5), (seed, name)


@pytest.mark.parametrize(
    "width, height, numbers", [(256, 192, (22, 100, 310)), (160, 224, (50, 51, 52)), (96, 96, (200,))]
)
def test_lowest_coefficients(twice, width: int, height: int, numbers: tuple[int, ...]):
    lines = RNG.normal(0, 40, (width, height)).astype(np.float32)
    plan = corner._planned(numbers, width, height)
    one, other = twice(partial(corner._lowest, lines, plan))
    assert one.shape == (3, sum(each.count for each in plan.blocks))
    assert np.allclose(one, other, rtol=1e-5, atol=2e-3)


def test_likely_reductions(twice):
    reduced = np.asarray(saved(photo(5, 512, 512), 30).resize((412, 412), Image.Resampling.LANCZOS))
    luma = windows.luma_of(reduced)
    one, other = twice(partial(corner.likely_reductions, luma, 3, 7.0))
    assert one == other and one[0] == pytest.approx(512 / 412, rel=0.0022)


def resized_save(seed: int, factor: float, quality: int = 60) -> windows.Window:
    picture = saved(photo(seed), quality)
    size = round(picture.width * factor), round(picture.height * factor)
    return windows.cut_window(picture.resize(size, Image.Resampling.BICUBIC), size[0] // 2, size[1] // 2, 448)


@pytest.mark.parametrize("factor", (0.8, 1.0, 1.3))
def test_whether_combs_are_worth_a_search_is_the_same(factor, twice):
    region = resized_save(31, factor)
    size = region.luma.shape[1], region.luma.shape[0]
    found = combs.Combs(region, size, length=4096)
    most = [candidates[0].score for candidates in (found.whole(1), found.cropped(1))]

    def ask() -> list[bool]:
        asked = combs.Combs(region, size, length=4096)
        limits = [0.0, *(most[0] + away for away in (-2.0, -1e-3, 1e-3)), 1e9]
        return [asked._any_whole(least) for least in limits] + [
            asked._any_cropped(most[1] + away) for away in (-2.0, -1e-3, 1e-3)
        ]

    numpy_alone, compiled = twice(ask)
    assert numpy_alone == compiled == [True, True, True, False, False, True, True, False]


def test_most_that_cropped_steps_can_score_is_the_same(twice):
    region = resized_save(32, 0.75)
    found = combs.Combs(region, region.luma.shape[::-1], length=4096)
    places = combs._free_places(found.grid, 4096)
    first, second = twice(lambda: comb_scores.most_cropped(found.axes[0], places))
    assert np.allclose(first, second, rtol=1e-5)
    scored = comb_scores.cropped_scores(combs.mean_harmonics(found.axes[0], found._free_steps))[0]
    assert (second >= scored - 1e-4).all()

"""Saves before tone curves."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.jpeg.blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.jpeg.phases import CAP, COARSE, evidence_of, step_curves_of_groups
from cliqa.signal.jpeg.tones import RANGES, most_of_any, ranges_of, read_tones
from tests.jpeg_pictures import saved, textured, tiles


def curves_of(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rgb = tiles(pixels)
    blocks = choose_blocks(rgb, luma(rgb), 0, 0)
    ranges = ranges_of(blocks.pixels.mean(axis=1) + 128)
    curves = step_curves_of_groups(dct_blocks(blocks.pixels).reshape(8, 8, -1), ranges, RANGES, COARSE)
    return curves, np.bincount(ranges, minlength=RANGES)


def ask(pixels: np.ndarray, last: int = 0) -> int:
    return read_tones(*curves_of(pixels), last).quality


@pytest.mark.parametrize("gamma", [0.75, 1.3])
def test_slopes_over_the_whole_range_average_out(gamma: float) -> None:
    curve = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    shades = np.clip(textured(3, 512).astype(int) + np.linspace(-90, 90, 512).astype(int)[None, :, None], 0, 255)
    once = saved(shades.astype(np.uint8), 45)
    assert abs(ask(curve[once]) - 45) <= 4
    assert abs(ask(saved(curve[once], 95), last=95) - 45) <= 4


@pytest.mark.parametrize("below", [40, 80, 100])
def test_no_quality_tells_more_than_the_bound_that_spares_the_search(below: int) -> None:
    for pixels in (textured(5, 384), saved(textured(5, 384), 35), saved(textured(5, 384), 88)):
        curves = curves_of(pixels)[0]
        capped = np.clip(curves, -np.float32(CAP), np.float32(CAP))
        most = max(float(evidence_of(each, 8, 8, detail=COARSE)[:, :below].max()) for each in capped)
        assert most <= most_of_any(curves, below) + 1e-3


def test_a_fine_save_alone_is_no_older_one() -> None:
    assert ask(saved(textured(4, 512), 95), last=95) == 100

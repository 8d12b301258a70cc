"""Quantizing and decoding again: against a slow, plain implementation, and on saved pictures, clipped and not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from cliqa.signal.jpeg.blocks import Blocks, choose_blocks, luma
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from cliqa.signal.jpeg.redecoding import EXPECTED, LIMIT, lengths, redecode
from tests.jpeg_pictures import saved, textured, tiles

QUALITIES = np.arange(1, 101)


def blocks_of(pixels: np.ndarray, enough: int = 128) -> Blocks:
    rgb = tiles(pixels)
    return choose_blocks(rgb, luma(rgb), 0, 0, enough=enough)


def harsh(seed: int) -> np.ndarray:
    """Grey, and clipped in nearly every block."""
    grey = np.clip((textured(seed, 128).astype(float) - 128) * 4 + 128, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., :1], 3, axis=2)


def slow(pixels: np.ndarray, dark: np.ndarray, light: np.ndarray, quality: int, turns: int) -> tuple[float, bool]:
    """Bits and exactness of one block, step by step."""
    table = LUMA_TABLES[quality - 1].reshape(8, 8)
    aim = pixels.reshape(8, 8).astype(float)
    for _ in range(turns):
        levels = np.rint(dctn(aim, norm="ortho") / table)
        decoded = idctn(levels * table, norm="ortho")
        for v in range(8):
            for u in range(8):
                value = float(pixels[8 * v + u])
                low, high = dark[8 * v + u], light[8 * v + u]
                if low and high:
                    value = decoded[v, u]
                elif low:
                    value = min(value, decoded[v, u])
                elif high:
                    value = max(value, decoded[v, u])
                aim[v, u] = value
    error = np.abs(decoded - aim)
    known = int((~(dark | light)).sum())
    exact = bool(error.max() <= LIMIT)
    variance = 1 / 12 if exact else float((error**2).sum()) / known
    bits = known / 2 * math.log2(1 + 12 * variance) - math.log2(table[0, 0])
    for level in levels.ravel()[1:]:
        bits += 2 * math.log2(1 + abs(level)) + (level != 0)
    return bits, exact


@pytest.mark.parametrize("quality", [20, 60, 85])
@pytest.mark.parametrize("turns", [1, 4])
def test_bits_equal_the_slow_plain_ones(quality: int, turns: int):
    blocks = blocks_of(saved(harsh(3), 60), enough=400).take(np.arange(0, 60, 10))
    assert blocks.dark is not None and blocks.light is not None
    found = redecode(blocks, np.array([quality]), turns=turns)
    expected = [slow(*block, quality, turns) for block in zip(blocks.pixels, blocks.dark, blocks.light, strict=True)]
    assert found.bits[0] == pytest.approx(np.mean([bits for bits, _ in expected]), rel=1e-3)
    assert found.exact[0] == pytest.approx(np.mean([exact for _, exact in expected]))


@pytest.mark.parametrize("quality", [30, 60, 85, 92])
def test_nearly_all_blocks_are_exact_at_the_quality_of_a_save_alone(quality: int):
    found = redecode(blocks_of(saved(textured(quality, 128), quality, "4:2:0")), QUALITIES)
    assert found.exact[quality - 1] >= 0.95 * EXPECTED[quality - 1]
    wrong = np.abs(QUALITIES - quality) > 1
    assert found.exact[wrong & (QUALITIES <= 92)].max() < 0.2
    assert int(QUALITIES[lengths(found, QUALITIES)[:95].argmin()]) == quality


@pytest.mark.parametrize("quality", [25, 50, 75])
def test_clipped_pixels_are_allowed_for(quality: int):
    blocks = blocks_of(saved(harsh(quality), quality), enough=400)
    once, often = redecode(blocks, QUALITIES, turns=1), redecode(blocks, QUALITIES)
    assert often.exact[quality - 1] > max(0.5, once.exact[quality - 1])
    assert int(QUALITIES[often.bits.argmin()]) == quality


def test_fine_steps_can_not_be_expected_to_be_exact():
    assert EXPECTED[79] == 1
    assert EXPECTED[94] > 0.4 > EXPECTED[95] > EXPECTED[99]
    short = redecode(blocks_of(saved(textured(1, 128), 100)), np.array([90, 100]))
    assert lengths(short, np.array([90, 100]))[0] > short.bits[0] + 100
    assert lengths(short, np.array([90, 100]))[1] < short.bits[1] + 1


def test_no_blocks_cost_nothing():
    found = redecode(Blocks(np.zeros((0, 64), np.float32)), QUALITIES)
    assert not found.bits.any() and not found.exact.any()


def test_flat_blocks_are_shortest_at_the_largest_step_that_gives_their_value():
    step = int(LUMA_TABLES[39, 0])
    values = np.rint(np.arange(-12, 13) * step / 8)
    flat = Blocks(np.repeat(values[:, None], 64, axis=1).astype(np.float32))
    found = redecode(flat, QUALITIES)
    assert LUMA_TABLES[lengths(found, QUALITIES).argmin(), 0] == step

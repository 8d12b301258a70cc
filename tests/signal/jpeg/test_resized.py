from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.signal.jpeg.combs import Combs
from cliqa.signal.jpeg.hypothesis import Hypothesis
from cliqa.signal.jpeg.hypothesis_evidence import CLEAR
from cliqa.signal.jpeg.native_blocks import Axis, Window, frequencies, native_coefficients
from cliqa.signal.jpeg.phases import COARSE, evidence_of, step_curves
from cliqa.signal.jpeg.resized import is_combed, read_resized
from cliqa.signal.jpeg.windows import Windows, cut_regions
from cliqa.signal.resampling.kernels import KERNELS, resampling_weights
from tests.jpeg_pictures import saved, textured

BICUBIC = Image.Resampling.BICUBIC
TILES = [(x, y) for y in (0, 128, 256) for x in (0, 128, 256)]


def resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height), BICUBIC))


def whole(pixels: np.ndarray) -> Window:
    return Window(pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) - 128, 0, 0)


@pytest.mark.parametrize(("kernel", "method"), [("cubic", BICUBIC), ("triangle", 2), ("lanczos", 1), ("hamming", 5)])
@pytest.mark.parametrize("size", [30, 70])
def test_kernels_are_those_of_the_library(kernel: str, method: int, size: int):
    impulses = Image.fromarray(np.eye(48, dtype=np.float32))
    expected = np.asarray(impulses.resize((48, size), Image.Resampling(method)))
    found = resampling_weights(KERNELS[kernel], 48 / size, np.arange(size, dtype=float), np.arange(48, dtype=float))
    assert np.allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("size", [384, 640])
def test_low_coefficients_come_back_from_a_resize(size: int):
    pixels = textured(2, 512)
    native = whole(pixels).luma
    found = native_coefficients([whole(resized(pixels, size, size))], Axis(512 / size), Axis(512 / size), "cubic")
    assert found.shape[:2] == (frequencies(512 / size),) * 2
    blocks = native.reshape(64, 8, 64, 8).swapaxes(1, 2)
    low = np.cos((2 * np.arange(8) + 1) * np.pi / 16) / 2
    expected = np.einsum("ijyx,y,x->ij", blocks, low, low)  # frequency (1, 1), but for blocks at the border
    side = int(np.sqrt(found.shape[2]))
    first = (64 - side) // 2
    inner = expected[first : first + side, first : first + side].ravel()
    assert np.corrcoef(inner, found[1, 1])[0, 1] > 0.97


def test_combs_propose_the_native_size():
    pixels = resized(saved(textured(3, 512), 40), 400, 400)
    best = Combs(whole(pixels), (400, 400)).whole(4)
    assert any(round(each.across[0] * 400) == 512 and round(each.down[0] * 400) == 512 for each in best)


@pytest.mark.parametrize("size", [400, 720])
def test_combs_are_seen_after_a_resize_alone(size: int):
    before = textured(3, 512)
    after = resized(saved(before, 40), size, size)
    assert is_combed(Image.fromarray(after))
    assert not is_combed(Image.fromarray(saved(before, 92)))
    assert not is_combed(Image.fromarray(before))


def test_a_large_picture_is_asked_twice(monkeypatch: pytest.MonkeyPatch):
    after = Image.fromarray(resized(saved(textured(3, 512), 40), 720, 720))
    assert is_combed(after)
    monkeypatch.setattr("cliqa.signal.jpeg.resized.WORTH_LARGE", np.inf)
    assert not is_combed(after)
    assert is_combed(after.crop((40, 40, 660, 660)))


@pytest.mark.parametrize("pixels", [saved(textured(3, 512), 92), resized(saved(textured(4, 512), 60), 600, 600)])
def test_a_search_is_worth_it_exactly_where_a_candidate_scores_more(pixels: np.ndarray):
    combs = Combs(whole(pixels), pixels.shape[:2])
    best, free = combs.whole(1)[0].score, combs.cropped(1)[0].score
    assert combs.worth_a_search(best - 0.01, np.inf) and not combs.worth_a_search(best + 0.01, np.inf)
    assert combs.worth_a_search(np.inf, free - 0.01) and not combs.worth_a_search(np.inf, free + 0.01)


@pytest.mark.parametrize(("quality", "size"), [(35, 400), (60, 432), (50, 640), (40, 720)])
def test_the_quality_is_read_through_a_resize(quality: int, size: int):
    pixels = resized(saved(textured(quality, 512), quality), size, size)
    found = read_resized(*_arguments(pixels))
    assert found is not None and found.nats > 2 * CLEAR and found.spread > CLEAR
    assert abs(found.quality - quality) <= 1
    assert found.across.step == pytest.approx(512 / size)


def test_and_after_a_crop():
    pixels = resized(saved(textured(5, 512), 45), 440, 440)[13:, 21:]
    found = read_resized(*_arguments(pixels))
    assert found is not None and found.cropped and found.spread > CLEAR
    assert abs(found.quality - 45) <= 2
    assert found.across.step == pytest.approx(512 / 440, rel=1e-3)


def test_and_where_no_comb_is_worth_a_look():
    region, size, windows = _arguments(saved(resized(saved(textured(8, 512), 30), 420, 420), 95))
    found = read_resized(region, size, windows, combed=False)
    assert found is not None and found.believed and not found.combed
    assert abs(found.quality - 30) <= 2 and found.across.step == pytest.approx(512 / 420)


def test_and_by_factors_of_their_own():
    found = read_resized(*_arguments(resized(saved(textured(12, 512), 40), 640, 400)))
    assert found is not None and found.spread > CLEAR and abs(found.quality - 40) <= 2
    assert found.across.step == pytest.approx(512 / 640, rel=2e-3)
    assert found.down.step == pytest.approx(512 / 400, rel=2e-3)


def test_without_a_save_there_is_no_lattice():
    found = read_resized(*_arguments(resized(textured(6, 512), 440, 440)))
    assert found is not None and found.nats < CLEAR


def test_what_is_believed():
    def hypothesis(best: float, spread: float, rival: float) -> Hypothesis:
        evidence = np.zeros(100, np.float32)
        evidence[[59, 62, 69]] = best, best - 1, rival
        return Hypothesis(Axis(1.5), Axis(1.5), "cubic", evidence, 0, 500, 20.0, False, spread=spread)

    assert not hypothesis(60, 25, 55).believed  # little, and another quality as likely
    assert not hypothesis(100, 5, 10).believed  # few frequencies
    assert not hypothesis(400, 15, 20).believed  # as a screen has
    assert hypothesis(400, 25, 20).believed and hypothesis(4000, 70, 20).believed
    assert not hypothesis(400, 25, 390).believed
    assert not hypothesis(0, 0, 0).believed  # as where another codec explains it
    assert hypothesis(80, 15, 40).believed and not hypothesis(80, 15, 70).believed
    assert replace(hypothesis(80, 40, 40), beside=15).believed
    assert not replace(hypothesis(400, 40, 20), beside=90).believed  # the same is seen beside its blocks
    assert not replace(hypothesis(400, 40, 20), distinct=0.2).believed  # the same blocks again and again
    assert not replace(hypothesis(80, 15, 40), down=Axis(0.8)).believed  # of all pairs of combs some fit by chance
    assert hypothesis(300, 5, 20).lead(5) == 280 and hypothesis(300, 5, 20).lead() == 1


def test_blocks_that_come_again_and_again_are_no_save(monkeypatch: pytest.MonkeyPatch):
    down, right = np.mgrid[0:74, 0:74]
    grey = np.sin(right / 9) * np.cos(down / 13) * 60 + np.sin((right + 2 * down) / 31) * 60 + 128
    matrix = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
    dithered = np.where(grey > 16 * np.tile(matrix, (19, 19))[:74, :74] + 8, 255, 0).astype(np.uint8)
    cells = Image.fromarray(dithered).convert("RGB").resize((592, 592), Image.Resampling.NEAREST)
    pixels = np.asarray(cells.filter(ImageFilter.GaussianBlur(0.5)).resize((799, 799), BICUBIC))
    monkeypatch.setattr("cliqa.signal.jpeg.hypothesis.FEW", np.inf)  # what tells this one apart beside
    found = read_resized(*_arguments(pixels))
    assert found is not None and found.nats > 100 * CLEAR and found.spread > CLEAR
    assert found.distinct < 0.2 and not found.believed


def test_a_lattice_in_two_frequencies_alone_is_told_apart():
    rng = np.random.default_rng(7)
    coefficients = rng.normal(0, 6, (4, 4, 600)).astype(np.float32)
    coefficients[0, 1] = 16 * np.rint(coefficients[0, 1] / 4)
    curves = step_curves(coefficients, COARSE)
    assert evidence_of(curves, 4, 4, detail=COARSE).max() > 4 * CLEAR
    assert evidence_of(np.clip(curves, -8, 8), 4, 4, detail=COARSE).max() < CLEAR


def _arguments(pixels: np.ndarray) -> tuple[Window, tuple[int, int], Windows]:
    height, width = pixels.shape[:2]
    tiles = [(x, y) for x, y in TILES if x + 128 <= width and y + 128 <= height]
    region, windows = cut_regions(Image.fromarray(pixels), tiles, 128)
    return region, (width, height), windows

from dataclasses import fields

import numpy as np
import pytest
from PIL import Image
from scipy import signal

from cliqa.signal.resampling.spectra import (
    BANDS,
    BINS,
    FACTORS,
    LENGTH,
    RESIDUALS,
    SCALARS,
    STRIPS,
    Evidence,
    cyclic_lines,
    deviation,
    duplicate_shares,
    luma,
    picture_evidence,
    power_spectra,
    quartered,
    residual_strips,
)
from tests.rough_pictures import rough


def enlarged(width: int, method: Image.Resampling, source: int = 320) -> np.ndarray:
    image = Image.fromarray(rough(source, source))
    return np.asarray(image.resize((width, source), method), dtype=np.float32)


def test_luma_is_what_jpeg_has():
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float32)
    assert luma(pixels).shape == (40, 50)
    assert np.abs(luma(pixels) - expected).max() <= 1.0


def along_x(plane: np.ndarray) -> Evidence:
    both = picture_evidence(plane)
    return Evidence(*(getattr(both, field.name)[0] for field in fields(Evidence)))


def test_factors_belong_to_lines():
    assert len(FACTORS) == BINS and FACTORS[0] == 1.0 and FACTORS[-1] == 2.0
    np.testing.assert_allclose(1 - 1 / FACTORS, np.arange(BINS) / LENGTH)


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("width", [352, 400, 448, 512])
def test_strongest_line_gives_the_factor(method, width):
    seen = along_x(enlarged(width, method)[:, :512])
    place = 8 + int(np.argmax(seen.lines[RESIDUALS.index("d2 square"), 8:]))
    assert FACTORS[place] == pytest.approx(width / 320, abs=0.012)
    assert seen.coherence[RESIDUALS.index("d2 square"), place] > 0.8


def test_no_line_without_resizing():
    lines = along_x(rough(320, 512).astype(np.float32)).lines
    resized = along_x(enlarged(432, Image.Resampling.BICUBIC)).lines
    order = RESIDUALS.index("d6 sum2 square")
    contrast = [values[order, 8:].max() - np.median(values[order, 8:]) for values in (lines, resized)]
    assert contrast[0] < 2.0 < contrast[1]


def test_residuals_equal_a_convolution():
    plane = rough(64, 96).astype(np.float32)
    fourth = [1, -4, 6, -4, 1]
    kernels = {"d1 root": [1, -1], "d4 root": fourth, "d1 square": [1, -1], "d2 square": [1, -2, 1]}
    kernels["d6"] = [1, -6, 15, -20, 15, -6, 1]
    kernels["d6 sum2 square"] = np.convolve(kernels["d6"], [1, 2, 1])
    kernels["d4 sum2 square"] = np.convolve(fourth, [1, 2, 1])
    assert tuple(sorted(kernels)) == tuple(sorted(RESIDUALS))
    for name, kernel in kernels.items():
        expected = np.abs(signal.convolve2d(plane, np.array(kernel)[None], mode="valid"))
        expected = {"root": np.sqrt, "square": np.square}.get(name.split()[-1], np.abs)(expected)
        strips = residual_strips(plane)[RESIDUALS.index(name)]
        assert strips.shape == (STRIPS, 96 - len(kernel) + 1)
        np.testing.assert_allclose(strips.mean(axis=0), expected.mean(axis=0), rtol=1e-4, atol=1e-3)


def test_line_depth_of_a_known_modulation():
    x = np.arange(512)
    strips = np.tile(10 * (1 + 0.2 * np.cos(2 * np.pi * 0.25 * x)), (STRIPS, 1)).astype(np.float32)
    depth, coherence, _ = (each[0] for each in cyclic_lines([strips]))
    assert np.exp(depth[128]) == pytest.approx(0.2, rel=0.05)
    assert coherence[128] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("period", [4, 6, 8, 5.6])
def test_blocks_are_peaks_and_repeated_pixels_dips(period):
    starts = np.rint(np.arange(0, 511, period)).astype(int)
    profile = np.full((STRIPS, 512), 3.0, np.float32)
    profile[:, starts] += 2
    place, chance = (
        round(LENGTH / period),
        cyclic_lines([np.random.default_rng(0).random((STRIPS, 512)).astype(np.float32)]),
    )
    assert cyclic_lines([profile])[2][0, place] > 0.8
    assert cyclic_lines([6 - profile])[2][0, place] < -0.8
    assert np.abs(chance[2][0, 16:]).mean() < 0.6


def test_power_of_white_noise_is_its_variance():
    plane = np.random.default_rng(2).normal(100, 3, (400, 384)).astype(np.float32)
    mean, geometric = power_spectra(plane[::2])
    assert mean.shape == (BANDS,)
    np.testing.assert_allclose(mean[4:-1], np.log(9), atol=0.2)
    np.testing.assert_allclose(geometric[4:-1], np.log(9) - np.euler_gamma, atol=0.2)


def test_a_large_enlargement_fills_the_lowest_eighth_in_part():
    plane = np.asarray(Image.fromarray(rough(64, 64)).resize((512, 512), Image.Resampling.BICUBIC), dtype=np.float32)
    assert quartered(plane).shape == (128, 128)
    mean = along_x(plane).power[2]  # of 1/8 of the sampling rate, of which 1/16 is filled
    assert mean[8:24].mean() - mean[48:].mean() > 3


def test_repeated_columns_are_counted():
    plane = np.repeat(rough(96, 96).astype(np.float32), 2, axis=1)
    profile = np.sqrt(np.abs(np.diff(plane, axis=1))).mean(axis=0)
    assert duplicate_shares(profile)[0] == pytest.approx(0.5, abs=0.02)
    assert duplicate_shares(np.ones(200, np.float32))[-1] == 0.0


def test_y_is_x_of_the_turned_picture():
    plane = rough(300, 420).astype(np.float32)
    both, turned = picture_evidence(plane), picture_evidence(np.ascontiguousarray(plane.T))
    for field in fields(Evidence):
        name = field.name
        np.testing.assert_allclose(getattr(both, name)[1], getattr(turned, name)[0], atol=2e-3, err_msg=name)


def test_several_residuals_are_read_as_each_alone():
    rows = [np.random.default_rng(width).random((STRIPS, width)).astype(np.float32) for width in (24, 200, 511)]
    together = cyclic_lines(rows)
    for place, each in enumerate(rows):
        for values, alone in zip(together, cyclic_lines([each]), strict=True):
            np.testing.assert_array_equal(values[place], alone[0])


@pytest.mark.parametrize("shape", [(32, 32), (33, 500), (512, 40), (512, 512)])
def test_any_size_gives_the_same_shapes(shape):
    seen = along_x(rough(*shape).astype(np.float32))
    assert seen.lines.shape == seen.coherence.shape == seen.peaks.shape == (len(RESIDUALS), BINS)
    assert seen.power.shape == (4, BANDS) and seen.scalars.shape == (SCALARS,)
    assert all(np.isfinite(getattr(seen, field.name)).all() for field in fields(Evidence))
    assert seen.coherence.min() >= 0 and seen.coherence.max() <= 1.0001
    assert np.abs(seen.peaks).max() <= 1.0001


def test_scalars_tell_the_deviation():
    plane = rough(96, 80).astype(np.float32)
    assert deviation(np.stack([along_x(plane).scalars] * 2)) == pytest.approx(plane.std(), rel=1e-4)


def test_a_flat_picture_is_finite():
    seen = along_x(np.full((64, 64), 128, np.float32))
    assert deviation(seen.scalars) == pytest.approx(0.0, abs=1e-5)
    assert all(np.isfinite(getattr(seen, field.name)).all() for field in fields(Evidence))

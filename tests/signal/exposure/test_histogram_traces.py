"""Traces of tone changes in histograms, on made-up histograms and on changed pictures."""

import numpy as np
import pytest
from skimage.color import rgb2xyz

from cliqa.signal.exposure import histogram_traces as traces

RNG = np.random.default_rng(0)
SMOOTH = np.clip(RNG.normal(110, 45, (3, 300_000)), 0, 255)
SMOOTH = np.rint(SMOOTH).astype(np.uint8)


def counts(values):
    return np.stack([np.bincount(row, minlength=256) for row in values]).astype(float)


def changed(function):
    u = function(SMOOTH / 255.0)
    return np.rint(np.clip(u, 0, 1) * 255).astype(np.uint8)


def test_srgb_curves_agree_with_scikit_image_and_with_each_other():
    u = np.linspace(0, 1, 301)
    grey = np.repeat(u[:, None], 3, axis=1)[None]
    luminance = rgb2xyz(grey)[0, :, 1]  # Y of a grey is its linear light
    np.testing.assert_allclose(traces.srgb_to_linear(u), luminance, atol=1e-4)
    np.testing.assert_allclose(traces.linear_to_srgb(traces.srgb_to_linear(u)), u, atol=1e-6)


def test_running_mean_agrees_with_numpy():
    row = RNG.integers(0, 1000, 256).astype(float)
    expected = np.convolve(row, np.ones(9), "same") / np.convolve(np.ones(256), np.ones(9), "same")
    np.testing.assert_allclose(traces._smooth(row), expected)


def test_smooth_histograms_leave_no_trace():
    found = traces.histogram_traces(counts(SMOOTH))
    assert found.shape == (traces.COUNT,)
    assert np.isfinite(found).all()
    assert found[: traces.EV_WINDOWS].max() < 0.5


@pytest.mark.parametrize("ev", [-2.3, -1.02, 0.85, 1.37, 2.41])
def test_exposure_changes_are_found_with_their_amount(ev):
    pixels = changed(lambda u: traces.linear_to_srgb(np.minimum(traces.srgb_to_linear(u) * 2.0**ev, 1.0)))
    found = traces.histogram_traces(counts(pixels))
    match, _, best, _ = found[traces.EV_WINDOWS : traces.EV_WINDOWS + 4]
    assert match > 0.6
    assert best == pytest.approx(ev, abs=0.03)


@pytest.mark.parametrize("slope", [0.45, 0.7, 1.3])
def test_a_slope_leaves_a_comb_of_its_frequency(slope):
    pixels = changed(lambda u: 0.43 + slope * (u - 0.43))
    ratio = traces.relative_histogram(counts(pixels))
    spectrum = np.abs(np.fft.rfft(ratio, axis=1)).mean(axis=0)
    frequency = (1 / slope) % 1.0
    expected = min(frequency, 1 - frequency)
    harmonics = np.array([min((k * frequency) % 1, 1 - (k * frequency) % 1) for k in (1, 2, 3)])
    peak = (np.argmax(spectrum[4:]) + 4) / 256
    assert np.abs(harmonics - peak).min() < 0.01
    assert expected == pytest.approx(harmonics[0])


def test_steep_curves_leave_gaps():
    stretched = traces.relative_histogram(counts(changed(lambda u: 0.43 + 1.6 * (u - 0.43))))
    inner = stretched[:, 40:180]
    assert (inner <= -0.9).mean() == pytest.approx(1 - 1 / 1.6, abs=0.05)

"""Spectra of the steps along an axis."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.step_spectra import (
    HARMONICS,
    LENGTH,
    harmonic_sizes,
    harmonics,
    joined_places,
    mean_harmonics,
    profiles,
    spectra,
)
from tests.jpeg_pictures import saved, textured

STEPS = np.linspace(0.5, 2.1, 97)


def plane(seed: int = 1) -> np.ndarray:
    return luma(saved(textured(seed, 256), 40).transpose(2, 0, 1)[None])[0]


def test_profiles_are_means_over_the_rows():
    pixels = plane()[:100]
    steps = np.abs(np.diff(pixels, axis=1))
    found = {place: profile for profile, place in profiles(pixels)}
    assert found[1.0] == pytest.approx(np.sqrt(steps).mean(axis=0), abs=1e-4)
    beside = (steps[:, :-2] + steps[:, 2:]) / 2
    assert found[2.0] == pytest.approx((np.log1p(steps[:, 1:-1]) - np.log1p(beside)).mean(axis=0), abs=1e-4)
    assert len(profiles(pixels, most_lines=25)[0][0]) == 255


@pytest.mark.parametrize("start", [0, 37])
def test_the_mean_of_the_harmonics_comes_from_one_spectrum(start: int):
    spectrum = spectra(plane(), start)
    assert spectrum.length == LENGTH
    expected = harmonics(spectrum, STEPS)
    assert expected.shape == (4, HARMONICS, len(STEPS))
    assert np.abs(mean_harmonics(spectrum, STEPS) - expected.mean(axis=0)).max() < 0.02
    places = joined_places(STEPS, LENGTH)
    assert np.allclose(harmonic_sizes(spectrum, places), np.abs(mean_harmonics(spectrum, STEPS)), atol=1e-4)


def test_a_shorter_transform_tells_nearly_the_same():
    long, short = spectra(plane()), spectra(plane(), length=LENGTH // 2)
    assert np.abs(mean_harmonics(long, STEPS) - mean_harmonics(short, STEPS)).max() < 0.15 * np.abs(long.joined).max()

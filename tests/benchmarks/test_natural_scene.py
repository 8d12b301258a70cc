"""NIQE's features: the fit of distributions that are known, and a distance that grows with damage."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.natural_scene import FEATURES, asymmetric_gaussian, niqe_features
from cliqa.signal.quality.niqe import gaussian_of, niqe_distance


def test_moments_find_the_shapes_of_known_distributions():
    rng = np.random.default_rng(0)
    shape, left, right = asymmetric_gaussian(rng.normal(0.0, 1.0, 200_000))
    assert shape == pytest.approx(2.0, abs=0.05)
    assert left == pytest.approx(2**0.5, abs=0.03)
    assert right == pytest.approx(2**0.5, abs=0.03)
    assert asymmetric_gaussian(rng.laplace(0.0, 1.0, 200_000))[0] == pytest.approx(1.0, abs=0.05)
    _, left, right = asymmetric_gaussian(np.abs(rng.normal(0, 1, 9000)) * np.where(np.arange(9000) % 2, 2.0, -1.0))
    assert right / left == pytest.approx(2.0, abs=0.1)


def textured(rng: np.random.Generator, size: int = 288) -> np.ndarray:
    """A picture with a natural scene's spectrum, 1/f."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) / np.maximum(frequency, 1 / size)
    field = np.fft.ifft2(spectrum).real
    grey = np.clip(128 + 45 * (field - field.mean()) / field.std(), 0, 255)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def test_noise_and_smoothing_lead_away_from_pristine_pictures():
    rng = np.random.default_rng(1)
    model = gaussian_of(np.concatenate([niqe_features(textured(rng), sharpest=True) for _ in range(12)]))

    def distance(pixels: np.ndarray) -> float:
        return niqe_distance(*gaussian_of(niqe_features(pixels)), *model)

    clean = textured(rng)
    noisy = np.clip(clean + rng.normal(0, 25, clean.shape[:2])[..., None], 0, 255).astype(np.uint8)
    smooth = (
        (clean.astype(int) + np.roll(clean, 1, 0) + np.roll(clean, 1, 1) + np.roll(clean, (1, 1), (0, 1))) // 4
    ).astype(np.uint8)
    assert distance(clean) < distance(noisy)
    assert distance(clean) < distance(smooth)


def test_patches_have_36_numbers_and_too_small_a_picture_is_refused():
    rng = np.random.default_rng(2)
    assert niqe_features(textured(rng, 200)).shape == (4, FEATURES)
    assert np.isfinite(niqe_features(np.full((96, 96, 3), 80, np.uint8))).all()
    with pytest.raises(ValueError, match="96 pixels"):
        niqe_features(np.zeros((95, 200, 3), np.uint8))

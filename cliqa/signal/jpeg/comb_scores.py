"""How well the lines of a spectrum make the comb of a step: scores of whole native sizes and of cropped ones, and their limits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.jpeg.step_spectra import HARMONICS, Spectra, harmonic_sizes

Floats = NDArray[np.float32]

WEIGHTS = np.array(
    [[-0.06, -0.28, -0.14, 0.35], [0.06, 0.65, 0.92, 0.03], [-0.26, 0.54, 0.46, -0.25], [1.6, 0.35, 0.08, 0.31]],
    np.float32,
)
"""Of each profile's harmonics: those that rank the true size first most often, fitted on 800 axes of resized training photographs."""
LEAST_SIZE, MOST_SIZE = 0.5, 4.0
"""Limits of a harmonic's score in units of the spectrum about it: one strong line is not four, and a weak one is none."""


def whole_scores(values: NDArray[np.complex64]) -> Floats:
    """Score of each step where the first block starts at the edge, from `harmonics`: float32 (steps,)."""
    limited = np.clip(values.real, np.float32(LEAST_SIZE), np.float32(MOST_SIZE)) - np.float32(LEAST_SIZE)
    scores: Floats = WEIGHTS.ravel() @ limited.reshape(WEIGHTS.size, -1)
    return scores


def most_whole(spectrum: Spectra, places: NDArray[np.intp]) -> Floats:
    """What `whole_scores` of steps can be at most, by the size of their harmonics at such places alone: float32 (steps,)."""
    size = np.abs(spectrum.values)
    size = np.clip(np.maximum(size[:, 1:], size[:, :-1]), np.float32(LEAST_SIZE), np.float32(MOST_SIZE)) - np.float32(
        LEAST_SIZE
    )
    by_harmonic = np.maximum(WEIGHTS.T, 0) @ size
    rows = by_harmonic.shape[1] * np.arange(len(places))[:, None]
    most: Floats = np.take(by_harmonic, places + rows).sum(axis=0)
    return most


CROPPED_WEIGHTS = np.array([1.0, 1.0, 0.6, 0.4], np.float32)
"""Of the harmonics of a cropped picture, all profiles alike: the weights above find its steps no better, its offsets worse."""
_LOWEST = -1.0
OFFSETS = 32
"""Places of the first edge that are tried, 1/4 native pixel apart."""


@lru_cache(maxsize=1)
def _turns() -> tuple[Floats, Floats]:
    """Cosine and sine of the turns of each harmonic by each offset: two of (offsets, harmonics, 1)."""
    angle = 2 * np.pi * np.arange(OFFSETS)[:, None, None] / OFFSETS * np.arange(1, HARMONICS + 1)[:, None]
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def cropped_scores(mean: NDArray[np.complex64]) -> tuple[Floats, NDArray[np.float64]]:
    """(scores, offsets) of each step at its best offset (0-8, native pixels), from `mean_harmonics`."""
    cosine, sine = _turns()
    turned = cosine * mean.real
    turned += sine * mean.imag
    np.clip(turned, np.float32(_LOWEST), np.float32(MOST_SIZE), out=turned)
    turned *= CROPPED_WEIGHTS[:, None]
    scores = turned.sum(axis=1)  # (offsets, steps)
    best = scores.argmax(axis=0)
    return scores[best, np.arange(scores.shape[1])], best * 8 / OFFSETS


def most_cropped(spectrum: Spectra, places: tuple[NDArray[np.intp], Floats]) -> Floats:
    """What `cropped_scores` of steps can be at most, by the size of their harmonics at such `joined_places`: float32 (steps,)."""
    library = compiled()
    if library is not None:
        most = np.empty(places[0].shape[1], np.float32)
        library.most_cropped(spectrum.joined.view(np.float32), *places, len(most), CROPPED_WEIGHTS, MOST_SIZE, most)
        return most
    sizes: Floats = CROPPED_WEIGHTS @ np.minimum(harmonic_sizes(spectrum, places), np.float32(MOST_SIZE))
    return sizes

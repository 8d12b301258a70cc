"""All that the networks of `compression` read of a picture's tiles, as one vector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.compression.grids import line_profiles, mean_steps, periods, phase, residual_profiles
from cliqa.signal.compression.lattice import lattice_traces
from cliqa.signal.compression.planes import luma_chroma, tones, webp_colours
from cliqa.signal.compression.repeats import repeats
from cliqa.signal.compression.residuals import deviation_histogram, step_histograms
from cliqa.signal.compression.spectra import line_spectrum, mean_spectrum
from cliqa.signal.compression.transforms import band_statistics, cut, kept_counts, magnitudes

Floats = NDArray[np.float32]


def evidence(tiles: NDArray[np.uint8]) -> Floats:
    """uint8 (n, 3, 128, 128), the most detailed first -> float32 vector.

    What needs fewer pixels reads every second tile.
    """
    plane, colours = luma_chroma(tiles)
    half = plane[::2]
    profiles = residual_profiles(np.concatenate([line_profiles(plane), mean_steps(colours)[:, None]], axis=1))
    parts: list[Floats] = [
        np.array([len(tiles) / 8, *webp_colours(tiles[:2, :, ::2])], np.float32),
        tones(plane, colours),
        periods(profiles),
    ]
    for size, read, other in ((4, half, half[::2]), (8, plane, half), (16, half, half[::2])):
        x, y = phase(profiles[0, 0], size), phase(profiles[1, 0], size)
        coefficients = magnitudes(read, x, y, size)
        on_grid = band_statistics(coefficients, size)
        middle = size // 2
        beside = band_statistics(magnitudes(other, (x + middle) % size, (y + middle) % size, size), size)
        parts += [np.array([x == 0, y == 0], np.float32), on_grid, on_grid - beside]
        if size == 8:
            parts.append(kept_counts(coefficients))
        if size < 16:
            parts.append(deviation_histogram(cut(half, x, y, size)))
    parts += [step_histograms(half), step_histograms(colours[::2])]
    parts += [*line_spectrum(plane), mean_spectrum(colours), repeats(plane[:2]), lattice_traces(tiles, plane)]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)

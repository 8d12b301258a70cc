"""All that the networks of `compression` read, as numbers: of a picture's tiles, and of what a lossy file says of itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.compression.flatness import deviation_histogram, repeats, step_histograms
from cliqa.signal.compression.lines import (
    line_profiles,
    line_spectrum,
    mean_spectrum,
    mean_steps,
    periods,
    phase,
    residual_profiles,
)
from cliqa.signal.compression.planes import luma_chroma, tones, webp_colours
from cliqa.signal.compression.transforms import band_statistics, cut, kept_counts, magnitudes
from cliqa.signal.jpeg.blocks import choose_blocks
from cliqa.signal.jpeg.chroma import integer_colour
from cliqa.signal.jpeg.features import profile, signed_log
from cliqa.signal.jpeg.grid import find_grid
from cliqa.signal.jpeg.history import likeliest_steps, table_distances
from cliqa.signal.jpeg.lattice import quality_evidence, read_steps

Floats = NDArray[np.float32]

MOST_BLOCKS = 400  # of more than twice as many only a part is read
GRID_TILES = 2  # that the grid is looked for in: half of the time that all this takes
_DIAGONALS = np.add.outer(np.arange(8), np.arange(8)).ravel()
_COUNTS = np.bincount(_DIAGONALS)
FILE_CODECS = ("jpeg", "webp", "avif", "heic", "jpeg2000")
"""The codecs of files that are read; 100 is their best quality but for AVIF's index and HEIC's parameter, which are better when low."""
_WORST = {"avif": 255.0, "heic": 51.0}  # the ends of AV1's quantizer index and of HEVC's quantization parameter
UNKNOWN = 0.5  # quality of a file that doesn't tell it
KNOTS = 9  # along each codec's range of qualities
# The first of the inputs: a piecewise linear curve of the quality is a product with them
CURVE = KNOTS * len(FILE_CODECS)
INPUTS = CURVE + 2


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


def lattice_traces(tiles: NDArray[np.uint8], plane: Floats) -> Floats:
    """What one JPEG save left, float32 vector: the grid, its steps, how well IJG qualities explain them.

    Args:
        tiles: uint8 (n, 3, h, w); plane: their `luma` (n, h, w).
    """
    found = find_grid(tiles, plane, GRID_TILES)
    grid = found.offset
    blocks = choose_blocks(tiles, plane, grid % 8, grid // 8, MOST_BLOCKS)
    _, _, nats = read_steps(blocks)
    quality = quality_evidence(nats)
    steps, known = likeliest_steps(nats, int(quality.argmax()))
    fit = table_distances(steps, known)
    nearest = int(fit.argmin())
    scalars = [
        float(grid == 0), found.margin, len(blocks) / MOST_BLOCKS, float(fit.min()), nearest / 100,
        float(quality[nearest]), float(known.mean()), *integer_colour(tiles[:2, :, ::2]),
    ]  # fmt: skip
    parts = [*profile(quality), _by_diagonal(np.log(steps) * known), _by_diagonal(known)]
    return np.concatenate([*parts, signed_log(np.array(scalars, np.float32))]).astype(np.float32)


def _by_diagonal(values: Floats) -> Floats:
    """Means of 64 frequencies by the sum of their indices: float32 (15,)."""
    found: Floats = (np.bincount(_DIAGONALS, weights=values) / _COUNTS).astype(np.float32)
    return found


def file_inputs(codec: str = "", quality: float | None = None, sampling: str = "") -> Floats:
    """float32 (47,): for each of five codecs nine triangles over its range of qualities; whether the quality is known, whether 4:2:0.

    All zeros for pixels that come from no lossy file, which is also what no codec means.
    """
    found = np.zeros(INPUTS, np.float32)
    if codec not in FILE_CODECS:
        return found
    scaled = UNKNOWN if quality is None else quality / 100 if codec not in _WORST else 1 - quality / _WORST[codec]
    place = FILE_CODECS.index(codec) * KNOTS
    distances = np.abs(np.clip(scaled, 0, 1) * (KNOTS - 1) - np.arange(KNOTS))
    found[place : place + KNOTS] = np.maximum(1 - distances, 0)
    found[CURVE:] = quality is not None, sampling == "4:2:0"
    return found

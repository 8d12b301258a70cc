"""The DCT coefficients of 8x8 blocks as they were before a resize: least squares on the native grid.

An axis is a step (native pixels an output pixel) and the native place of the output's first edge in its block. For each native
block the output pixels about it are a linear mixture of its own eight coefficients and those of its neighbours (two on each side:
with one, lattices are invented). The best linear estimate of the block's own low ones, with the usual fall of a photograph's
spectrum as the prior of the others, is one small matrix per phase of the block against the output pixels; phases are rounded, so
that a few matrices serve all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import DCT_MATRIX
from cliqa.signal.resampling.kernels import KERNELS, resampling_weights

Floats = NDArray[np.float32]

PHASES = 16
"""Places of a block against the output pixels that are told apart: an error of 1/32 pixel at most."""
FEWER_PHASES = 8
"""As many show whether there is a lattice, at half the cost."""
NEIGHBOURS = 2
NOISE = 0.3
"""Variance of an output pixel, by rounding and by later saves: the probe's optimum between noise and resolution."""
PASSED = 0.92
"""Share of the frequencies below the output's limit that a kernel leaves usable."""
_PRIOR = np.array([1e6, 3e4, 2e4, 1e4, 5e3, 3e3, 2e3, 1e3])
"""Variance of the low coefficients that are asked for: wide, so that they are hardly drawn towards 0."""
_OTHERS = np.array([40.0, 20, 12, 8, 6, 4, 3, 2]) * 20
"""Variance of the coefficients beyond, as photographs have them."""
STEPS_APART = 0.002
"""Relative distance of the steps that have matrices of their own: 0.04 pixels over the five blocks, and many sizes share them."""
_DCT: NDArray[np.float64] = DCT_MATRIX.astype(np.float64)


@dataclass(frozen=True)
class Axis:
    """One axis of a resize: `step` native pixels an output pixel; `offset` native place (0-8) of the first edge in its block."""

    step: float
    offset: float = 0.0


def frequencies(step: float) -> int:
    """How many frequencies of a native block a resize leaves, 2-8."""
    return 8 if step <= 1 else max(2, min(8, int(8 / step * PASSED)))


def inverse(step: float, kernel: str, phases: int = PHASES) -> tuple[int, Floats]:
    """`_inverse` of the nearest step that has matrices of its own."""
    return _inverse(round(np.log(step) / STEPS_APART), kernel, phases)


@lru_cache(maxsize=512)
def _inverse(number: int, kernel: str, phases: int) -> tuple[int, Floats]:
    """(margin, matrices): matrices float32 (phases, m, frequencies) from m output pixels, which start `margin` before the block's edge.

    Phase p is a block whose left edge lies p / phases after the edge of an output pixel.
    """
    step = float(np.exp(number * STEPS_APART))
    count = frequencies(step)
    span = 8 * (2 * NEIGHBOURS + 1)
    inner = int(span / step)
    margin = int(8 * NEIGHBOURS / step)
    reach = int(np.ceil(KERNELS[kernel].reach * max(1.0, step))) + 1
    phase = np.arange(phases) / phases
    first = -8 * NEIGHBOURS - reach
    native = np.arange(first, 8 * (NEIGHBOURS + 1) + reach, dtype=np.float64)  # places from the block's left edge
    output = np.arange(-margin, inner - margin, dtype=np.float64)  # from the output pixel that the edge lies in
    # an output pixel's places are counted from an edge that lies phase output pixels later
    shifted = output[None, :] - phase[:, None]
    weights = resampling_weights(KERNELS[kernel], step, shifted, np.broadcast_to(native, (phases, len(native))))
    # native pixels beyond the five blocks repeat the outermost: their content is hardly seen
    own = np.clip(native - (-8 * NEIGHBOURS), 0, span - 1).astype(int)
    folded = weights @ (own[:, None] == np.arange(span)).astype(np.float64)
    mixed = (folded.reshape(phases, inner, -1, 8) @ _DCT.T).reshape(phases, inner, 2 * NEIGHBOURS + 1, 8)
    variance = np.concatenate([_PRIOR[:count], _OTHERS[count:]])
    weighted = mixed * variance
    flat = (phases, inner, -1)
    covariance = weighted.reshape(flat) @ mixed.reshape(flat).transpose(0, 2, 1) + NOISE * np.eye(inner)
    solved = np.linalg.solve(covariance, weighted[:, :, NEIGHBOURS, :count])
    return margin, solved.astype(np.float32)


@dataclass(frozen=True)
class Window:
    """A part of a picture: luma minus 128 as float32 (h, w), and the place (x, y) of its first pixel in the picture."""

    luma: Floats
    x: int
    y: int


def native_coefficients(
    windows: list[Window], across: Axis, down: Axis, kernel: str, most: int = 1 << 30, phases: int = PHASES
) -> Floats:
    """Coefficients of the whole native blocks inside some windows: float32 (frequencies down, frequencies across, blocks).

    Args:
        most: windows are read until there are at least so many blocks.
    """
    found = []
    total = 0
    for window in windows:
        part = _window_coefficients(window, across, down, kernel, phases)
        found.append(part)
        total += part.shape[2]
        if total >= most:
            break
    return np.concatenate(found, axis=2)


def block_means(window: Window, across: Axis, kernel: str, phases: int = PHASES) -> Floats:
    """Of each row of a window the lowest coefficient of each native block across: float32 (h, blocks)."""
    return np.ascontiguousarray(_apply(window.luma.T, window.x, across, kernel, phases)[:, 0].T)


def _window_coefficients(window: Window, across: Axis, down: Axis, kernel: str, phases: int) -> Floats:
    along_x = _apply(window.luma.T, window.x, across, kernel, phases)  # (blocks x, frequencies, h)
    columns, low_x, height = along_x.shape
    along_y = _apply(along_x.reshape(-1, height).T, window.y, down, kernel, phases)
    rows, low_y, _ = along_y.shape
    blocks = along_y.reshape(rows, low_y, columns, low_x).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(blocks).reshape(low_y, low_x, -1)


def block_edges(axis: Axis, place: int, length: int) -> NDArray[np.float64]:
    """Where the first edges of native blocks lie in so many output pixels from a place on, counted from there."""
    first = int(np.ceil((place * axis.step + axis.offset) / 8))
    last = int((place + length) * axis.step + axis.offset) // 8 + 1
    edges: NDArray[np.float64] = (8.0 * np.arange(first, last + 1, dtype=np.float64) - axis.offset) / axis.step - place
    return edges


def _apply(lines: Floats, place: int, axis: Axis, kernel: str, phases: int) -> Floats:
    """Low coefficients of the native blocks along the first axis of lines (n, others): float32 (blocks, frequencies, others)."""
    margin, matrices = inverse(axis.step, kernel, phases)
    length = matrices.shape[1]
    parts = np.rint(block_edges(axis, place, len(lines)) * phases).astype(int)
    starts = parts // phases - margin
    whole = (starts >= 0) & (starts + length <= len(lines))
    starts, parts = starts[whole], parts[whole] % phases
    result = np.empty((len(starts), matrices.shape[2], lines.shape[1]), np.float32)
    for block, start, part in zip(
        result, starts.tolist(), parts.tolist(), strict=True
    ):  # a gather would copy all five times
        np.matmul(matrices[part].T, lines[start : start + length], out=block)
    return result

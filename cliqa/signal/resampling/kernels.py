"""The kernels by which libraries resize, as matrices of one axis: output pixels from native pixels.

Places are those that all libraries use: the middle of output pixel i lies at native place (i + 0.5) * step - 0.5. Kernels that are
`stretched` widen with the step where a picture is reduced (Pillow, torch with antialiasing); others don't (OpenCV, torch without).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def _cubic(a: float) -> Callable[[Values], Values]:
    """Keys's cubic; a = -0.5 is Pillow's, -0.75 OpenCV's and torch's."""

    def weights(x: Values) -> Values:
        x = np.abs(x)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((x - 5) * x + 8) * x * a - 4 * a
        found: Values = np.where(x < 1, near, np.where(x < 2, far, 0.0))
        return found

    return weights


def _lanczos(lobes: int) -> Callable[[Values], Values]:
    def weights(x: Values) -> Values:
        found: Values = np.where(np.abs(x) < lobes, np.sinc(x) * np.sinc(x / lobes), 0.0)
        return found

    return weights


def _triangle(x: Values) -> Values:
    found: Values = np.maximum(1 - np.abs(x), 0.0)
    return found


def _hamming(x: Values) -> Values:
    found: Values = np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)
    return found


@dataclass(frozen=True)
class Kernel:
    """Weights by distance in native pixels, their reach, and whether they widen with the step."""

    weights: Callable[[Values], Values]
    reach: float
    stretched: bool


KERNELS: dict[str, Kernel] = {
    "cubic": Kernel(_cubic(-0.5), 2, True),
    "lanczos": Kernel(_lanczos(3), 3, True),
    "triangle": Kernel(_triangle, 1, True),
    "sharp cubic": Kernel(_cubic(-0.75), 2, False),
    "linear": Kernel(_triangle, 1, False),
    "box": Kernel(_triangle, 0.5, True),
    "hamming": Kernel(_hamming, 1, True),
}
"""The first is that of first guesses. `box` is an average over the exact area that an output pixel covers."""


def resampling_weights(kernel: Kernel, step: float, output: Values, native: Values) -> Values:
    """Weights of native pixels (..., n) in output pixels (..., m): float64 (..., m, n), rows sum to 1.

    Args:
        step: native pixels an output pixel, more than 1 where a picture was reduced.
        output, native: whole places of pixels, in units of their own grids.
    """
    centre = (output + 0.5) * step - 0.5
    away = native[..., None, :] - centre[..., :, None]
    if kernel.reach == 0.5:
        half = max(step, 1.0) / 2
        weights = np.clip(np.minimum(away + 0.5, half) - np.maximum(away - 0.5, -half), 0, 1)
    else:
        weights = kernel.weights(away / max(step, 1.0) if kernel.stretched else away)
    total = weights.sum(axis=-1, keepdims=True)
    normalised: Values = weights / np.where(np.abs(total) < 1e-6, 1.0, total)
    return normalised

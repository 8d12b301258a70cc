"""NIQE's features: how the locally normalised luma of a patch is distributed, and the products of neighbours, at two scales.

Mittal, Soundararajan, Bovik, "Making a 'completely blind' image quality analyzer", IEEE SPL 2013, equations 1-9; the moment matching of
the asymmetric generalised Gaussian is that of Lasmar, Stitou, Berthoumieu (ICIP 2009).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA
from cliqa.signal.quality.pristine_patches import PATCH, SHARP_SHARE, local_moments, tile_origins

Array = NDArray[np.float64]
FEATURES = 36  # 18 at each of two scales, as published
_SHAPES = np.arange(0.2, 10.001, 0.001)  # as published
_RATIOS = np.array([math.gamma(2 / a) ** 2 / (math.gamma(1 / a) * math.gamma(3 / a)) for a in _SHAPES])
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


def niqe_features(pixels: NDArray[np.uint8], *, sharpest: bool = False) -> Array:
    """Features of the whole patches of 96 pixels, (patches, 36).

    Args:
        pixels: uint8 (height, width, 3), 96 pixels a side at least.
        sharpest: only patches at least three quarters as sharp as the sharpest: for the pristine model.

    Raises:
        ValueError: the picture is smaller than a patch.
    """
    height, width = (extent // PATCH * PATCH for extent in pixels.shape[:2])
    if not height or not width:
        raise ValueError(f"NIQE needs {PATCH} pixels a side, not {pixels.shape[1]}x{pixels.shape[0]}")
    luma = pixels[:height, :width] @ LUMA
    scales, sharpness = [], np.empty(0)
    for scale in (1, 2):
        mean, deviation = local_moments(luma)
        normal = (luma - mean) / (deviation + 1.0)
        side = PATCH // scale
        origins = tile_origins(luma.shape[0], luma.shape[1], side, side)
        scales.append(np.stack([_patch_features(normal[y : y + side, x : x + side]) for y, x in origins]))
        if scale == 1:
            sharpness = np.array([deviation[y : y + side, x : x + side].mean() for y, x in origins])
        luma = luma.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) if scale == 1 else luma
    found = np.concatenate(scales, axis=1)
    return found[sharpness >= SHARP_SHARE * sharpness.max()] if sharpest else found


def _patch_features(normal: Array) -> Array:
    """18 numbers of a normalised patch: shape and scale of its values; shape, mean and scales of each product of neighbours."""
    shape, left, right = asymmetric_gaussian(normal)
    found = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        shape, left, right = asymmetric_gaussian(normal * np.roll(normal, shift, axis=(0, 1)))
        mean = (right - left) * math.gamma(2 / shape) / math.gamma(1 / shape)
        found += [shape, mean, left, right]
    return np.array(found)


def asymmetric_gaussian(values: Array) -> tuple[float, float, float]:
    """Shape and the scales of the left and the right half of an asymmetric generalised Gaussian, by its moments."""
    below, above = values[values < 0], values[values > 0]
    left = math.sqrt(float(np.mean(below**2))) if below.size else 1e-6
    right = math.sqrt(float(np.mean(above**2))) if above.size else 1e-6
    skew = left / right
    ratio = float(np.mean(np.abs(values))) ** 2 / max(float(np.mean(values**2)), 1e-12)
    wanted = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = float(_SHAPES[np.argmin(np.square(_RATIOS - wanted))])
    factor = math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))
    return shape, left * factor, right * factor

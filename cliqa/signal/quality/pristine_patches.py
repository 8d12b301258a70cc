"""Which patches of good photographs stand for "pristine": the sharpest, and of those the most colourful.

Sharpness is NIQE's: the mean over the patch of the local standard deviation of the luma, in a Gaussian window of 7 pixels.
Colourfulness is that of Hasler and Süsstrunk (SPIE 2003). Both thresholds are shares of the best patch of the same photograph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA

PATCH = 96  # as NIQE has it (Mittal, Soundararajan, Bovik 2013)
SHARP_SHARE = 0.75  # likewise
COLOURFUL_SHARE = 0.80  # no tuning on record
_WINDOW = 7  # likewise NIQE's


def local_moments(luma: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation around every pixel, Gaussian window of 7 pixels (sigma 7/6), edges mirrored."""
    values = np.asarray(luma, dtype=np.float64)
    mean = _smooth(values)
    return mean, np.sqrt(np.maximum(_smooth(values * values) - mean * mean, 0.0))


def local_deviation(luma: NDArray[np.floating]) -> NDArray[np.float64]:
    """The second of `local_moments`."""
    return local_moments(luma)[1]


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-0.5 * (offsets / (_WINDOW / 6.0)) ** 2)
    weights /= weights.sum()
    half = _WINDOW // 2
    padded = np.pad(values, half, mode="symmetric")
    height, width = values.shape
    down = sum(w * padded[i : i + height] for i, w in enumerate(weights))
    return np.asarray(sum(w * down[:, i : i + width] for i, w in enumerate(weights)))


def colourfulness(pixels: NDArray[np.uint8]) -> float:
    """Hasler and Süsstrunk's M of uint8 (h, w, 3): 0 for grey, about 15 slightly, 109 extremely colourful."""
    values = pixels.astype(np.float64)
    red_green = values[..., 0] - values[..., 1]
    yellow_blue = 0.5 * (values[..., 0] + values[..., 1]) - values[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def tile_origins(height: int, width: int, size: int, stride: int) -> list[tuple[int, int]]:
    """Top-left corners of all whole tiles, row by row."""
    return [(y, x) for y in range(0, height - size + 1, stride) for x in range(0, width - size + 1, stride)]


def pristine_origins(
    pixels: NDArray[np.uint8],
    size: int = PATCH,
    stride: int = PATCH,
    sharp_share: float = SHARP_SHARE,
    colourful_share: float = COLOURFUL_SHARE,
) -> list[tuple[int, int]]:
    """Top-left corners (y, x) of the pristine patches of one photograph.

    Args:
        pixels: uint8 (height, width, 3).
        sharp_share: patches at least this sharp, relative to the sharpest, stay.
        colourful_share: of those, patches at least this colourful, relative to the most colourful of them, stay.

    Returns:
        At least one, unless the photograph is smaller than a patch.
    """
    origins = tile_origins(pixels.shape[0], pixels.shape[1], size, stride)
    if not origins:
        return []
    deviation = local_deviation(pixels @ LUMA)
    sharpness = np.array([deviation[y : y + size, x : x + size].mean() for y, x in origins])
    sharp = [origin for origin, value in zip(origins, sharpness, strict=True) if value >= sharp_share * sharpness.max()]
    colour = np.array([colourfulness(pixels[y : y + size, x : x + size]) for y, x in sharp])
    return [origin for origin, value in zip(sharp, colour, strict=True) if value >= colourful_share * colour.max()]

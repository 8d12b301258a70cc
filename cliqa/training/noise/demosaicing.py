"""Demosaicing, as cameras and raw converters do it: bilinear, gradient-corrected (Malvar, He, Cutler 2004) and edge-aware.

Raw images are float32 (height, width) in an RGGB order, even sides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from cliqa.training.noise.fields import Image

Demosaic = Callable[[Image], Image]

_GREEN = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
_RED_BLUE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4
_SECOND = np.array([[0, 0, -1, 0, 0], [0] * 5, [-1, 0, 4, 0, -1], [0] * 5, [0, 0, -1, 0, 0]], np.float32) / 8


def _planes(raw: Image) -> Image:
    """RGGB mosaic (height, width) -> (height, width, 3) with zeros where a colour was not measured."""
    planes = np.zeros((*raw.shape, 3), np.float32)
    planes[0::2, 0::2, 0] = raw[0::2, 0::2]
    planes[0::2, 1::2, 1] = raw[0::2, 1::2]
    planes[1::2, 0::2, 1] = raw[1::2, 0::2]
    planes[1::2, 1::2, 2] = raw[1::2, 1::2]
    return planes


def mosaic(image: Image) -> Image:
    """RGGB samples of (height, width, 3): float32 (height, width)."""
    return np.asarray((_planes_mask(image.shape[0], image.shape[1]) * image).sum(axis=2), np.float32)


@lru_cache(maxsize=8)
def _planes_mask(height: int, width: int) -> Image:
    return _planes(np.ones((height, width), np.float32))


def bilinear(raw: Image) -> Image:
    """Bilinear demosaicing."""
    planes = _planes(raw)
    return np.dstack([cv2.filter2D(planes[..., i], -1, _GREEN if i == 1 else _RED_BLUE) for i in range(3)])


def edge_aware(raw: Image) -> Image:
    """Green along the weaker gradient with a Laplacian correction; red and blue by bilinear colour differences."""
    horizontal = cv2.filter2D(raw, -1, np.array([[-1, 2, 2, 2, -1]], np.float32) / 4)
    vertical = cv2.filter2D(raw, -1, np.array([[-1], [2], [2], [2], [-1]], np.float32) / 4)
    across = np.abs(cv2.filter2D(raw, -1, np.array([[1, 0, -1]], np.float32)))
    along = np.abs(cv2.filter2D(raw, -1, np.array([[1], [0], [-1]], np.float32)))
    green = np.where(across < along, horizontal, np.where(along < across, vertical, (horizontal + vertical) / 2))
    mask = _planes_mask(*raw.shape)
    green = np.where(mask[..., 1] > 0, raw, green)
    difference = cv2.filter2D(mask[..., ::2] * (raw - green)[..., None], -1, _RED_BLUE)
    return np.dstack([green + difference[..., 0], green, green + difference[..., 1]]).astype(np.float32)


def opencv_demosaic(raw: Image) -> Image:
    """OpenCV's demosaicing in 16 bits (its edge-aware variant)."""
    levels = np.clip(raw * 49152 + 8192, 0, 65535).astype(np.uint16)
    rgb = cv2.cvtColor(levels, cv2.COLOR_BayerBG2RGB_EA)
    return np.asarray((rgb.astype(np.float32) - 8192) / np.float32(49152), np.float32)


def gradient_corrected(raw: Image) -> Image:
    """Bilinear, corrected by the Laplacian of the colour that was measured at the pixel."""
    corrected = bilinear(raw) + cv2.filter2D(raw, -1, _SECOND)[..., None]
    return np.where(_planes_mask(*raw.shape) > 0, raw[..., None], corrected)


DEMOSAICS: tuple[Demosaic, ...] = (bilinear, gradient_corrected, edge_aware, edge_aware, opencv_demosaic)

"""The way to sRGB: through an ICC profile, told by what it does and not by its name, or down from PQ and HLG.

Equations and constants: PQ, SMPTE ST 2084; HLG, ITU-R BT.2100; diffuse white at 203 cd/m2, ITU-R BT.2408; primaries, ITU-R BT.709 and
BT.2020, SMPTE EG 432 (P3).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Conversion = Callable[[Image.Image], Image.Image]

SAME = 2
"""Levels by which a profile may move a colour and still be sRGB: what the usual files of that name differ by, and rounding."""
PQ, HLG = 16, 18  # transfer functions, ITU-T H.273
DIFFUSE_WHITE = 203.0  # cd/m2
_HLG_PEAK = 1000.0  # cd/m2 of the display that HLG is shown on
_KNEE = 0.75  # of diffuse white, linear: darker light stays as it is, brighter is bent below white; chosen by hand
_STRIP = 128  # rows at a time; chosen by hand: bounds the memory of the floats


def profile_space(profile: bytes) -> str:
    """ "RGB", "GRAY", "CMYK" or another colour space of a profile. Raises ValueError where it is none."""
    try:
        return str(ImageCms.getOpenProfile(io.BytesIO(profile)).profile.xcolor_space).strip()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise ValueError("no colour profile") from error


@lru_cache(maxsize=16)
def from_profile(profile: bytes, mode: str) -> Conversion | None:
    """From the colours of a profile, in pictures of a Pillow mode (RGB, L or CMYK), to sRGB; None where that moves no colour.

    Raises ValueError where the profile can't be used.
    """
    try:
        opened = ImageCms.getOpenProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")

        def convert(image: Image.Image) -> Image.Image:
            return ImageCms.applyTransform(image, transform) or image.convert("RGB")

        if mode == "RGB":
            steps = np.linspace(0, 255, 9).astype(np.uint8)
            grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
            moved = np.asarray(convert(Image.fromarray(grid))).astype(int) - grid
            if np.abs(moved).max() <= SAME:
                return None
        return convert
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise ValueError("the profile can't be used") from error


def deep_to_srgb(high: Image.Image, low: Image.Image, convert: Conversion) -> Image.Image:
    """A picture of 16 bits through a conversion of pictures of 8: between neighbouring colours of 8 bits by linear interpolation.

    Args:
        high, low: the bytes of each sample, mode RGB or L.
        convert: to mode RGB.
    """
    result = Image.new("RGB", high.size)
    for top in range(0, high.height, _STRIP):
        box = (0, top, high.width, min(high.height, top + _STRIP))
        values = np.asarray(high.crop(box)).astype(np.int32) * 256 + np.asarray(low.crop(box))
        below = (values // 257).astype(np.uint8)  # 65535 = 255 * 257
        rest = (values % 257).astype(np.float32) / 257.0
        start = np.asarray(convert(Image.fromarray(below))).astype(np.float32)
        found = start.copy()
        for channel in range(3 if high.mode == "RGB" else 1):
            above = below if high.mode == "RGB" else below[..., None]
            above = above.copy()
            above[..., channel] = np.minimum(above[..., channel], 254) + 1
            step = np.asarray(convert(Image.fromarray(above if high.mode == "RGB" else above[..., 0]))) - start
            found += step * (rest[..., channel, None] if high.mode == "RGB" else rest[..., None])
        result.paste(Image.fromarray(np.clip(np.rint(found), 0, 255).astype(np.uint8)), box)
    return result


def tone_mapping(transfer: int, primaries: int) -> Conversion:
    """From PQ or HLG (`transfer`) and BT.709, P3 or BT.2020 `primaries`, as H.273 numbers them, to sRGB: mode RGB to mode RGB."""
    levels = np.arange(256, dtype=np.float64) / 255.0
    light = (_pq_light(levels) if transfer == PQ else _hlg_light(levels)).astype(np.float32)
    matrix = {9: _BT2020_TO_709, 12: _P3_TO_709, 11: _P3_TO_709}.get(primaries, np.eye(3)).astype(np.float32)

    def convert(image: Image.Image) -> Image.Image:
        result = Image.new("RGB", image.size)
        for top in range(0, image.height, _STRIP):
            box = (0, top, image.width, min(image.height, top + _STRIP))
            linear = light[np.asarray(image.crop(box))]
            if transfer == HLG:
                luminance = linear @ np.array([0.2627, 0.6780, 0.0593], np.float32)
                linear = linear * (_HLG_PEAK / DIFFUSE_WHITE) * np.maximum(luminance, 1e-6)[..., None] ** 0.2
            linear = np.maximum(linear @ matrix.T, 0.0)
            brightest = np.maximum(linear.max(axis=2, keepdims=True), 1e-6)
            beyond = np.maximum(brightest - _KNEE, 0.0) / (1 - _KNEE)
            bent = np.where(brightest <= _KNEE, brightest, _KNEE + (1 - _KNEE) * beyond / (1 + beyond))
            linear = linear * (bent / brightest)
            coded = np.where(
                linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
            )
            result.paste(Image.fromarray(np.clip(np.rint(coded * 255), 0, 255).astype(np.uint8)), box)
        return result

    return convert


def _pq_light(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """PQ code values 0-1 -> light, 1 at diffuse white."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    found: NDArray[np.float64] = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * (10000 / DIFFUSE_WHITE)
    return found


def _hlg_light(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """HLG code values 0-1 -> light of the scene, 0-1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    found: NDArray[np.float64] = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return found


_BT2020_TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
_P3_TO_709 = np.array([[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]])


def nclx_of(head: bytes) -> tuple[int, int] | None:
    """Primaries and transfer function that an AVIF or HEIC file declares (`colr` box of type `nclx`); None where it doesn't."""
    place = head.find(b"colrnclx")
    if place < 0 or place + 12 > len(head):
        return None
    return int.from_bytes(head[place + 8 : place + 10], "big"), int.from_bytes(head[place + 10 : place + 12], "big")

"""One photograph, damaged a little and then a little more: ladders of one distortion with growing strength.

The strengths are those met in practice, at the resolution of the picture: Gaussian and disc blur of 0.4 to 6 pixels, motion
of 3 to 25, noise of 3 to 45 grey values, JPEG quality 92 to 5, scaling down by 1.3 to 8 and up again, and light that is
missing or clipped. Needs OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from cliqa.training.codecs import decode, encode_webp

Pixels = NDArray[np.uint8]
Rng = np.random.Generator


def gaussian_blur(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Gaussian of 0.4 to 6 pixels."""
    sigma = 0.4 * 15.0**strength
    return image_of(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))


def defocus(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """A disc of 0.8 to 9 pixels radius, as a lens out of focus draws a point."""
    radius = 0.8 * 11.0**strength
    side = int(np.ceil(radius))
    y, x = np.mgrid[-side : side + 1, -side : side + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0.0, 1.0)
    return image_of(cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT))


def motion_blur(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """A straight stroke of 3 to 25 pixels at any angle."""
    length, angle = 3.0 * 8.0**strength, float(rng.uniform(0, np.pi))
    side = int(np.ceil(length / 2)) + 1
    y, x = np.mgrid[-side : side + 1, -side : side + 1]
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(-x * np.sin(angle) + y * np.cos(angle))
    stroke = np.clip(length / 2 + 0.5 - along, 0.0, 1.0) * np.clip(1.0 - across, 0.0, 1.0)
    return image_of(cv2.filter2D(pixels, -1, stroke / stroke.sum(), borderType=cv2.BORDER_REFLECT))


def noise(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Gaussian noise of 3 to 45 grey values: alike in all channels, of each its own, or smoothed to grains."""
    sigma = 3.0 * 15.0**strength
    grey = rng.random() < 0.35
    field = rng.standard_normal((*pixels.shape[:2], 1 if grey else 3), dtype=np.float32)
    if rng.random() < 0.35:
        smooth = cv2.GaussianBlur(field, (0, 0), float(rng.uniform(0.4, 1.2)))
        field = np.asarray(smooth, dtype=np.float32).reshape(field.shape)
        field /= field.std() + 1e-6
    gain = np.sqrt((pixels.astype(np.float32) + 20.0) / 148.0) if rng.random() < 0.4 else 1.0  # photons: with light
    return image_of(pixels + sigma * gain * field)


def jpeg(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """JPEG of quality 92 to 5, 4:2:0 or 4:4:4."""
    quality = round(92 - 87 * strength)
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if rng.random() < 0.3 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    stream: NDArray[np.uint8] = cv2.imencode(".jpg", pixels[..., ::-1], settings)[1]
    return np.ascontiguousarray(np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1])


def down_up(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Scaled down by 1.3 to 8 and back up."""
    factor = 1.3 * 6.2**strength
    height, width = pixels.shape[:2]
    down = int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    up = int(
        rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST], p=[0.3, 0.45, 0.2, 0.05])
    )
    small = cv2.resize(pixels, (max(8, round(width / factor)), max(8, round(height / factor))), interpolation=down)
    return image_of(cv2.resize(small, (width, height), interpolation=up))


def low_light(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Light taken away (to an eighth at most), with the noise that a camera then shows."""
    gain = 2.0 ** (-3.0 * strength)
    linear = (pixels.astype(np.float32) / 255.0) ** 2.2 * gain
    dark = 255.0 * linear ** (1 / 2.2)
    return image_of(dark + (1.0 + 7.0 * strength) * rng.standard_normal(pixels.shape, dtype=np.float32))


def over_exposure(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Light until much is clipped: up to two and a half stops."""
    linear = (pixels.astype(np.float32) / 255.0) ** 2.2 * 2.0 ** (2.5 * strength)
    return image_of(255.0 * np.minimum(linear, 1.0) ** (1 / 2.2))


def low_contrast(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Contrast and colour washed out towards a veil, to a quarter at most."""
    keep = 1.0 - 0.75 * strength
    veil = float(rng.uniform(110, 200))
    return image_of(veil + keep * (pixels.astype(np.float32) - veil))


def webp(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """WebP of quality 92 to 4, by any effort of the encoder."""
    return decode(encode_webp(pixels, round(92 * (4 / 92) ** strength), method=int(rng.integers(2, 6))))


def more_light(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """0.3 to 3.5 EV more, clipped or, half the time, rolled off as cameras do."""
    linear = (pixels / 255.0) ** 2.2 * 2.0 ** (0.3 + 3.2 * strength)
    if rng.random() < 0.5:
        knee = float(rng.uniform(0.5, 0.9))
        rolled = knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee)))
        linear = np.where(linear > knee, rolled, linear)
    return image_of(255 * np.minimum(linear, 1) ** (1 / 2.2))


def less_light(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """0.3 to 4 EV less, without noise."""
    return image_of(255 * ((pixels / 255.0) ** 2.2 * 2.0 ** -(0.3 + 3.7 * strength)) ** (1 / 2.2))


DISTORTIONS: dict[str, Callable[[Pixels, float, Rng], Pixels]] = {
    "gaussian_blur": gaussian_blur, "defocus": defocus, "motion_blur": motion_blur, "noise": noise, "jpeg": jpeg,
    "down_up": down_up, "low_light": low_light, "over_exposure": over_exposure, "low_contrast": low_contrast,
}  # fmt: skip


# What the label-free stages are not asked about: ladders alone have it.
LADDERS = DISTORTIONS | {"webp": webp, "more_light": more_light, "less_light": less_light}


def ladder(
    pixels: Pixels, strengths: list[float], rng: Rng, names: tuple[str, ...] = tuple(DISTORTIONS)
) -> list[Pixels]:
    """The same distortion, with the same random choices, at each strength (0 weakest, 1 strongest)."""
    name = names[int(rng.integers(len(names)))]
    seed = int(rng.integers(2**31))
    return [LADDERS[name](pixels, strength, np.random.default_rng(seed)) for strength in strengths]


def image_of(values: NDArray[np.generic]) -> Pixels:
    """Values rounded and cut to what a picture holds."""
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))

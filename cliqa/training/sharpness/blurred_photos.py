"""One training picture: a scene blurred in linear light, whole or by depth, and then what cameras and people do to a picture.

Order: point spread -> tone curve -> noise -> resizing -> sharpening -> JPEG or WebP. The blur that is told is that of optics, motion
and resizing, in pixels of the final picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.training.codecs import decode, encode_avif, encode_jpeg, encode_webp
from cliqa.training.sharpness.point_spreads import LARGEST, PointSpread, draw_spread
from cliqa.training.sharpness.scenes import Generator, Plane, Scene, slope

Bytes = NDArray[np.uint8]

ENCODED = (
    0.2  # of the pictures are blurred as they are encoded, as programs do; a fifth costs those in linear light nothing
)
PIXEL = 0.45  # pixels: deviation of a sharp picture's own pixel and antialiasing; shows when it is enlarged
EDGE = 12.0  # grey values a pixel after a blur of 1: a slope that only an edge has
EDGES = 60  # so many pixels of an edge make a scene that can be told, before its blur
CONTRAST = (
    5.0,
    16.0,
)  # grey values, root mean square within 16 pixels, of the most structured parts: from "can't tell" to "can"


@dataclass(frozen=True)
class Picture:
    """What came out, and its truth.

    Attributes:
        grey: uint8 (height, width).
        least, most: the blur where it is sharpest lies between these, pixels.
        motion, angle: of a directional blur of the whole picture, pixels and degrees; 0 where there is none.
        tells: 1 there are edges to tell by, 0 there are none, nan hard to say.
        family: of the blur, or "sharp" or "empty".
        layout: "whole" or "depth".
    """

    grey: Bytes
    least: float
    most: float
    motion: float
    angle: float
    tells: float
    family: str
    layout: str


def to_light(grey: Plane) -> Plane:
    """Encoded 0-255 -> linear light 0-1 (sRGB)."""
    tone = np.clip(grey, 0, 255) * np.float32(1 / 255)
    return np.asarray(np.where(tone <= 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4), np.float32)


def from_light(light: Plane) -> Plane:
    """The inverse of `to_light`."""
    light = np.clip(light, 0, 1)
    tone = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.asarray(tone * 255, np.float32)


def spread_over(light: Plane, spread: PointSpread | None) -> Plane:
    """Blurred by a point spread; what lies outside the picture is its mirror image."""
    if spread is None:
        return light
    return np.asarray(cv2.filter2D(light, -1, spread.kernel, borderType=cv2.BORDER_REFLECT), np.float32)


def make_picture(rng: Generator, scene: Scene) -> Picture:
    """Blur a scene and treat it as pictures are treated."""
    linear = rng.random() >= ENCODED
    light = to_light(scene.grey) if linear else np.clip(scene.grey, 0, 255) * np.float32(1 / 255)
    spread, layout = None, "whole"
    kind = rng.random()
    if kind < 0.78:
        spread = draw_spread(rng) if kind < 0.6 or scene.empty else draw_spread(rng, 0.3, 2.5)
        sharpest, motion = spread.sigma, (spread.motion, spread.angle)
        if not scene.empty and rng.random() < 0.28:
            light, sharpest, layout = by_depth(rng, scene.grey, light, spread)
            motion = (0.0, 0.0) if layout == "depth" else motion
        else:
            light = spread_over(light, spread)
    else:
        sharpest, motion = 0.0, (0.0, 0.0)
    grey = toned(rng, from_light(light) if linear else light * np.float32(255))
    tells = 0.0 if scene.empty else telling(scene.grey, grey)
    grey, factor, added = resized(rng, noisy(rng, grey))
    pixels = saved(rng, sharpened(rng, grey))
    least, most = (float(np.sqrt((factor * np.hypot(sharpest, own)) ** 2 + added)) for own in scene.own)
    family = "empty" if scene.empty else "sharp" if spread is None else spread.family
    length = factor * motion[0]
    return Picture(pixels, min(least, LARGEST), min(most, LARGEST), length, motion[1], tells, family, layout)


def by_depth(rng: Generator, grey: Plane, light: Plane, spread: PointSpread) -> tuple[Plane, float, str]:
    """A subject as sharp as it was, or blurred little, before a background blurred by `spread`, or the reverse.

    Returns:
        The picture in linear light, the blur where it is sharpest, and the layout: "whole" where the sharp part had no edges.
    """
    shape = light.shape
    lesser = draw_spread(rng, 0.3, max(0.5, 0.6 * spread.sigma)) if rng.random() < 0.4 else None
    sharp = lesser.sigma if lesser is not None and lesser.sigma < spread.sigma else 0.0
    lesser = lesser if sharp else None
    inside = blob(rng, shape, float(rng.uniform(0.12, 0.6)))
    if rng.random() < 0.3:
        inside = 1 - inside
    steep = slope(grey) > EDGE
    among = steep[inside[:-1, :-1] > 0.5]
    if among.sum() < EDGES or among.mean() < 0.4 * steep.mean():  # no edges where it would be sharp
        return spread_over(light, spread), spread.sigma, "whole"
    mask = cv2.GaussianBlur(inside, (0, 0), float(rng.uniform(0.5, 4)))
    return mask * spread_over(light, lesser) + (1 - mask) * spread_over(light, spread), sharp, "depth"


def blob(rng: Generator, shape: tuple[int, ...], share: float) -> Plane:
    """A region that covers `share` of the picture, about in one piece: float32, 0 or 1."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    centre = rng.uniform(-0.6, 0.6, 2)
    field = -np.hypot((x - centre[0]) * rng.uniform(0.6, 1.6), y - centre[1])
    wobble = cv2.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    field = field + np.float32(rng.uniform(0, 0.3)) * wobble
    return np.asarray(field >= np.quantile(field, 1 - share), np.float32)


def telling(scene: Plane, blurred: Plane) -> float:
    """Whether there is something to tell the blur by: the scene had edges, and what is left of them has contrast."""
    edges = float((slope(scene) > EDGE).sum())
    mean = cv2.blur(blurred, (33, 33))
    contrast = np.sqrt(np.maximum(cv2.blur(blurred * blurred, (33, 33)) - mean * mean, 0))
    strong = float(np.quantile(contrast, 0.97))
    if strong < CONTRAST[0]:
        return 0.0
    return 1.0 if edges > EDGES and strong > CONTRAST[1] else float("nan")


def toned(rng: Generator, grey: Plane) -> Plane:
    """A third get another gamma and contrast."""
    if rng.random() < 0.65:
        return grey
    tone = np.clip(grey, 0, 255) * np.float32(1 / 255)
    tone = tone ** np.float32(np.exp(rng.normal(0, 0.25)))
    tone = np.float32(rng.uniform(0.45, 1.25)) * (tone - np.float32(0.5)) + np.float32(rng.uniform(0.4, 0.6))
    return np.asarray(np.clip(tone * 255, 0, 255), np.float32)


def noisy(rng: Generator, grey: Plane) -> Plane:
    """Four in five get noise of a deviation up to 10: even or growing with the light, white or with a grain, some of it denoised."""
    if rng.random() < 0.2:
        return grey
    strength = float(rng.choice([rng.uniform(0, 2.5), rng.uniform(0, 10)]))
    noise = rng.standard_normal(grey.shape, dtype=np.float32)
    if rng.random() < 0.3:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.4, 1.3))), np.float32)
        noise /= max(float(noise.std()), 1e-6)
    if rng.random() < 0.4:
        noise = noise * np.sqrt((grey + 10) / 100)
    grey = grey + strength * noise
    if strength > 1.5 and rng.random() < 0.2:  # what a camera's denoiser leaves
        small = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)
        grey = cv2.bilateralFilter(small, 5, 2.5 * strength, 1.5).astype(np.float32)
    return np.asarray(np.clip(grey, 0, 255), np.float32)


def resized(rng: Generator, grey: Plane) -> tuple[Plane, float, float]:
    """A quarter are scaled by 0.5-1.6: the picture, the factor, and the variance in pixels^2 that enlarging adds."""
    if rng.random() < 0.75:
        return grey, 1.0, 0.0
    factor = float(rng.uniform(0.5, 1.6))
    size = tuple(max(128, round(length * factor)) for length in grey.shape[::-1])
    how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_AREA]))
    if factor < 1:
        how = int(rng.choice([cv2.INTER_AREA, -1]))
    if how == -1:
        small = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.LANCZOS), np.float32)
    else:
        small = np.asarray(cv2.resize(grey, size, interpolation=how), np.float32)
    kernel = 1 / 6 if how == cv2.INTER_LINEAR else 1 / 12 if how == cv2.INTER_AREA else 0.0
    added = max(factor**2 * (PIXEL**2 + kernel) - PIXEL**2, 0.0) if factor > 1 else 0.0
    return np.clip(small, 0, 255), size[0] / grey.shape[1], added


def sharpened(rng: Generator, grey: Plane) -> Plane:
    """Two in five get an unsharp mask, up to strong halos."""
    if rng.random() < 0.6:
        return grey
    radius, amount = float(rng.uniform(0.5, 2.2)), float(rng.uniform(0.1, 1.6))
    detail = grey - cv2.GaussianBlur(grey, (0, 0), radius)
    if rng.random() < 0.4:  # with a threshold, as programs have
        detail = detail * (np.abs(detail) > float(rng.uniform(0, 3)))
    return np.asarray(np.clip(grey + amount * detail, 0, 255), np.float32)


def saved(rng: Generator, grey: Plane) -> Bytes:
    """Half as they are; the others through JPEG (30-98), WebP or AVIF, some cut afterwards so that the blocks lie anywhere."""
    pixels = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)
    kind = rng.random()
    if kind < 0.4:
        return pixels
    colour = np.ascontiguousarray(np.broadcast_to(pixels[..., None], (*pixels.shape, 3)))
    if kind < 0.8:
        saved_as = encode_jpeg(colour, int(rng.integers(30, 99)))
        if rng.random() < 0.15:
            saved_as = encode_jpeg(decode(saved_as), int(rng.integers(50, 99)))
    elif kind < 0.97:
        saved_as = encode_webp(colour, int(rng.integers(35, 99)), method=int(rng.integers(0, 5)))
    else:
        saved_as = encode_avif(colour, int(rng.integers(35, 95)), speed=9)
    pixels = decode(saved_as)[..., 1]
    if rng.random() < 0.2:
        pixels = pixels[int(rng.integers(8)) :, int(rng.integers(8)) :]
    return np.ascontiguousarray(pixels)

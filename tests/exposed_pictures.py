"""A picture with many tones, and the same exposed otherwise."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw


def scene(seed=0, size=(240, 320)):
    """A picture with many tones: smooth shapes, texture, black and white."""
    rng = np.random.default_rng(seed)
    shapes = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)).resize(
        size[::-1], Image.Resampling.BICUBIC
    )
    wide = np.asarray(shapes).astype(float) + rng.normal(0, 6, (*size, 3))
    return np.clip((wide - 20) * 1.2, 0, 255).astype(np.uint8)


def exposed(pixels, ev):
    u = pixels / 255.0
    light = np.where(u <= 0.04045, u / 12.92, ((u + 0.055) / 1.055) ** 2.4)
    light = np.minimum(light * 2.0**ev, 1.0)
    return np.rint(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)).astype(
        np.uint8
    )


def cut_out(seed=0, size=480, texture=None):
    """A disc of a scene on pure white, its edge antialiased: pixels, and where the disc is."""
    outline = Image.new("L", (4 * size, 4 * size), 0)
    ImageDraw.Draw(outline).ellipse((1.2 * size, 0.8 * size, 3.0 * size, 3.1 * size), fill=255)
    outline = outline.resize((size, size), Image.Resampling.BOX)
    picture = Image.new("RGB", (size, size), (255, 255, 255))
    inside = Image.fromarray(scene(seed) if texture is None else texture).resize((size, size))
    picture.paste(inside, (0, 0), outline)
    return np.asarray(picture), np.asarray(outline) > 0

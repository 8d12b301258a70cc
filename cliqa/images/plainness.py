"""Cheap facts of every picture beside its header: whether it has colour, and whether it holds anything."""

from __future__ import annotations

import numpy as np
from PIL import Image

SAMPLE = 64  # pixels a side, thinned out and not averaged
COLOURLESS = 8  # grey values between the channels of a pixel: rounding in JPEG leaves up to that in grey pictures
EVEN = 10  # grey values around the median: what noise and JPEG make of one colour
MOST = 0.98  # of the pixels that must be so


def plainness(image: Image.Image) -> dict[str, int]:
    """Facts of a picture, mode RGB: `grey` and `flat`, 0 or 1.

    `grey`: it has no colour (a tint over all of it is one). `flat`: nearly all of it is one colour, so there is little information.
    """
    size = (min(SAMPLE, image.width), min(SAMPLE, image.height))
    pixels = np.asarray(image.resize(size, Image.Resampling.NEAREST)).reshape(-1, 3).astype(np.int16)
    colour = pixels.max(axis=1) - pixels.min(axis=1)
    apart = np.abs(pixels - np.median(pixels, axis=0)).max(axis=1)
    return {
        "grey": int(np.mean(colour <= COLOURLESS) >= MOST),
        "flat": int(np.mean(apart <= EVEN) >= MOST),
    }

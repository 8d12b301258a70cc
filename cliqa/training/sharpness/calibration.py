"""A curve that takes the networks' bias off pictures as they come: blurred, with little noise, not sharpened.

In training two pictures in five are sharpened and most are noisy, which hides some of the blur; what was not sharpened then reads as
more blurred than it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.training.sharpness.blurred_photos import ENCODED, Picture, from_light, spread_over, telling, to_light
from cliqa.training.sharpness.point_spreads import LARGEST, draw_size, draw_spread, gaussian
from cliqa.training.sharpness.scenes import Generator, Scene

KNOTS = np.array([0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.2], np.float32)  # log(1 + blur)
NOISE = 2.0  # the most, as a deviation in grey values


def plain_picture(rng: Generator, scene: Scene) -> Picture:
    """Blurred as a whole, half of them by a Gaussian, with light noise and nothing else."""
    drawn = gaussian(draw_size(rng, 0.3, 7.5)) if rng.random() < 0.5 else draw_spread(rng)
    spread = None if rng.random() < 0.15 else drawn
    linear = rng.random() >= ENCODED
    grey = from_light(spread_over(to_light(scene.grey), spread)) if linear else spread_over(scene.grey, spread)
    tells = telling(scene.grey, grey)
    noisy = grey + float(rng.uniform(0, NOISE)) * rng.standard_normal(grey.shape, dtype=np.float32)
    pixels = np.rint(np.clip(noisy, 0, 255)).astype(np.uint8)
    blur = min(spread.sigma, LARGEST) if spread is not None else 0.0
    motion = (spread.motion, spread.angle) if spread is not None else (0.0, 0.0)
    return Picture(pixels, blur, blur, *motion, tells, spread.family if spread else "sharp", "whole")


def calibration(said: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float32]:
    """The curve as (2, knots): what the networks say and what it stands for, both log(1 + blur), rising.

    Args:
        said, truth: blur in pixels of plain pictures, what the networks say and what it is.
    """
    level, apart = np.log1p(said), np.log1p(truth) - np.log1p(said)
    shift = []
    for index, knot in enumerate(KNOTS):
        reach = KNOTS[1] - KNOTS[0]
        weight = np.maximum(1 - np.abs(level - knot) / reach, 0) + 1e-9
        order = np.argsort(apart)
        cumulated = np.cumsum(weight[order])
        enough = weight.sum() > 3
        shift.append(apart[order][np.searchsorted(cumulated, 0.5 * cumulated[-1])] if enough and index else 0.0)
    values = np.maximum.accumulate(np.maximum(KNOTS + np.array(shift), 0))
    return np.stack([KNOTS, values]).astype(np.float32)

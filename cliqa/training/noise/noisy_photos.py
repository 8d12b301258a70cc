"""Noisy and clean pictures with a known noise level, from pristine photographs.

A picture goes: a clean canvas -> noise of one family at a drawn PSNR -> perhaps sharpening or resizing; then it may be
saved as JPEG. The PSNR is measured between the clean and the noisy picture after both went through the same sharpening
and resizing, before JPEG: the noise that one sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cliqa.training.histories.draws import integers, uniform
from cliqa.training.histories.filters import noise_of, to_uint8, unsharp_float
from cliqa.training.histories.geometry import kernels_of, resized_to
from cliqa.training.histories.graph import Step, in_order, sometimes
from cliqa.training.histories.picture import Picture, Pixels, Rng
from cliqa.training.histories.saves import plain_jpeg, rolled
from cliqa.training.noise.canvases import SOFT_SHARE, TILE, draw_canvas, draw_layout
from cliqa.training.noise.families import draw_family

CLEAN_SHARE = 0.2  # of all examples
PSNR_DRAWN = (19.0, 52.0)  # a little beyond 20-50, so that the ends are learnt too
SOFT_SHARES = {"clean": 0.2, "camera": 0.4, "denoised": 0.4, "shots": 0.75, "mixture": 0.4}  # cameras' files are soft
SHARPEN_SHARE = RESIZE_SHARE = 0.2
SMALLER = kernels_of("BOX", "INTER_LINEAR", "BICUBIC", "LANCZOS")  # antialiased but for the second
LARGER = kernels_of("INTER_AREA", "INTER_LINEAR", "INTER_CUBIC", "INTER_LANCZOS4")


@dataclass(frozen=True)
class Mix:
    """What pictures are drawn from.

    Attributes:
        clean: share without noise.
        reduced: share of those that are scaled down to 0.35-0.75.
        families: share of each family among the noisy ones; None for their own.
    """

    clean: float = CLEAN_SHARE
    reduced: float = 0.0
    families: Mapping[str, float] | None = None


def make_picture(rng: Rng, draw_photo: Callable[[Rng], Pixels], mix: Mix = Mix()) -> Picture:
    """One picture, before any codec. `draw_photo` gives the uint8 pixels (height, width, 3) of a pristine photograph."""
    rows, columns = draw_layout(rng)
    factor = float(np.exp(rng.uniform(np.log(0.55), np.log(1.4)))) if rng.random() < RESIZE_SHARE else 1.0
    family = "clean" if rng.random() < mix.clean else draw_family(rng, mix.families)
    if family == "clean" and mix.reduced and rng.random() < mix.reduced:
        factor = float(rng.uniform(0.35, 0.75))
    height, width = (max(64, 2 * round(count * TILE / factor / 2)) for count in (rows, columns))
    canvas = to_uint8(draw_canvas(rng, draw_photo, height, width, SOFT_SHARES.get(family, SOFT_SHARE)))
    picture = Picture(canvas, clean=canvas)
    if family != "clean":
        picture = noise_of(family, uniform(*PSNR_DRAWN))(rng, picture)
    steps: list[Step] = []
    if rng.random() < SHARPEN_SHARE:
        steps.append(unsharp_float(float(rng.uniform(0.4, 2.0)), float(rng.uniform(0.2, 1.5))))
    if factor != 1:
        how = (SMALLER if rows * TILE < height else LARGER)(rng)
        steps.append(lambda rng, picture: resized_to(rng, picture, (rows * TILE, columns * TILE), lambda rng: how))
    return in_order(*(reversed(steps) if rng.random() < 0.5 else steps))(rng, picture)


def draw_quality(rng: Rng) -> int:
    """A JPEG quality: mostly 80-99, sometimes down to 60, as files from elsewhere have."""
    return int(rng.integers(80, 100) if rng.random() < 0.8 else rng.integers(60, 80))


def as_jpeg(quality: int) -> Step:
    """Through JPEG and back, a few twice. A few are moved, so the grid is anywhere."""
    last = plain_jpeg(lambda rng: quality)
    return in_order(sometimes(0.1, plain_jpeg(integers(88, 99))), sometimes(0.1, in_order(rolled, last, rolled), last))

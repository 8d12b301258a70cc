"""Steps that move, cut and resize: crops, turns, resizes by the kernels of many libraries."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
from PIL import Image

from cliqa.training.histories.draws import Draw
from cliqa.training.histories.graph import Step
from cliqa.training.histories.picture import Pair, Picture, Pixels, Rng
from cliqa.training.histories.resampling import Resampler, Size, resamplers, sample_resampler

Kernels = Callable[[Rng], Resampler]


def off_grid(rng: Rng, picture: Picture) -> Picture:
    """0-7 pixels cut off the left and the top: where blocks of 8 begin is anywhere then."""
    left, top = (int(value) for value in rng.integers(0, 8, 2))
    return picture.cropped(top, left)


def moved_on_grid(rng: Rng, picture: Picture) -> Picture:
    """Up to 128 pixels cut off the left and the top, four times in five by whole blocks of 8."""
    step = 1 if rng.random() < 0.2 else 8
    left, top = (int(value) * step for value in rng.integers(0, 129 // step, 2))
    return picture.cropped(top, left)


def trimmed(rng: Rng, picture: Picture) -> Picture:
    """Up to 63 pixels cut off the left and the top, mostly few, and a third of a side at most."""
    left, top = (int(value) for value in (rng.integers(0, 16, 2) if rng.random() < 0.7 else rng.integers(0, 64, 2)))
    height, width = picture.pixels.shape[:2]
    return picture.cropped(min(top, height // 3), min(left, width // 3))


def nudged(rng: Rng, picture: Picture) -> Picture:
    """0-8 pixels cut off the top and the left."""
    top, left = (int(value) for value in rng.integers(0, 9, 2))
    return picture.cropped(top, left)


def part(rng: Rng, picture: Picture) -> Picture:
    """A random part, half to all of each side, 96 pixels at least where there are so many."""
    height, width = (max(min(side, 96), int(side * rng.uniform(0.5, 1.0))) for side in picture.pixels.shape[:2])
    return cropped(rng, picture, height, width)


def cropped(rng: Rng, picture: Picture, height: int, width: int, grid: int = 1) -> Picture:
    """A random part of at most that size, at offsets that are multiples of `grid`."""
    most = picture.pixels.shape
    height, width = min(height, most[0]), min(width, most[1])
    top = int(rng.integers(0, (most[0] - height) // grid + 1)) * grid
    left = int(rng.integers(0, (most[1] - width) // grid + 1)) * grid
    return picture.cropped(top, left, height, width)


def mirrored_out(picture: Picture, side: int) -> Picture:
    """With sides of at least `side` pixels: what is smaller goes on mirrored."""
    missing = [max(0, side - length) for length in picture.pixels.shape[:2]]
    if not any(missing):
        return picture
    border = ((0, missing[0]), (0, missing[1]), (0, 0))
    return picture.changed(np.random.default_rng(0), lambda rng, pixels: np.pad(pixels, border, mode="symmetric"))


def mirrored(rng: Rng, picture: Picture) -> Picture:
    """Left and right exchanged in 6 of 10, else top and bottom. Where the grid lies then is not followed."""
    across = bool(rng.random() < 0.6)

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(pixels[:, ::-1] if across else pixels[::-1])

    return replace(picture.changed(rng, change), grid=None)


def quarter_turn(way: Draw[int]) -> Step:
    """By 90 degrees, `way` (1 or 3) times."""

    def step(rng: Rng, picture: Picture) -> Picture:
        turns = way(rng)
        return picture.turned(rng, lambda rng, pixels: np.ascontiguousarray(np.rot90(pixels, turns)))

    return step


def rotated(rng: Rng, picture: Picture) -> Picture:
    """By up to 20 degrees either way, black coming in at the corners."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        return np.asarray(Image.fromarray(pixels).rotate(float(rng.uniform(-20, 20)), Image.Resampling.BICUBIC))

    return replace(picture.changed(rng, change), grid=None)


def kernels_of(*methods: str) -> Kernels:
    """One of the kernels of Pillow ("LANCZOS") and OpenCV ("INTER_CUBIC"), all as often."""
    found = {each.method: each for each in resamplers() if each.library in ("pillow", "opencv")}
    return lambda rng: found[methods[int(rng.integers(len(methods)))]]


def any_kernel(without: Collection[str] = ()) -> Kernels:
    """Any kernel of any library, except those families."""

    def draw(rng: Rng) -> Resampler:
        while (found := sample_resampler(rng)).kernel in without:
            pass
        return found

    return draw


def resized_to(rng: Rng, picture: Picture, size: Size, kernels: Kernels) -> Picture:
    """Resized to (height, width) `size` by one of the kernels."""
    how = kernels(rng)
    factors = how.factors(picture.pixels.shape[:2], size)
    return picture.resized(rng, lambda rng, pixels: how.resize(pixels, size)[0], factors)


def resized(rng: Rng, picture: Picture, factors: Pair, kernels: Kernels, least: int = 48) -> Picture:
    """Resized by the (y, x) `factors`, to no less than `least` pixels a side."""
    height, width = (max(least, round(side * by)) for side, by in zip(picture.pixels.shape[:2], factors, strict=True))
    return resized_to(rng, picture, (height, width), kernels)


def grown(rng: Rng, picture: Picture) -> Picture:
    """Enlarged by 1.1-3 and cut to the size that it had."""
    factor, (height, width) = float(rng.uniform(1.1, 3.0)), picture.pixels.shape[:2]
    kernels = kernels_of("NEAREST", "LANCZOS", "BILINEAR", "BICUBIC")
    return resized(rng, picture, (factor, factor), kernels).cropped(0, 0, height, width)


def rescaled(rng: Rng, picture: Picture) -> Picture:
    """Resized by up to a third, smaller (more often) or larger, by the kernels of Pillow and OpenCV."""
    kernels = kernels_of(
        "LANCZOS", "BICUBIC", "BILINEAR", "BOX", "HAMMING", "INTER_AREA", "INTER_LINEAR", "INTER_CUBIC"
    )
    factor = float(rng.uniform(0.667, 1.0) if rng.random() < 0.65 else rng.uniform(1.0, 1.334))
    return resized(rng, picture, (factor, factor), kernels, least=96)

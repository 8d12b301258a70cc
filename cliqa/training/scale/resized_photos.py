"""Photographs with a known enlargement: resized ones, and soft or processed ones that were never enlarged.

The factor is that of the information: an enlargement multiplies it, a reduction divides it but never below 1, and
blur, rotation, demosaicing, noise and compression leave it as it is. HEIC, JPEG XL and the kernels `KEPT_OUT` are in no history:
results on them are reported apart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from cliqa.training import codecs
from cliqa.training.histories.draws import by_share, chance, integers, pick, uniform
from cliqa.training.histories.filters import noise, sharpened, softened, toned, white_noise
from cliqa.training.histories.geometry import any_kernel, cropped, nudged, part, resized
from cliqa.training.histories.graph import Step, evenly, in_order, one_of, sometimes, untouched
from cliqa.training.histories.pages import framed, watermarked
from cliqa.training.histories.picture import Pair, Picture, Rng
from cliqa.training.histories.saves import jpeg, save
from cliqa.training.noise.fields import log_uniform
from cliqa.training.scale.sources import random_photo, smooth

KINDS = ("enlarged", "untouched", "camera", "reduced", "saved and reduced", "defocus", "motion", "rotation", "mosaic", "denoised",
         "smooth", "halftone")  # fmt: skip
KEPT_OUT = ("lanczos4", "gaussian")
KERNELS = any_kernel(KEPT_OUT)
ENLARGED = 0.5  # share of examples that are enlarged
LARGEST = 512  # pixels a side after resizing: the metric reads no more, and all that follows costs by the pixel
LEAST = 34  # pixels a side before an enlargement by much
SHARES = {"untouched": 0.26, "reduced": 0.12, "saved and reduced": 0.33, "defocus": 0.06, "motion": 0.05, "rotation": 0.03,
          "mosaic": 0.05, "denoised": 0.03, "smooth": 0.04, "halftone": 0.03}  # fmt: skip

NOISES = {"gaussian": 0.3, "poisson_gaussian": 0.22, "camera": 0.11, "grain": 0.09, "density_grain": 0.05, "chroma": 0.06,
          "colours": 0.05, "structured": 0.05, "impulses": 0.03, "mixture": 0.02, "denoised": 0.01, "shots": 0.01}  # fmt: skip
"""Of the families of noise; those that take 50-140 ms a picture are the rare ones."""
SPEEDS = {6: 0.04, 7: 0.08, 8: 0.08, 9: 0.4, 10: 0.4}
"""Of the AVIF encoder, from thorough to fast: 170 to 16 ms for 512x512 pixels."""
HIGH = jpeg(80, 99)
WEBP = save("webp", codecs.encode_webp, method=integers(0, 6), sharp_yuv=chance(0.15), quality=integers(35, 97))
AVIF = save("avif", codecs.encode_avif, speed=by_share(SPEEDS), subsampling=by_share({"4:2:0": 0.8, "4:4:4": 0.2}),
            quality=integers(35, 91))  # fmt: skip
SAVES = {untouched: 0.18, HIGH: 0.19, jpeg(55, 80): 0.17, jpeg(20, 55): 0.07, WEBP: 0.24, AVIF: 0.15}
"""How the picture was kept at last, and how often; most where traces are faint, not gone."""
FINE_NOISE = white_noise(lambda rng: log_uniform(rng, 0.5, 8))

FINISH = in_order(
    sometimes(0.1, sharpened),
    one_of({noise(NOISES, uniform(20, 46)): 0.19, FINE_NOISE: 0.05}),
    sometimes(0.08, one_of({toned: 0.7, watermarked: 0.3})),
    sometimes(0.3, part),
    sometimes(0.03, framed),
    one_of(SAVES),
    sometimes(0.1, in_order(part, sometimes(0.5, evenly(HIGH, WEBP)))),
)
"""What comes after the resizing."""


def saved_before(rng: Rng, picture: Picture) -> Picture:
    """A save before it: mostly as JPEG, whose grid the resize moves; in some a crop comes between."""
    other = (WEBP, AVIF)[int(rng.integers(2))]
    return in_order(sometimes(0.85, jpeg(20, 98), other), sometimes(0.25, nudged))(rng, picture)


_LOGS = (np.log(2.0), np.log(16.0))


def random_factors(rng: Rng) -> Pair:
    """(y, x) enlargements: even over 1-2, with more near 1 where decisions fall and some from 2 to 16; a fifth differ by axis."""

    def one() -> float:
        pick = rng.random()
        if pick < 0.09:
            return float(rng.uniform(1.005, 1.12))
        if pick < 0.15:  # whole factors leave no periodic line where pixels are centred: the hardest, and common
            return 2.0
        if pick < 0.25:
            return float(
                rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 16)) if rng.random() < 0.6 else np.exp(rng.uniform(*_LOGS))
            )
        if pick < 0.36:  # round numbers and ratios are what people use
            return float(rng.choice((1.1, 1.125, 1.2, 1.25, 4 / 3, 1.4, 1.5, 1.6, 5 / 3, 1.75, 1.8, 1.9, 2.0)))
        return float(rng.uniform(1.0, 2.0))

    y = one()
    if rng.random() < 0.2 and y <= 2.0:
        return y, (one() if rng.random() < 0.8 else 1.0)
    return y, y


def random_reduction(rng: Rng, low: float = 0.5) -> Pair:
    """(y, x) factors of `low`-1.0; a fifth differ by axis."""
    y = float(rng.uniform(low, 1.0))
    return y, (float(rng.uniform(low, 1.0)) if rng.random() < 0.2 else y)


def reduced(rng: Rng, picture: Picture, factors: Pair) -> Picture:
    """Resized by (y, x) factors of at most 1."""
    return resized(rng, picture, factors, KERNELS)


def enlarged(rng: Rng, picture: Picture) -> Picture:
    """Resized up, some after another resize, some of a softer source, some after a save."""
    y, x = random_factors(rng)
    room = rng.uniform(0.55, 1.0) if rng.random() < 0.3 else 1.0
    if max(x, y) > 2 and rng.random() < 0.6:  # else what is enlarged by much would have nothing in it
        picture = reduced(rng, picture, random_reduction(rng, max(0.15, 64 / min(picture.pixels.shape[:2]))))
    picture = cropped(rng, picture, max(LEAST, int(LARGEST * room / y)), max(LEAST, int(LARGEST * room / x)))
    if rng.random() < 0.12 and max(x, y) <= 2:
        first = float(rng.uniform(0.5, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 1.5))
        picture = resized(rng, picture, (first, first), KERNELS)
    elif rng.random() < 0.08:
        picture = softened("defocus", "mosaic", "denoised")(rng, picture)
    elif rng.random() < 0.2:
        picture = saved_before(rng, picture)
    return resized(rng, picture, (y, x), KERNELS)


def _reduced(before: Step) -> Step:
    def step(rng: Rng, picture: Picture) -> Picture:
        factors = random_reduction(rng)
        height, width = (int(LARGEST / factor) + 16 for factor in factors)  # room for the crop after a save
        picture = cropped(rng, picture, height, width, grid=int(rng.choice((1, 8))))
        return reduced(rng, before(rng, picture), factors)

    return step


def _window(rng: Rng, picture: Picture) -> Picture:
    return cropped(rng, picture, int(rng.integers(200, 640)), int(rng.integers(200, 640)), grid=8)


def _largest(rng: Rng, picture: Picture) -> Picture:
    return cropped(rng, picture, LARGEST, LARGEST)


HISTORIES = {
    "untouched": sometimes(0.5, _window),
    "reduced": _reduced(untouched),
    "saved and reduced": _reduced(saved_before),
    "smooth": lambda rng, picture: Picture(smooth(rng, LARGEST)),
} | {
    kind: in_order(_largest, softened(kind))
    for kind in ("defocus", "motion", "rotation", "mosaic", "denoised", "halftone")
}


def resized_photo(rng: Rng, folder: str, split: str, seed: int, number: int) -> tuple[Picture, str]:
    """One example, whose true (y, x) factors are the picture's, and what was done to it.

    `seed` and `number` choose the photograph and its resizing (kept for the next call), `rng` what happens to it afterwards.
    """
    picture, how = _numbered(folder, split, seed, number)
    return (picture if how == "camera" else in_order(_largest, FINISH)(rng, picture)), how


@lru_cache(maxsize=1)
def _numbered(folder: str, split: str, seed: int, number: int) -> tuple[Picture, str]:
    return _resized(np.random.default_rng([seed, 0x5CA1E, number]), folder, split)


def _resized(rng: Rng, folder: str, split: str) -> tuple[Picture, str]:
    pixels, kind = random_photo(rng, folder, split)
    picture = Picture(pixels)
    if rng.random() < ENLARGED:
        return enlarged(rng, picture), "enlarged"
    how = pick(rng, SHARES)
    picture = HISTORIES[how](rng, picture)
    return picture, "camera" if how == "untouched" and kind == "camera" and rng.random() < 0.7 else how

"""What happens to a photograph before it is enlarged, instead of it, and afterwards.

A `Scene` holds one photograph's small version, which networks enlarge, and pictures of the same content, size and history that no
network enlarged: the true pixels, ordinary enlargements, and processed ones. `finished` is what any of them goes through afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from cliqa.training import codecs
from cliqa.training.histories.draws import any_of, chance, integers, uniform
from cliqa.training.histories.filters import (
    denoised,
    edge_keeping,
    gamma,
    local_contrast,
    palette,
    saturation_of_mean,
    sharpened,
    softened,
)
from cliqa.training.histories.geometry import any_kernel, cropped, kernels_of, mirrored_out, resized_to
from cliqa.training.histories.graph import Step, evenly, in_order, one_of, sometimes, times, untouched
from cliqa.training.histories.picture import Picture, Pixels, Rng
from cliqa.training.histories.resampling import Resampler
from cliqa.training.histories.saves import save
from cliqa.training.scale.resized_photos import FINE_NOISE
from cliqa.training.scale.sources import random_photo

OTHERWISE = ("true", "enlarged", "processed", "denoised by a network")  # the kinds of what no network enlarged
SHARES = (0.36, 0.26, 0.28, 0.10)


def lossy(low: int, high: int) -> Step:
    """Through a lossy file of that quality: JPEG mostly, WebP, AVIF or JPEG 2000 now and then."""
    quality = integers(low, high)
    sampling = any_of("4:2:0", "4:2:0", "4:4:4", "4:2:2")

    def decibels(rng: Rng) -> float:
        quality(rng)  # drawn for all codecs alike
        return float(rng.uniform(34, 46))

    webp = save("webp", codecs.encode_webp, quality=quality, method=integers(2, 4), sharp_yuv=chance(0.3))
    avif = save("avif", codecs.encode_avif, quality=lambda rng: max(45, quality(rng) - 15), speed=integers(6, 9))
    return one_of(
        {
            save("jpeg", codecs.encode_jpeg, quality=quality, subsampling=sampling): 0.74,
            webp: 0.18,
            avif: 0.04,
            save("jpeg2000", codecs.pillow_jpeg2000, quality=decibels): 0.04,
        }
    )


TONED = one_of({gamma(uniform(0.6, 1.6)): 0.4, local_contrast: 0.35, saturation_of_mean(uniform(0.0, 1.8)): 0.25})
"""Another tone curve, local contrast as phones and HDR programs give it, or colour."""

BEFORE = one_of(
    {
        untouched: 0.5,
        lossy(60, 97): 0.18,
        FINE_NOISE: 0.08,
        in_order(FINE_NOISE, lossy(70, 97)): 0.06,
        softened("defocus", "mosaic", "denoised"): 0.06,
        TONED: 0.06,
        sharpened: 0.06,
    }
)
"""What the photograph had gone through already: mostly nothing, else a save, noise, softness or another tone."""

_SOFTENED = softened("defocus", "motion", "rotation", "mosaic", "denoised")
PROCESSED = times(
    lambda rng: 1 if rng.random() < 0.6 else 2,
    evenly(
        sharpened,
        sharpened,
        denoised,
        denoised,
        denoised,
        edge_keeping,
        _SOFTENED,
        _SOFTENED,
        TONED,
        FINE_NOISE,
        palette,
    ),
)
"""Work of programs that are no upscalers: one or two of sharpening, denoising, smoothing that keeps edges, tone, palettes ..."""


@dataclass(frozen=True)
class Scene:
    """`small` is what a network of the scene's scale enlarges; `others` are what none did, with their kinds in `OTHERWISE`."""

    small: Pixels
    others: list[tuple[Pixels, str]]
    kind: str


def make_scene(rng: Rng, folder: str, split: str, side: int, scale: int, others: int, drawn: str = "") -> Scene:
    """A random photograph of the split; enlarged by `scale` the small version has at least `side` pixels.

    `drawn` chooses the kind of what no network did; by `SHARES` where it is empty.
    """
    pixels, kind = random_photo(rng, folder, split)
    picture = BEFORE(rng, Picture(pixels))
    need, shortest = -(-side // scale), min(picture.pixels.shape[:2])
    small = picture
    if rng.random() < 0.6:  # a reduced photograph; otherwise a part of what there is, as users enlarge it
        factor = min(float(rng.choice((scale, scale, rng.uniform(1.3, 4.0)))), shortest / need)
        if factor > 1.05:
            small = reduced_by(rng, picture, factor)
            small = sometimes(0.25, lossy(70, 98), sometimes(0.12, FINE_NOISE))(rng, small)
    found = []
    for _ in range(others):
        how = drawn or str(rng.choice(OTHERWISE, p=SHARES))
        found.append((_otherwise(rng, picture, small, side, how).pixels, how))
    return Scene(_square(rng, small, need).pixels, found, kind)


def _otherwise(rng: Rng, picture: Picture, small: Picture, side: int, how: str) -> Picture:
    native = small if rng.random() < 0.35 and min(small.pixels.shape[:2]) >= side else picture
    if how == "enlarged":
        factor = float(rng.choice((rng.uniform(1.05, 2.0), 2.0, 2.0, 3.0, 4.0, rng.uniform(2.0, 4.0))))
        part = _square(rng, small if rng.random() < 0.7 else picture, -(-side // factor).__int__() + 1)
        return sometimes(0.25, sharpened)(rng, resized_to(rng, part, (side, side), any_kernel()))
    part = _square(rng, native, side)
    return PROCESSED(rng, part) if how == "processed" else part


def _square(rng: Rng, picture: Picture, side: int) -> Picture:
    """A random square part; what is smaller is mirrored out."""
    return mirrored_out(cropped(rng, picture, side, side), side)


def _kernel(rng: Rng) -> Resampler:
    """Any, mostly those of programs for photographs."""
    return (kernels_of("BICUBIC", "LANCZOS", "BOX") if rng.random() < 0.5 else any_kernel())(rng)


def reduced_by(rng: Rng, picture: Picture, factor: float) -> Picture:
    """Resized down by `factor`."""
    height, width = picture.pixels.shape[:2]
    return resized_to(rng, picture, (max(16, round(height / factor)), max(16, round(width / factor))), _kernel)


def finished(rng: Rng, picture: Picture, side: int, reduced: bool = False) -> Picture:
    """What happens to a picture before it reaches a collection; the result, or a part of it, with sides of at least `side`.

    With `reduced` it is reduced, whatever else.
    """

    def cut(grid: int) -> Step:
        def step(rng: Rng, picture: Picture) -> Picture:
            height, width = (int(rng.integers(min(side, length), length + 1)) for length in picture.pixels.shape[:2])
            return cropped(rng, picture, height, width, grid)

        return step

    def smaller(rng: Rng, picture: Picture) -> Picture:
        factor = float(rng.uniform(max(0.5, side / min(picture.pixels.shape[:2])), 1.0))
        return sometimes(0.5, lossy(78, 97))(rng, reduced_by(rng, picture, 1 / factor))

    ways = {
        untouched: 0.24,
        in_order(sometimes(0.3, cut(1)), lossy(74, 98)): 0.32,
        lossy(50, 75): 0.06,
        smaller: 0.24,
        in_order(sharpened, sometimes(0.5, lossy(78, 97))): 0.07,
        in_order(lossy(75, 96), lossy(78, 97)): 0.03,
        FINE_NOISE: 0.02,
        TONED: 0.02,
    }
    picture = (smaller if reduced else one_of(ways))(rng, picture)
    # most parts keep the grid of the picture's corner
    return mirrored_out(sometimes(0.5, sometimes(0.7, cut(8), cut(1)))(rng, picture), side)


_UNDER: dict[str, Step] = {
    "PNG": untouched,
    "JPEG 85-95": save("jpeg", codecs.encode_jpeg, quality=integers(85, 95), subsampling=any_of("4:2:0", "4:4:4")),
    "WebP 80-95": save("webp", codecs.encode_webp, quality=integers(80, 95)),
    "JPEG 70-84": save("jpeg", codecs.encode_jpeg, quality=integers(70, 84)),
    "reduced to 0.75": lambda rng, picture: reduced_by(rng, picture, 1 / 0.75),
    "sharpened": sharpened,
}
CONDITIONS = tuple(_UNDER)


def under(condition: str, rng: Rng, pixels: Pixels) -> Pixels:
    """The picture as one of `CONDITIONS` leaves it, for measuring."""
    return _UNDER[condition](rng, Picture(pixels)).pixels

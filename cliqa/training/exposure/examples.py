"""Labelled examples for the exposure metric: sources, the draw of faults, what happens to the picture afterwards, and its statistics.

Half of the art is in what is *not* a fault: untouched photographs of every kind, and changes that stay inside level 1.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.grepq.rated_sets import published_photographs
from cliqa.images.loading import LoadedImage
from cliqa.metrics.base import View
from cliqa.metrics.exposure import observe_tones
from cliqa.training.examples import Example
from cliqa.training.exposure import faults
from cliqa.training.photos import Photo, Split, read_photos

CAMERA_SHARE = 0.06  # crops of camera files: real noise, but a crop of a shadow is no well-exposed picture
UNTOUCHED, SLIGHT, SINGLE = 0.24, 0.12, 0.50  # the rest: two faults at once
DITHER = 0.35
SWEEP = 17  # exposures from -4 to +4 EV
MARGIN = 0.06  # of a level: so near a boundary both levels are admissible

CURVES = ("srgb",) * 7 + ("gamma", "gamma", "shoulder")
_CONTRASTS = ("linear",) * 4 + ("luma",) * 3 + ("channel",) * 2 + ("sigmoid",)
_CLIPS = ("linear", "smooth", "light", "luma")
_ROLLS = ("linear", "exponential", "rational", "luma", "local")
_OPPOSITE = {0: 1, 1: 0, 2: 3, 3: 2, 4: 5, 5: 4}


@dataclass(frozen=True)
class Sources:
    """Where well-exposed photographs come from: a data folder's split, or, where given, a rated data set instead."""

    data: Path
    split: Split
    rated: Path | None = None


def is_drawing(pixels: NDArray[np.uint8]) -> bool:
    """Diagrams, line art and flat colour: few distinct colours, of which eight cover much of the picture (greys don't count)."""
    if (pixels[..., :1] == pixels).all():
        return False
    _, counts = np.unique(pixels.astype(np.int64) @ np.array([65536, 256, 1]), return_counts=True)
    pixel_count = pixels.shape[0] * pixels.shape[1]
    return bool(len(counts) < 0.05 * pixel_count and np.sort(counts)[-8:].sum() > 0.4 * pixel_count)


@lru_cache(maxsize=400)
def _pixels(photo: Photo) -> NDArray[np.uint8]:
    return photo.pixels()


@lru_cache(maxsize=4)
def _photographs(sources: Sources) -> tuple[list[Photo], list[Photo]]:
    photos = read_photos(sources.data, sources.split, ("lossless", "camera"))
    lossless = [photo for photo in photos if photo.kind == "lossless" and not is_drawing(_pixels(photo))]
    return lossless, [photo for photo in photos if photo.kind == "camera" and photo.split == "train"]


@lru_cache(maxsize=1)
def _rated(folder: Path) -> list[Path]:
    return published_photographs(folder)


def draw_original(rng: np.random.Generator, sources: Sources) -> NDArray[np.uint8]:
    """One well-exposed original, cropped and scaled down at random: uint8 (height, width, 3), 200 to 560 pixels a side."""
    low = 0.5  # JPEG sources are always scaled down, which wipes out their own traces
    if sources.rated is not None:
        rated = _rated(sources.rated)
        image = Image.open(rated[rng.integers(len(rated))]).convert("RGB")
    else:
        lossless, camera = _photographs(sources)
        if camera and rng.random() < CAMERA_SHARE:
            image = Image.fromarray(_pixels(camera[rng.integers(len(camera))]))
        else:
            image, low = Image.fromarray(_pixels(lossless[rng.integers(len(lossless))])), 0.4
    return crop(rng, image, low)


def crop(rng: np.random.Generator, image: Image.Image, low: float) -> NDArray[np.uint8]:
    """At least four fifths of a picture's sides, scaled down to no less than `low`, mirrored half the time."""
    width, height = image.size
    part = rng.uniform(0.8, 1.0, 2) if rng.random() < 0.6 else np.ones(2)
    size = np.maximum(np.array([width, height]) * part, 64).astype(int)
    left, top = (int(rng.integers(0, extent - side + 1)) for extent, side in zip((width, height), size, strict=True))
    scale = rng.uniform(low, 0.9) if low == 0.5 or rng.random() < 0.6 else 1.0
    target = (max(96, int(size[0] * scale)), max(96, int(size[1] * scale)))
    image = image.resize(
        target, Image.Resampling.BICUBIC if rng.random() < 0.5 else Image.Resampling.BOX,
        box=(left, top, left + int(size[0]), top + int(size[1])),
    )  # fmt: skip
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(image)


def apply(picture: faults.Faulty, label: int, position: float, rng: np.random.Generator) -> bool:
    """Apply one fault at a position of the scale of levels (1.0-4.5); False where it does not fit the picture."""
    amount = faults.amount_at(label, position)
    if label in (faults.BRIGHT, faults.DARK):
        faults.expose(picture, amount if label == faults.BRIGHT else -amount, str(rng.choice(CURVES)))
    elif label in (faults.HIGH, faults.LOW):
        faults.change_contrast(picture, amount, str(rng.choice(_CONTRASTS)))
    elif label == faults.CLIPPED:
        faults.clip_highlights(picture, amount, float(rng.uniform(0.0, 0.75)), str(rng.choice(_CLIPS)))
    else:
        knee = faults.MID_GREY if rng.random() < 0.5 else float(rng.uniform(0.4, 0.62))
        return faults.suppress_highlights(picture, amount, str(rng.choice(_ROLLS)), knee)
    return True


def draw_faulty(rng: np.random.Generator, original: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A picture and its six severities (1.0-4.5, see `exposure_faults.severity`)."""
    picture = faults.start(original, rng, rng.random() < DITHER)
    kind = rng.random()
    if kind < UNTOUCHED:
        return original, picture.severities
    first = int(rng.integers(6))
    if kind < UNTOUCHED + SLIGHT:
        apply(picture, first, rng.uniform(1.0, 1.5), rng)
    else:
        if not apply(picture, first, rng.uniform(1.5, 4.45), rng):
            first = int(rng.integers(5))
            apply(picture, first, rng.uniform(1.5, 4.45), rng)
        if kind > UNTOUCHED + SLIGHT + SINGLE:
            second = int(rng.choice([label for label in range(6) if label not in (first, _OPPOSITE[first])]))
            apply(picture, second, rng.uniform(1.2, 4.0), rng)
    pixels = faults.finish(picture)
    return pixels, picture.severities


def afterwards(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What files go through: nothing, JPEG, scaling, sensor-like noise; each wipes out some of the histogram's traces."""
    u = rng.random()
    if u < 0.45:
        return pixels
    image = Image.fromarray(pixels)
    if u > 0.93:
        noisy = pixels + rng.normal(0.0, rng.uniform(0.4, 6.0), pixels.shape)
        image = Image.fromarray(np.rint(noisy).clip(0, 255).astype(np.uint8))
    if u > 0.80:
        factor = rng.uniform(0.5, 1.0)
        image = image.resize((max(96, int(image.width * factor)), max(96, int(image.height * factor))),
                             Image.Resampling.BICUBIC)  # fmt: skip
    if u < 0.88:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(60, 99)), subsampling=int(rng.choice([0, 2])))
        image = Image.open(stream)
    return np.asarray(image.convert("RGB"))


def statistics(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Tone statistics of decoded pixels, white ground or none."""
    return observe_tones(View(LoadedImage.from_array(pixels)))["tones"]


def make_example(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """One labelled picture: `tones` float16 (WIDTH,), `severity` float32 (6,)."""
    pixels, severities = draw_faulty(rng, draw_original(rng, sources))
    return {"tones": statistics(afterwards(rng, pixels)), "severity": severities.astype(np.float32)}


def make_highlights(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """One picture whose original reaches white: highlights over-suppressed (half), clipped (a quarter), or untouched.

    Few photographs have a 99.5th percentile of 0.95, so `make_example` alone shows too little of what a roll-off does to those.
    """
    for _ in range(12):
        original = draw_original(rng, sources)
        if np.quantile(faults.luma(original), 0.995) >= 0.95:
            break
    picture = faults.start(original, rng, rng.random() < DITHER)
    pixels, kind = original, rng.random()
    if kind < 0.75:
        apply(picture, faults.SUPPRESSED if kind < 0.5 else faults.CLIPPED, rng.uniform(1.0, 4.45), rng)
        pixels = faults.finish(picture)
    return {"tones": statistics(afterwards(rng, pixels)), "severity": picture.severities.astype(np.float32)}


def make_sweep(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """One photograph at 17 exposures: `tones` (17, WIDTH), `severity` (17, 6), `ev` float32 (17,).

    EV rise from about -4 to +4 with 0 in the middle. Half the sweeps have nearly even steps, the others exposures drawn at
    random, some of which lie close together.
    """
    original = draw_original(rng, sources)
    dither, style, state = rng.random() < 0.3, str(rng.choice(CURVES)), int(rng.integers(2**31))
    half = SWEEP // 2
    if rng.random() < 0.5:
        away = np.linspace(0.0, 4.0, half + 1)[1:] + rng.uniform(-0.2, 0.2, (2, half))
    else:
        away = np.sort(rng.uniform(0.02, 4.0, (2, half)), axis=1)
    exposures = np.concatenate([-away[0, ::-1], [0.0], away[1]])
    begun = faults.start(original, np.random.default_rng(state), dither)
    tones, severities = [], []
    for ev in exposures:
        pixels, severity = original, np.ones(6)
        if ev != 0.0:
            picture = replace(begun, severities=np.ones(6))  # a change makes values of its own
            faults.expose(picture, float(ev), style)
            pixels = faults.finish(picture)
            severity = picture.severities
        tones.append(statistics(afterwards(np.random.default_rng(state + 1), pixels)))
        severities.append(severity.astype(np.float32))
    return {"tones": np.stack(tones), "severity": np.stack(severities), "ev": exposures.astype(np.float32)}

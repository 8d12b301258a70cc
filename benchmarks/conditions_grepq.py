"""GRepQ on synthetic damage: per photograph, scores must fall as the strength of one distortion grows.

Made with Pillow and NumPy, unlike the training copies. Ratings are the business of `rated.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from conditions import Condition, Scored, Truth
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.signal.statistics.correlation import srcc
from cliqa.training.photos import Photo

STEPS = 6
BEST = 90  # quality of a codec at strength 0
LONG_SIDE = 768
Rng = np.random.Generator


def jpeg(picture: Image.Image, step: float, rng: Rng) -> Image.Image:
    """Quality 90 down to 8."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=round(BEST * (8 / BEST) ** step))
    return Image.open(stream)


def blur(picture: Image.Image, step: float, rng: Rng) -> Image.Image:
    """Gaussian of 0.5 to 5 pixels."""
    return picture.filter(ImageFilter.GaussianBlur(0.5 * 10**step))


def noise(picture: Image.Image, step: float, rng: Rng) -> Image.Image:
    """White Gaussian noise of 4 to 50 grey values."""
    pixels = np.asarray(picture) + rng.normal(0, 4 * 12.5**step, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def down_up(picture: Image.Image, step: float, rng: Rng) -> Image.Image:
    """Scaled down by 1.5 to 8 and up again, bicubic."""
    factor = 1.5 * (8 / 1.5) ** step
    small = picture.resize((round(picture.width / factor), round(picture.height / factor)), Image.Resampling.BICUBIC)
    return small.resize(picture.size, Image.Resampling.BICUBIC)


def webp(picture: Image.Image, step: float, rng: Rng) -> Image.Image:
    """WebP quality 90 down to 5."""
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=round(BEST * (5 / BEST) ** step))
    return Image.open(stream)


def light(sign: int, picture: Image.Image, step: float, rng: Rng) -> Image.Image:
    """0.5 to 3.5 EV more (`sign` 1, clipped) or less (-1), in linear light."""
    linear = (np.asarray(picture) / 255.0) ** 2.2 * 2.0 ** (sign * (0.5 + 3 * step))
    return Image.fromarray(np.rint(255 * np.minimum(linear, 1) ** (1 / 2.2)).astype(np.uint8))


def make(
    damage: Callable[[Image.Image, float, Rng], Image.Image], rng: Rng, photo: Photo, *, lowest: int | None = None
) -> tuple[LoadedImage, Truth]:
    """The photograph under a random strength; a photograph's repeats make its ladder. `lowest` is a codec's quality at strength 1."""
    picture = Image.fromarray(photo.pixels())
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BICUBIC)
    step = float(rng.uniform(0, 1))
    if lowest is not None:  # what is saved at one quality is one picture, and has one strength
        step = float(np.log(round(BEST * (lowest / BEST) ** step) / BEST) / np.log(lowest / BEST))
    damaged = damage(picture, step, rng).convert("RGB")
    return LoadedImage.from_array(np.asarray(damaged)), {"photo": photo.path.name, "strength": step}


def summarise(scored: list[Scored]) -> dict[str, float]:
    """Share of photographs whose scores fall with a Spearman of at least 0.9, and the mean Spearman, for q and quality."""
    found = {}
    for name in ("q", "quality"):
        ladders: dict[str, list[tuple[float, float]]] = {}
        for truth, fields in scored:
            ladders.setdefault(str(truth["photo"]), []).append((float(truth["strength"]), float(fields[name] or 0)))
        figures = [-srcc(*zip(*ladder, strict=True)) for ladder in ladders.values() if len(ladder) > 2]
        found[f"{name} share >= 0.9"] = float(np.mean([figure >= 0.9 for figure in figures]))
        found[f"{name} mean Spearman"] = float(np.nanmean(figures))
    return found


CONDITIONS = [
    Condition(
        name=f"monotone in {title}",
        bar="Spearman >= 0.9 for >= 90 % of photographs",
        make=made,
        summarise=summarise,
        repeats=STEPS,
    )
    for title, made in (
        ("JPEG quality", partial(make, jpeg, lowest=8)),
        ("blur", partial(make, blur)),
        ("noise", partial(make, noise)),
        ("down-up scaling", partial(make, down_up)),
        ("WebP quality", partial(make, webp, lowest=5)),
        ("less light", partial(make, partial(light, -1))),
        ("more light", partial(make, partial(light, 1))),
    )
]

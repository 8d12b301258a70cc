"""Conditions of `sharpness`. The blur is that of `blur_sources`, not of the training generator; what comes after it, too."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from blur_sources import (
    Generator,
    Pixels,
    blurred,
    composed,
    disc,
    gaussian_blurred,
    lens_aperture,
    noise_added,
    quiet_square,
    shaken_path,
    straight_path,
)
from conditions import Condition, Scored, Truth
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.training.ordinal_scores import spearman
from cliqa.training.photos import Photo

Made = tuple[LoadedImage, Truth] | None

BLURRED = ("Samsung GT-I9505 (Galaxy S4)", "Motorola XT1068 (Moto G)", "Canon PowerShot SD600")
"""Photographs of `camera/` in test and val that are out of focus or shaken everywhere, as a person judged who looked at all 38."""
BLUR = 2.0  # pixels: the filter's default
SURE = 0.5


def kept(fields: dict[str, float | int | str | None]) -> bool:
    """What the filter does by default."""
    return float(fields["blur"] or 0) <= BLUR or float(fields["confidence"] or 0) < SURE


def _loaded(pixels: Pixels) -> LoadedImage:
    return LoadedImage.from_array(np.ascontiguousarray(pixels))


def _saved(pixels: Pixels, format: str, quality: int) -> LoadedImage:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, quality=quality)
    return LoadedImage.from_pil(Image.open(stream))


def gaussian(rng: Generator, photo: Photo) -> Made:
    """A Gaussian of 0.6-5 pixels in linear light or in the encoded picture, and noise of up to 2."""
    sigma, linear = float(rng.uniform(0.6, 5)), bool(rng.random() < 0.7)
    pixels = noise_added(rng, gaussian_blurred(photo.pixels(), sigma, linear), float(rng.uniform(0, 2)))
    size = f"{int(sigma)}-{int(sigma) + 1}"
    return _loaded(pixels), {"blur": sigma, "light": "linear" if linear else "encoded", "size": size}


def defocused(rng: Generator, photo: Photo) -> Made:
    """A disc of 1-12 pixels' radius."""
    radius = float(rng.uniform(1, 12))
    return _loaded(noise_added(rng, blurred(photo.pixels(), disc(radius)), float(rng.uniform(0, 2)))), {
        "blur": radius / 2
    }


def moved(rng: Generator, photo: Photo) -> Made:
    """A straight movement of 3-30 pixels."""
    length, angle = float(rng.uniform(3, 30)), float(rng.uniform(0, 180))
    pixels = noise_added(rng, blurred(photo.pixels(), straight_path(length, angle)), float(rng.uniform(0, 2)))
    return _loaded(pixels), {"motion": length, "angle": angle}


def sharp(rng: Generator, photo: Photo) -> Made:
    """The photograph as it is, as JPEG or WebP, or halved."""
    how = str(rng.choice(["as it is", "JPEG 50-80", "WebP 50-80", "halved"]))
    pixels = photo.pixels()
    if how.startswith(("JPEG", "WebP")):
        return _saved(pixels, how.split()[0], int(rng.integers(50, 81))), {"how": how}
    if how == "halved":
        image = Image.fromarray(pixels)
        method = Image.Resampling(int(rng.choice([1, 2, 3, 4])))
        return LoadedImage.from_pil(image.resize((image.width // 2, image.height // 2), method)), {"how": how}
    return _loaded(pixels), {"how": how}


def subject(rng: Generator, photo: Photo) -> Made:
    """A third of the frame sharp, the rest out of focus or blurred by a Gaussian of 2.5-7 pixels."""
    pixels, sigma = photo.pixels(), float(rng.uniform(2.5, 7))
    lens = bool(rng.random() < 0.5)
    ground = blurred(pixels, lens_aperture(rng, 2 * sigma)) if lens else gaussian_blurred(pixels, sigma)
    return _loaded(composed(rng, pixels, ground, 0.33)), {"background": "lens" if lens else "Gaussian"}


def camera(rng: Generator, photo: Photo) -> Made:
    """A part of a camera's file at native resolution, as it is: all that there is of it, and smaller parts."""
    pixels = photo.pixels()
    if rng.random() < 0.8:
        side = int(rng.integers(256, 449))
        y, x = (int(rng.integers(0, max(1, length - side + 1))) for length in pixels.shape[:2])
        pixels = pixels[y : y + side, x : x + side]
    name = photo.origin.rpartition("/")[2].removesuffix(".jpg")
    return _loaded(pixels), {"to the eye": "blurred" if name in BLURRED else "not blurred", "camera": name}


def _dropped(make: Callable[[Generator, Pixels], tuple[Pixels, Truth]]) -> Callable[[Generator, Photo], Made]:
    def condition(rng: Generator, photo: Photo) -> Made:
        pixels, truth = make(rng, photo.pixels())
        pixels = noise_added(rng, pixels, float(rng.uniform(0, 3)))
        if rng.random() < 0.5:
            return _saved(pixels, "JPEG", int(rng.integers(75, 96))), truth | {"saved as": "JPEG 75-95"}
        return _loaded(pixels), truth | {"saved as": "PNG"}

    return condition


def _strong_gaussian(rng: Generator, pixels: Pixels) -> tuple[Pixels, Truth]:
    sigma = float(rng.uniform(2.5, 7))
    return gaussian_blurred(pixels, sigma), {"size": "2.5-4" if sigma < 4 else "4-7"}


def _strong_disc(rng: Generator, pixels: Pixels) -> tuple[Pixels, Truth]:
    radius = float(rng.uniform(5, 13))
    return blurred(pixels, disc(radius)), {"size": "5-8" if radius < 8 else "8-13"}


def _strong_lens(rng: Generator, pixels: Pixels) -> tuple[Pixels, Truth]:
    radius = float(rng.uniform(6, 13))
    return blurred(pixels, lens_aperture(rng, radius)), {"size": "6-8" if radius < 8 else "8-13"}


def _strong_motion(rng: Generator, pixels: Pixels) -> tuple[Pixels, Truth]:
    length = float(rng.uniform(12, 30))
    return blurred(pixels, straight_path(length, float(rng.uniform(0, 180)))), {
        "size": "12-18" if length < 18 else "18-30"
    }


def _strong_shake(rng: Generator, pixels: Pixels) -> tuple[Pixels, Truth]:
    length = float(rng.uniform(12, 30))
    return blurred(pixels, shaken_path(rng, length)), {"size": "12-18" if length < 18 else "18-30"}


def empty(rng: Generator, photo: Photo) -> Made:
    """The quietest square of a photograph, enlarged by its mirror image, or a gradient with noise; perhaps as JPEG."""
    if rng.random() < 0.6:
        square = quiet_square(photo.pixels())
        if square is None:
            return None
        pixels, how = np.pad(square, ((0, 352), (0, 352), (0, 0)), mode="symmetric"), "part of a photograph"
    else:
        y, x = np.mgrid[0:1:512j, 0:1:512j]
        turn = rng.uniform(0, 2 * np.pi)
        field = rng.uniform(40, 220) + rng.uniform(0, 90) * (np.cos(turn) * x + np.sin(turn) * y)
        colour = field[..., None] + rng.normal(0, 12, 3)
        pixels = noise_added(rng, np.clip(np.rint(colour), 0, 255).astype(np.uint8), float(rng.choice([0, 0.7, 3])))
        how = "gradient"
    if rng.random() < 0.5:
        return _saved(pixels, "JPEG", int(rng.integers(75, 96))), {"how": how}
    return _loaded(pixels), {"how": how}


def changed(rng: Generator, photo: Photo) -> Made:
    """A picture blurred by 0-4 pixels after noise of 8, a mask or JPEG 50; the truth holds the metric's answer before that."""
    from cliqa.metrics import View, load_metric

    sigma = float(rng.uniform(0, 4))
    pixels = photo.pixels()
    before = gaussian_blurred(pixels, sigma) if sigma > 0.4 else pixels
    how = str(rng.choice(["noise 8", "sharpened", "JPEG 50"]))
    if how == "noise 8":
        after = _loaded(noise_added(rng, before, 8.0))
    elif how == "sharpened":
        mask = ImageFilter.UnsharpMask(float(rng.uniform(0.8, 2)), int(rng.integers(50, 151)), 0)
        after = LoadedImage.from_pil(Image.fromarray(before).filter(mask))
    else:
        after = _saved(before, "JPEG", 50)
    answer = load_metric("sharpness").score_view(View(_loaded(before)))
    return after, {"before": float(answer["blur"] or 0), "change": how}


def summarise_error(scored: list[Scored]) -> dict[str, float]:
    truths = np.array([float(truth["blur"]) for truth, _ in scored])
    found = np.array([float(fields["blur"] or 0) for _, fields in scored])
    error = found - truths
    return {"MAE": float(np.abs(error).mean()), "SRCC": spearman(found, truths), "bias": float(error.mean())}


def summarise_motion(scored: list[Scored]) -> dict[str, float]:
    truths = np.array([float(truth["motion"]) for truth, _ in scored])
    found = np.array([float(fields["motion"] or 0) for _, fields in scored])
    angles = [
        abs((float(fields["motion_angle"] or 0) - float(truth["angle"]) + 90) % 180 - 90)
        for truth, fields in scored
        if fields["motion_angle"] is not None and float(truth["motion"]) >= 8
    ]
    return {"SRCC": spearman(found, truths), "MAE": float(np.abs(found - truths).mean()),
            "median error of the angle": float(np.median(angles)) if angles else float("nan")}  # fmt: skip


def summarise_kept(scored: list[Scored]) -> dict[str, float]:
    found = np.array([float(fields["blur"] or 0) for _, fields in scored])
    sure = np.array([float(fields["confidence"] or 0) for _, fields in scored])
    return {"% kept": 100 * float(np.mean([kept(fields) for _, fields in scored])), "median blur": float(np.median(found)),
            "% can't tell": 100 * float(np.mean(sure < SURE))}  # fmt: skip


def summarise_dropped(scored: list[Scored]) -> dict[str, float]:
    figures = summarise_kept(scored)
    return {"% dropped": 100 - figures.pop("% kept"), **figures}


def summarise_empty(scored: list[Scored]) -> dict[str, float]:
    figures = summarise_kept(scored)
    return {"% can't tell": figures["% can't tell"], "% kept": figures["% kept"]}


def summarise_shift(scored: list[Scored]) -> dict[str, float]:
    shift = np.array([float(fields["blur"] or 0) - float(truth["before"]) for truth, fields in scored])
    return {"median of |shift|": float(np.median(np.abs(shift))), "median shift": float(np.median(shift))}


CONDITIONS = [
    Condition("Gaussian blur 0.6-5", "MAE <= 0.2, SRCC >= 0.97", gaussian, summarise_error, plot=("blur", "blur"),
              breakdown=("light", "size")),
    Condition("disc, radius 1-12", "SRCC >= 0.95", defocused, summarise_error, plot=("blur", "blur")),
    Condition("straight motion 3-30", "SRCC >= 0.88", moved, summarise_motion, plot=("motion", "motion")),
    Condition("sharp", "at least 98 % kept, each", sharp, summarise_kept, repeats=8, breakdown=("how",)),
    Condition("a third sharp, the rest blurred", "at least 96 % kept", subject, summarise_kept, breakdown=("background",)),
    Condition("cameras' files, native", "at least 93 % kept", camera, summarise_kept, kinds=("camera",), repeats=5,
              breakdown=("to the eye", "camera")),
    Condition("blurred: Gaussian 2.5-7", "at least 96 % dropped", _dropped(_strong_gaussian), summarise_dropped,
              breakdown=("size", "saved as")),
    Condition("blurred: disc 5-13", "at least 96 % dropped", _dropped(_strong_disc), summarise_dropped,
              breakdown=("size", "saved as")),
    Condition("blurred: other apertures 6-13", "(no bar)", _dropped(_strong_lens), summarise_dropped, breakdown=("size",)),
    Condition("blurred: straight motion 12-30", "at least 96 % dropped", _dropped(_strong_motion), summarise_dropped,
              breakdown=("size", "saved as")),
    Condition("blurred: curved shake 12-30", "at least 85 % dropped", _dropped(_strong_shake), summarise_dropped,
              breakdown=("size",)),
    Condition("nothing to tell by", "at least 90 % can't tell, kept", empty, summarise_empty, breakdown=("how",)),
    Condition("noise, sharpening, JPEG", "median shift at most 0.2", changed, summarise_shift, breakdown=("change",)),
]  # fmt: skip

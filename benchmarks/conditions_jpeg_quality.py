"""Conditions of `jpeg_quality`: single and double saves, shifted grids, no save at all, drawings, cameras."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from conditions import Condition, Scored, Truth
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage, read_header
from cliqa.training.photos import Photo

Pixels = NDArray[np.uint8]
THRESHOLD = 90.0  # the filter's default


def save(pixels: Pixels, quality: int, sampling: str) -> Pixels:
    """Save with Pillow and decode."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=sampling)
    return np.asarray(Image.open(stream).convert("RGB"))


def shift(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Crop so that the 8x8 grid moves."""
    x, y = divmod(int(rng.integers(1, 64)), 8)
    return np.ascontiguousarray(pixels[y:, x:])


def sampling_of(rng: np.random.Generator) -> str:
    return str(rng.choice(["4:4:4", "4:2:0"]))


def image(pixels: Pixels, **truth: Any) -> tuple[LoadedImage, Truth]:
    return LoadedImage.from_array(np.ascontiguousarray(pixels)), truth


def single(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth]:
    quality, sampling = int(rng.integers(1, 101)), sampling_of(rng)
    return image(save(photo.pixels(), quality, sampling), quality=quality, sampling=sampling)


def single_cropped(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth]:
    quality, sampling = int(rng.integers(1, 101)), sampling_of(rng)
    return image(shift(rng, save(photo.pixels(), quality, sampling)), quality=quality, sampling=sampling)


def double(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth]:
    first, sampling = int(rng.integers(30, 91)), sampling_of(rng)
    second = int(rng.integers(first + 5, 99))
    pixels = save(save(photo.pixels(), first, sampling), second, sampling)
    return image(pixels, quality=first, second=second, sampling=sampling)


def double_shifted(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth]:
    first, sampling = int(rng.integers(30, 91)), sampling_of(rng)
    second = int(rng.integers(first + 5, 99))
    pixels = save(shift(rng, save(photo.pixels(), first, sampling)), second, sampling)
    return image(pixels, quality=first, second=second, sampling=sampling)


def never(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth]:
    pixels = photo.pixels()
    picture = Image.fromarray(pixels)
    kind = str(rng.choice(["as is", "as is", "cropped", "smaller", "larger", "blurred", "noisy"]))
    if kind == "cropped":
        pixels = shift(rng, pixels)
    elif kind in ("smaller", "larger"):
        factor = rng.uniform(0.5, 0.9) if kind == "smaller" else rng.uniform(1.2, 2.0)
        size = (round(picture.width * factor), round(picture.height * factor))
        pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC))
    elif kind == "blurred":
        pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 2)))))
    elif kind == "noisy":
        pixels = np.clip(np.rint(pixels + rng.normal(0, rng.uniform(1, 10), pixels.shape)), 0, 255).astype(np.uint8)
    return image(pixels, quality=100, kind=kind)


def camera(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth] | None:
    if photo.header_quality is None or photo.header_quality < 88:
        return None
    return image(photo.pixels(), quality=photo.header_quality, sampling=read_header(photo.path).sampling)


def good_or_bad(rng: np.random.Generator, photo: Photo) -> tuple[LoadedImage, Truth]:
    quality = int(rng.integers(1, 86)) if rng.random() < 0.5 else int(rng.integers(95, 101))
    sampling = sampling_of(rng)
    return image(save(photo.pixels(), quality, sampling), quality=quality, sampling=sampling)


def arrays(scored: list[Scored]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    truth = np.array([float(truth["quality"]) for truth, _ in scored])
    found = np.array([float(fields["quality"] or 0) for _, fields in scored])
    return truth, found


def errors(scored: list[Scored]) -> dict[str, float]:
    truth, found = arrays(scored)
    error = np.abs(truth - found)
    return {"MAE": float(error.mean()), "exact": float((error < 0.5).mean()), "within 3": float((error <= 3).mean())}


def errors_and_threshold(scored: list[Scored]) -> dict[str, float]:
    truth, found = arrays(scored)
    low = truth <= 80
    return {**errors(scored), "Q1 <= 80 below 90": float((found[low] < THRESHOLD).mean())}


def high(scored: list[Scored]) -> dict[str, float]:
    _, found = arrays(scored)
    return {"at 97 or more": float((found >= 97).mean()), "at 90 or more": float((found >= THRESHOLD).mean())}


def within_three(scored: list[Scored]) -> dict[str, float]:
    return {"within 3": errors(scored)["within 3"], "MAE": errors(scored)["MAE"]}


def wrong_side(scored: list[Scored]) -> dict[str, float]:
    truth, found = arrays(scored)
    return {"wrong side": float(((truth <= 85) == (found >= THRESHOLD)).mean())}


def sampling_accuracy(scored: list[Scored]) -> dict[str, float]:
    right = [
        (float(fields["subsampling_420"] or 0) > 0.5) == (truth["sampling"] == "4:2:0")
        for truth, fields in scored
        if float(truth["quality"]) <= 95
    ]
    return {"accuracy": float(np.mean(right))}


PLOT = ("quality", "quality")
CONDITIONS = [
    Condition("one save, same grid", "MAE <= 0.5", single, errors, plot=PLOT),
    Condition("one save, cropped", "MAE <= 1.0", single_cropped, errors, plot=PLOT),
    Condition("4:2:0 against 4:4:4, QF <= 95", "accuracy >= 0.99", single, sampling_accuracy),
    Condition("two saves, same grid", "MAE <= 2", double, errors_and_threshold, plot=PLOT),
    Condition(
        "two saves, grid moved between",
        "MAE <= 5; Q1 <= 80: 80 % below 90",
        double_shifted,
        errors_and_threshold,
        plot=PLOT,
    ),
    Condition("never compressed", "98 % at 97 or more", never, high, breakdown=("kind",)),
    Condition("drawings, never compressed", "90 % at 97 or more", never, high, kinds=("drawn",)),
    Condition("drawings, one save", "MAE <= 2", single, errors, kinds=("drawn",), plot=PLOT),
    Condition("camera JPEGs, pixels alone", "80 % within 3", camera, within_three, kinds=("camera",), repeats=1),
    Condition("one save, QF <= 85 or >= 95", "0.5 % on the wrong side", good_or_bad, wrong_side),
]

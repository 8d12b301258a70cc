"""Conditions of `grain_noise`. The noise is that of `noise_sources`, not of the training generator."""

from __future__ import annotations

import io

import numpy as np
from conditions import Condition, Scored, Truth
from noise_sources import FAMILIES, Generator, Pixels, add_noise
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.signal.noise.psnr import grey_psnr
from cliqa.training.ordinal_scores import spearman
from cliqa.training.photos import Photo

LOW, HIGH = 20.0, 50.0  # dB


def _crop(photo: Photo, rng: Generator, side: int = 512) -> Pixels:
    pixels = photo.pixels()
    top, left = (int(rng.integers(max(0, length - side) + 1)) for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def save_jpeg(rng: Generator, pixels: Pixels) -> LoadedImage:
    """Decoded from a JPEG of quality 80-99."""
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(stream, "JPEG", quality=int(rng.integers(80, 100)), subsampling=int(rng.choice([0, 2])))
    return LoadedImage.from_pil(Image.open(stream))


def noisy(rng: Generator, photo: Photo) -> tuple[LoadedImage, Truth] | None:
    """Noise of one family, perhaps sharpened or resized, half of them JPEG; the PSNR is that before JPEG."""
    family = str(rng.choice(list(FAMILIES)))
    before, after = add_noise(family, _crop(photo, rng), float(rng.uniform(LOW, HIGH)), int(rng.integers(1 << 30)))
    step = str(rng.choice(["none", "sharpened", "resized"], p=[0.6, 0.2, 0.2]))
    pair = [Image.fromarray(before), Image.fromarray(after)]
    if step == "sharpened":
        mask = ImageFilter.UnsharpMask(float(rng.uniform(0.6, 2)), int(rng.integers(30, 120)), 0)
        pair = [image.filter(mask) for image in pair]
    elif step == "resized":
        factor, method = float(rng.uniform(0.6, 1.3)), Image.Resampling(int(rng.choice([1, 2, 3])))
        size = (round(before.shape[1] * factor), round(before.shape[0] * factor))
        pair = [image.resize(size, method) for image in pair]
    psnr = grey_psnr(np.asarray(pair[0]), np.asarray(pair[1]))
    if not LOW <= psnr < HIGH:
        return None
    compressed = bool(rng.random() < 0.5)
    image = save_jpeg(rng, np.asarray(pair[1])) if compressed else LoadedImage.from_pil(pair[1])
    truth: Truth = {
        "psnr": psnr,
        "family": family,
        "afterwards": step,
        "saved as": "JPEG 80-99" if compressed else "PNG",
    }
    return image, truth | {"range": f"{10 * int(psnr // 10)}-{10 * int(psnr // 10) + 10} dB"}


def clean(rng: Generator, photo: Photo) -> tuple[LoadedImage, Truth] | None:
    """The photograph as it is."""
    return LoadedImage.from_array(photo.pixels()), {"psnr": HIGH}


def clean_changed(rng: Generator, photo: Photo) -> tuple[LoadedImage, Truth] | None:
    """Scaled down (which makes texture finer), sharpened a little, or saved as JPEG 80-99: still without noise."""
    image = Image.fromarray(photo.pixels())
    how = str(rng.choice(["scaled down", "sharpened", "JPEG 80-99"]))
    if how == "scaled down":
        factor = float(rng.uniform(0.45, 0.9))
        image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    elif how == "sharpened":
        image = image.filter(ImageFilter.UnsharpMask(float(rng.uniform(0.5, 1.5)), int(rng.integers(30, 100)), 0))
    else:
        return save_jpeg(rng, np.asarray(image)), {"psnr": HIGH, "change": how}
    return LoadedImage.from_pil(image), {"psnr": HIGH, "change": how}


def _pairs(scored: list[Scored]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    truths = np.array([float(truth["psnr"]) for truth, _ in scored])
    return truths, np.array([float(fields["psnr"] or 0) for _, fields in scored])


def summarise_noisy(scored: list[Scored]) -> dict[str, float]:
    truths, found = _pairs(scored)
    error = found - truths
    return {"MAE": float(np.abs(error).mean()), "bias": float(error.mean()), "SRCC": spearman(found, truths)}


def summarise_clean(scored: list[Scored]) -> dict[str, float]:
    _, found = _pairs(scored)
    return {
        "% below 40 dB": 100 * float(np.mean(found < 40)),
        "median": float(np.median(found)),
        "least": float(found.min()),
    }


CONDITIONS = [
    Condition(
        "noise of all families, 20-50 dB", "MAE <= 1.2, SRCC >= 0.97", noisy, summarise_noisy, repeats=16,
        plot=("psnr", "psnr"), breakdown=("family", "saved as", "afterwards", "range"),
    ),
    Condition("clean photographs", "at most 2 % below 40 dB", clean, summarise_clean, repeats=1),
    Condition(
        "clean photographs, changed", "(no bar)", clean_changed, summarise_clean, repeats=4, breakdown=("change",)
    ),
    Condition("drawings", "(no bar)", clean, summarise_clean, kinds=("drawn",), repeats=1),
]  # fmt: skip

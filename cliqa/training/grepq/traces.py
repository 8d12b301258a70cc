"""The network of `traces`: how strong compression and noise are in a picture's own pixels, from photographs that got known amounts.

Needs OpenCV. No rating is involved.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cliqa.images.loading import LoadedImage
from cliqa.metrics.base import View
from cliqa.signal.quality.trace_statistics import trace_statistics
from cliqa.training.dense_fit import DenseFit, fit_dense
from cliqa.training.examples import Example, generate
from cliqa.training.photos import Photo, Split, read_photos
from cliqa.training.severity import DISTORTIONS
from cliqa.training.train import TrainOptions

Pixels = NDArray[np.uint8]
Rng = np.random.Generator

EXAMPLES, VAL_EXAMPLES = 14_336, 1_024
FIT = DenseFit(hidden=(128, 128), epochs=40, batch=128, input_noise=0.02)
LONGEST = 1600  # pixels a photograph is kept at
KINDS = ("clean", "jpeg", "noise", "noise, jpeg", "other")
SHARES = (0.1, 0.35, 0.2, 0.25, 0.1)
OTHERS = ("gaussian_blur", "defocus", "motion_blur", "down_up", "low_light", "over_exposure", "low_contrast")
GENTLEST, HARSHEST = 95.0, 5.0  # JPEG qualities at which the target is 0 and 1
SOFTEST, LOUDEST = 2.0, 50.0  # grey values: the noise target is logarithmic from about the first, and 1 at the second


def compression_target(quality: float | None) -> float:
    """0 for no JPEG or quality 95 and more, 1 for quality 5: even steps for equal ratios."""
    return 0.0 if quality is None else float(np.clip(np.log(GENTLEST / quality) / np.log(GENTLEST / HARSHEST), 0, 1))


def noise_target(deviation: float) -> float:
    """0 without noise, 1 at 50 grey values, nearly even steps for equal ratios above a few."""
    return float(np.clip(np.log1p(deviation / SOFTEST) / np.log1p(LOUDEST / SOFTEST), 0, 1.2))


def make_trace_example(rng: Rng, index: int, data: str, split: Split = "train") -> Example:
    """`statistics` of the damaged picture, `targets` (compression, noise), `known` (whether the noise before ours was none)."""
    photos = _photos(data, split)
    place = int(rng.integers(len(photos)))
    clean = photos[place].kind == "lossless"
    pixels = _framed(_pixels(data, split, place), rng)
    if rng.random() < 0.25:  # an old compression that scaling has made invisible
        pixels = _resized(_jpeg(pixels, int(rng.integers(70, 100)), rng), float(rng.uniform(0.4, 0.9)))
    kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    deviation, quality = 0.0, None
    if kind.startswith("noise"):
        before = pixels.astype(np.float32)
        pixels = _noise(pixels, 0.5 * 120 ** float(rng.random()), rng)
        deviation = float(np.sqrt(np.square(pixels - before).mean()))
    if kind == "other":
        pixels = DISTORTIONS[OTHERS[int(rng.integers(len(OTHERS)))]](pixels, float(rng.random()), rng)
        clean = False
    if kind.endswith("jpeg"):
        quality = int(np.clip(round(99 - 96 * float(rng.random()) ** 1.3), 4, 99))
    elif kind != "clean" and rng.random() < 0.5:
        quality = int(rng.integers(70, 100))
    if quality is not None:
        pixels = _jpeg(pixels, quality, rng)
        if rng.random() < 0.35:
            top, left = rng.integers(0, 8, 2)
            pixels = np.ascontiguousarray(pixels[top:, left:])
    tiles = View(LoadedImage.from_array(pixels)).patches
    return {
        "statistics": trace_statistics(tiles),
        "targets": np.array([compression_target(quality), noise_target(deviation)], np.float32),
        "known": np.array(clean, np.float32),
    }


def fit_traces(options: TrainOptions) -> dict[str, NDArray[Any]]:
    """The tensors `traces.*`, from examples kept in the work folder's `traces`."""
    sets, work, seed = [], options.work / "traces", options.seed
    parts: tuple[tuple[Split, int, int], ...] = (("train", EXAMPLES, seed + 7), ("val", VAL_EXAMPLES, seed + 77))
    for split, count, own in parts:
        make = partial(make_trace_example, data=str(options.data), split=split)
        made = generate(make, options.at_most(count), work / split, seed=own)
        sets.append((made["statistics"], np.column_stack([made["targets"], made["known"]])))
    return fit_dense(sets[0], sets[1], trace_loss, 2, work / "fit", FIT).tensors("traces.")


def trace_loss(predicted: Tensor, targets: Tensor) -> Tensor:
    """Mean error of (n, 2) against (n, 3): compression, noise, and whether the noise is known."""
    error = F.smooth_l1_loss(predicted, targets[:, :2], beta=0.05, reduction="none")
    return (error[:, 0] + error[:, 1] * targets[:, 2]).mean()


@lru_cache(maxsize=2)
def _photos(data: str, split: Split) -> Sequence[Photo]:
    return read_photos(Path(data), split, ("lossless", "camera"))


@lru_cache(maxsize=400)
def _pixels(data: str, split: Split, place: int) -> Pixels:
    picture = Image.fromarray(_photos(data, split)[place].pixels())
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _framed(pixels: Pixels, rng: Rng) -> Pixels:
    """A part of the photograph, scaled down by anything, mirrored or turned now and then."""
    longest = max(pixels.shape)
    if rng.random() < 0.8:
        pixels = _resized(pixels, min(1.0, float(rng.uniform(300, 1600)) / longest))
    sides = [min(size, int(rng.integers(256, 800))) for size in pixels.shape[:2]]
    top, left = (int(rng.integers(size - side + 1)) for size, side in zip(pixels.shape[:2], sides, strict=True))
    return np.ascontiguousarray(np.rot90(pixels[top : top + sides[0], left : left + sides[1]], int(rng.integers(4))))


def _resized(pixels: Pixels, factor: float) -> Pixels:
    size = [max(32, round(side * factor)) for side in (pixels.shape[1], pixels.shape[0])]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _noise(pixels: Pixels, deviation: float, rng: Rng) -> Pixels:
    shape = (*pixels.shape[:2], 1 if rng.random() < 0.3 else 3)
    field: NDArray[np.float32] = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.35:
        smooth = cv2.GaussianBlur(field, (0, 0), float(rng.uniform(0.4, 1.2)))
        field = np.asarray(smooth, dtype=np.float32).reshape(shape)
    field = np.asarray(field * (deviation / (field.std() + 1e-6)), dtype=np.float32)
    values = pixels.astype(np.float32)
    if rng.random() < 0.4:  # photons: with light
        field = np.asarray(field * np.sqrt((values + 20.0) / 148.0), dtype=np.float32)
    return np.asarray(np.clip(np.rint(values + field), 0, 255), dtype=np.uint8)


def _jpeg(pixels: Pixels, quality: int, rng: Rng) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2, 2])))
    return np.asarray(Image.open(stream))

"""Conditions of `scale_factor`. The images are made with the libraries themselves, not with the training generator."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from conditions import Condition, Scored, Truth
from numpy.typing import NDArray
from PIL import Image
from resizing_libraries import CORNERS, KERNELS

from cliqa.images.loading import LoadedImage
from cliqa.training.ordinal_scores import auc
from cliqa.training.photos import Photo

Pixels = NDArray[np.uint8]
Made = tuple[LoadedImage, Truth] | None
SOURCE = 400  # pixels a side at most before enlarging


def _cut(rng: np.random.Generator, pixels: Pixels, height: int, width: int) -> Pixels:
    top = int(rng.integers(0, max(1, pixels.shape[0] - height + 1)))
    left = int(rng.integers(0, max(1, pixels.shape[1] - width + 1)))
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _jpeg(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    stream = io.BytesIO()
    options = {"quality": int(rng.integers(80, 100)), "subsampling": int(rng.choice((0, 2)))}
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return np.asarray(Image.open(stream).convert("RGB"))


def _made(rng: np.random.Generator, pixels: Pixels, truth: Truth, jpeg: bool) -> Made:
    if jpeg:
        pixels = _jpeg(rng, pixels)
    return LoadedImage.from_array(np.ascontiguousarray(pixels)), truth


def _enlarge(rng: np.random.Generator, pixels: Pixels, kernel: str, y: float, x: float) -> tuple[Pixels, Truth]:
    pixels = _cut(rng, pixels, SOURCE, SOURCE)
    height, width = round(pixels.shape[0] * y), round(pixels.shape[1] * x)
    less = 1 if kernel in CORNERS else 0
    by_y, by_x = (height - less) / (pixels.shape[0] - less), (width - less) / (pixels.shape[1] - less)
    truth: Truth = {"scale": max(by_x, by_y), "scale_x": by_x, "scale_y": by_y, "kernel": kernel}
    return KERNELS[kernel](pixels, height, width), truth


def _factors(rng: np.random.Generator, low: float = 1.0) -> tuple[float, float]:
    y = float(rng.uniform(low, 2.0))
    return (y, float(rng.uniform(low, 2.0))) if rng.random() < 0.2 else (y, y)


def enlarged(jpeg: bool, low: float = 1.0) -> Callable[[np.random.Generator, Photo], Made]:
    """A factor of `low` to 2.0 by a random kernel; a fifth with separate axes."""

    def make(rng: np.random.Generator, photo: Photo) -> Made:
        y, x = _factors(rng, low)
        kernel = list(KERNELS)[rng.integers(len(KERNELS))]
        pixels, truth = _enlarge(rng, photo.pixels(), kernel, y, x)
        truth["range"] = f"{min(1.8, np.floor(float(truth['scale']) * 5 + 1e-6) / 5):.1f}+"
        truth["axes"] = "together" if x == y else "apart"
        return _made(rng, pixels, truth, jpeg)

    return make


def enlarged_then_sharpened(rng: np.random.Generator, photo: Photo) -> Made:
    """Enlarged, then an unsharp mask."""
    from PIL import ImageFilter

    y, x = _factors(rng)
    pixels, truth = _enlarge(rng, photo.pixels(), list(KERNELS)[rng.integers(len(KERNELS))], y, x)
    mask = ImageFilter.UnsharpMask(float(rng.uniform(0.5, 2)), int(rng.integers(40, 150)), int(rng.integers(0, 3)))
    return _made(rng, np.asarray(Image.fromarray(pixels).filter(mask)), truth, bool(rng.random() < 0.5))


def enlarged_twice(rng: np.random.Generator, photo: Photo) -> Made:
    """Reduced or enlarged first, then enlarged; the truth is what the second did, times the first where that enlarged."""
    first, second = float(rng.uniform(0.6, 1.3)), float(rng.uniform(1.05, 1.5))
    pixels = _cut(rng, photo.pixels(), SOURCE, SOURCE)
    names = list(KERNELS)
    side = round(pixels.shape[0] * first), round(pixels.shape[1] * first)
    before = KERNELS[names[rng.integers(len(names))]](pixels, *side)
    pixels, truth = _enlarge(rng, before, names[rng.integers(len(names))], second, second)
    truth["scale"] = min(2.0, float(truth["scale"]) * max(1.0, first))
    truth["first"] = "reduced" if first < 1 else "enlarged"
    return _made(rng, pixels, truth, bool(rng.random() < 0.5))


def doubled(rng: np.random.Generator, photo: Photo) -> Made:
    """Exactly twice as large, pixels centred, JPEG 80-99: no periodic line to filters that sit on a sample."""
    names = [name for name in KERNELS if name not in CORNERS]
    pixels, truth = _enlarge(rng, photo.pixels(), names[rng.integers(len(names))], 2.0, 2.0)
    return _made(rng, pixels, truth, jpeg=True)


def detection(jpeg: bool) -> Callable[[np.random.Generator, Photo], Made]:
    """By turns: enlarged by 1.1-2.0, the original, reduced to 0.5-1.0."""
    up = enlarged(jpeg, low=1.1)

    def make(rng: np.random.Generator, photo: Photo) -> Made:
        turn = rng.integers(4)
        if turn < 2:
            made = up(rng, photo)
            return None if made is None else (made[0], {**made[1], "enlarged": 1.0})
        pixels = photo.pixels()
        if turn == 2:
            return _made(rng, pixels, {"enlarged": 0.0, "kind": "original"}, jpeg)
        factor, kernel = float(rng.uniform(0.5, 1.0)), list(KERNELS)[rng.integers(len(KERNELS))]
        size = round(pixels.shape[0] * factor), round(pixels.shape[1] * factor)
        truth: Truth = {"enlarged": 0.0, "kind": "reduced", "kernel": kernel}
        return _made(rng, KERNELS[kernel](np.ascontiguousarray(pixels), *size), truth, jpeg)

    return make


def original(rng: np.random.Generator, photo: Photo) -> Made:
    """The photograph as it is: cameras' crops with their own JPEG, lossless ones half of the time saved as JPEG."""
    return _made(rng, photo.pixels(), {"kind": photo.kind}, photo.kind != "camera" and bool(rng.random() < 0.5))


def blurred(rng: np.random.Generator, photo: Photo) -> Made:
    """Out of focus (a disc of radius 1-4, or a Gaussian) or moved (3-12 pixels), half of the time saved as JPEG."""
    from scipy import ndimage

    pixels = photo.pixels().astype(np.float32)
    how = ("disc", "gaussian", "motion")[rng.integers(3)]
    if how == "gaussian":
        done = ndimage.gaussian_filter(pixels, (*(2 * [float(rng.uniform(0.6, 2.5))]), 0.0))
    else:
        kernel = _disc(float(rng.uniform(1, 4))) if how == "disc" else _path(rng)
        done = np.stack([ndimage.convolve(pixels[..., c], kernel, mode="mirror") for c in range(3)], axis=2)
    done = np.clip(np.rint(done), 0, 255).astype(np.uint8)
    return _made(rng, done, {"blur": how}, bool(rng.random() < 0.5))


def _disc(radius: float) -> NDArray[np.float32]:
    half = int(np.ceil(radius))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(y, x), 0, 1)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _path(rng: np.random.Generator) -> NDArray[np.float32]:
    from scipy import ndimage

    length = int(rng.integers(3, 13))
    kernel = np.zeros((15, 15), np.float32)
    kernel[7, 7 - length // 2 : 7 - length // 2 + length] = 1.0
    kernel = np.maximum(ndimage.rotate(kernel, float(rng.uniform(0, 180)), reshape=False, order=1), 0)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def processed(rng: np.random.Generator, photo: Photo) -> Made:
    """Never enlarged, but rotated, demosaiced, denoised or noisy."""
    from scipy import ndimage

    pixels = photo.pixels()
    how = ("rotated", "demosaiced", "median", "noisy", "sharpened")[rng.integers(5)]
    if how == "rotated":
        angle = float(rng.uniform(-10, 10))
        done = ndimage.rotate(
            pixels.astype(np.float32), angle, reshape=False, order=int(rng.choice((1, 3))), mode="mirror"
        )
    elif how == "demosaiced":
        done = _bilinear_demosaic(pixels.astype(np.float32))
    elif how == "median":
        done = ndimage.median_filter(pixels, size=(3, 3, 1))
    elif how == "noisy":
        done = pixels + rng.normal(0, float(rng.uniform(2, 10)), pixels.shape)
    else:
        values = pixels.astype(np.float32)
        done = values + float(rng.uniform(0.3, 1)) * (values - ndimage.gaussian_filter(values, (1.2, 1.2, 0)))
    done = np.clip(np.rint(done), 0, 255).astype(np.uint8)
    return _made(rng, done, {"how": how}, bool(rng.random() < 0.5))


def _bilinear_demosaic(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy import ndimage

    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32)
    planes = []
    for channel in range(3):
        mask = np.zeros(pixels.shape[:2], np.float32)
        for row, column in {0: ((0, 0),), 1: ((0, 1), (1, 0)), 2: ((1, 1),)}[channel]:
            mask[row::2, column::2] = 1
        known = ndimage.convolve(pixels[..., channel] * mask, kernel, mode="mirror")
        planes.append(np.where(mask > 0, pixels[..., channel], known / ndimage.convolve(mask, kernel, mode="mirror")))
    return np.stack(planes, axis=2)


def _error(scored: list[Scored]) -> dict[str, float]:
    errors = np.array([float(fields["scale"] or 0) - float(truth["scale"]) for truth, fields in scored])
    axes = [abs(float(f[k] or 0) - float(t[k])) for t, f in scored for k in ("scale_x", "scale_y") if k in t]
    return {
        "MAE": float(np.abs(errors).mean()),
        "MAE of x and y": float(np.mean(axes)),
        "median": float(np.median(np.abs(errors))),
        "within 0.05": float(np.mean(np.abs(errors) < 0.05)),
    }


def _error_of_scale(scored: list[Scored]) -> dict[str, float]:
    return {name: value for name, value in _error(scored).items() if name != "MAE of x and y"}


def _auc(scored: list[Scored]) -> dict[str, float]:
    scale = np.array([float(fields["scale"] or 0) for _, fields in scored])
    label = np.array([truth["enlarged"] for truth, _ in scored]) > 0.5
    if label.all() or not label.any():
        return {}
    above, below = scale[label], scale[~label]
    return {"ROC AUC": auc(above, below), "kept below 1.05, enlarged": float(np.mean(above <= 1.05)),
            "rejected, others": float(np.mean(below > 1.05))}  # fmt: skip


def _rejected(scored: list[Scored]) -> dict[str, float]:
    quality = np.array([float(fields["quality"] or 0) for _, fields in scored])
    return {"rejected at 95": float(np.mean(quality < 95)), "rejected at 90": float(np.mean(quality < 90))}


CONDITIONS = [
    Condition("enlarged 1.0-2.0, PNG", "MAE <= 0.02", enlarged(False), _error, repeats=12,
              plot=("scale", "scale"), breakdown=("kernel", "range", "axes")),
    Condition("enlarged 1.0-2.0, JPEG 80-99", "MAE <= 0.04", enlarged(True), _error, repeats=12,
              plot=("scale", "scale"), breakdown=("kernel", "range", "axes")),
    Condition("1.1+ against originals and reduced, PNG", "AUC >= 0.995", detection(False), _auc, repeats=12),
    Condition("1.1+ against originals and reduced, JPEG 80-99", "AUC >= 0.985", detection(True), _auc, repeats=12),
    Condition("originals", "rejected <= 0.05", original, _rejected, kinds=("lossless", "camera"), repeats=2,
              breakdown=("kind",)),
    Condition("drawings", "", original, _rejected, kinds=("drawn",), repeats=2),
    Condition("defocus and motion blur", "rejected <= 0.15", blurred, _rejected, repeats=6, breakdown=("blur",)),
    Condition("rotated, demosaiced, denoised, noisy", "", processed, _rejected, repeats=6, breakdown=("how",)),
    Condition("enlarged, then sharpened", "", enlarged_then_sharpened, _error, repeats=4),
    Condition("enlarged after another resize", "", enlarged_twice, _error_of_scale, repeats=4, breakdown=("first",)),
    Condition("enlarged camera crops", "", enlarged(False), _error, kinds=("camera",), repeats=6),
    Condition("exactly doubled, JPEG 80-99", "", doubled, _error, repeats=4, breakdown=("kernel",)),
]  # fmt: skip

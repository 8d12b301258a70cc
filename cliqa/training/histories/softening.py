"""Softness and smoothness that are no enlargement: blur, rotation, demosaicing, denoising, halftone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.training.histories.picture import Pixels, Rng


def soften(rng: Rng, pixels: Pixels, how: str) -> Pixels:
    """Softness that is no enlargement: "defocus", "motion", "rotation", "mosaic" or "denoised"."""
    import cv2

    if how == "defocus":
        radius = float(rng.uniform(0.5, 5.0))
        if rng.random() < 0.5:
            return np.asarray(cv2.GaussianBlur(pixels, (0, 0), radius * 0.5, borderType=cv2.BORDER_REFLECT))
        return _filtered(pixels, _disk(radius))
    if how == "motion":
        return _filtered(pixels, _streak(float(rng.uniform(2, 16)), float(rng.uniform(0, np.pi))))
    if how == "rotation":
        angle = float(rng.choice((rng.uniform(-3, 3), rng.uniform(-45, 45))))
        return _rotated(pixels, angle, int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4))))
    if how == "mosaic":
        return demosaiced(rng, pixels)
    pick = rng.random()
    if pick < 0.4:
        return np.asarray(cv2.bilateralFilter(pixels, 5, float(rng.uniform(10, 40)), float(rng.uniform(1, 3))))
    if pick < 0.7:
        return np.asarray(cv2.medianBlur(pixels, 3))
    noisy = np.clip(pixels + rng.normal(0, rng.uniform(3, 12), pixels.shape), 0, 255).astype(np.uint8)
    return np.asarray(cv2.bilateralFilter(noisy, 7, float(rng.uniform(20, 60)), float(rng.uniform(1.5, 4))))


def _disk(radius: float) -> NDArray[np.float32]:
    """A lens's circle of confusion, edges antialiased by 4x4 samples."""
    half = int(np.ceil(radius + 0.5))
    fine = (np.arange((2 * half + 1) * 4) - ((2 * half + 1) * 4 - 1) / 2) / 4
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2).astype(np.float32)
    kernel: NDArray[np.float32] = inside.reshape(2 * half + 1, 4, 2 * half + 1, 4).mean(axis=(1, 3))
    kernel /= kernel.sum()
    return kernel


def _streak(length: float, angle: float) -> NDArray[np.float32]:
    """A straight motion path, laid down bilinearly."""
    half = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for t in np.linspace(-length / 2, length / 2, int(length * 8) + 1):
        y, x = half + t * np.sin(angle), half + t * np.cos(angle)
        row, column = int(y), int(x)
        fy, fx = y - row, x - column
        kernel[row, column] += (1 - fy) * (1 - fx)
        kernel[row + 1, column] += fy * (1 - fx)
        kernel[row, column + 1] += (1 - fy) * fx
        kernel[row + 1, column + 1] += fy * fx
    kernel /= kernel.sum()
    return kernel


def _filtered(pixels: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    import cv2

    return np.asarray(cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REFLECT))


def _rotated(pixels: Pixels, angle: float, interpolation: int) -> Pixels:
    import cv2

    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(pixels, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(turned)


def demosaiced(rng: Rng, pixels: Pixels) -> Pixels:
    """Sample a Bayer pattern, optionally behind an antialiasing filter and with noise, and demosaic it."""
    import cv2

    if rng.random() < 0.6:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.35, 0.8))))
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    mosaic = np.empty((height, width), np.uint8)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = pixels[row:height:2, column:width:2, channel]
    if rng.random() < 0.5:
        mosaic = np.clip(mosaic + rng.normal(0, rng.uniform(0.5, 5), mosaic.shape), 0, 255).round().astype(np.uint8)
    methods = (cv2.COLOR_BayerBG2RGB, cv2.COLOR_BayerBG2RGB_EA, cv2.COLOR_BayerBG2RGB_VNG)
    return np.asarray(cv2.cvtColor(mosaic, methods[rng.integers(3)]))


def halftone(rng: Rng, pixels: Pixels) -> Pixels:
    """Printed or dithered: dots or lines of a period of 2.5-9 pixels at an angle, or an ordered matrix of 2, 4 or 8."""
    v, u = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float64)
    tone = pixels.astype(np.float64) / 255
    if rng.random() < 0.5:
        tone = tone.mean(axis=2, keepdims=True).repeat(3, axis=2)
    if rng.random() < 0.35:
        matrix = np.zeros((1, 1))
        for _ in range(int(rng.integers(1, 4))):
            matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
        size, levels = len(matrix), int(rng.integers(1, 6))
        above = (matrix[v.astype(int) % size, u.astype(int) % size][..., None] + 0.5) / size**2
        return np.asarray(np.rint(np.floor(np.clip(tone * levels + above, 0, levels)) * (255 / levels)), dtype=np.uint8)
    period, angle, dots = rng.uniform(2.5, 9), rng.uniform(0, np.pi / 2), bool(rng.random() < 0.7)
    along = np.sin(2 * np.pi * (u * np.cos(angle) + v * np.sin(angle)) / period)
    across = np.sin(2 * np.pi * (v * np.cos(angle) - u * np.sin(angle)) / period) if dots else 1.0
    ink = np.clip((tone - 0.5 - (along * across / 2)[..., None]) * rng.uniform(3, 60) + 0.5, 0, 1)
    image = Image.fromarray(np.rint(ink * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 1.2)))))

"""Steps that change tones, colours, sharpness and noise, as cameras' and editors' programs do it.

The same kind of step stands here in several makes where programs differ: unsharp masks by OpenCV in 8 bits (`sharpened`), in floating
point (`unsharp_float`) and by Pillow with a threshold (`unsharp`); saturation about Pillow's luma and about the channels' mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from cliqa.training.histories.draws import Draw, drawn, integers, uniform
from cliqa.training.histories.geometry import grown, mirrored, quarter_turn, rotated
from cliqa.training.histories.graph import Step, evenly, on_pixels
from cliqa.training.histories.picture import Picture, Pixels, Rng
from cliqa.training.histories.softening import halftone, soften
from cliqa.training.noise.denoisers import blended, draw_denoiser
from cliqa.training.noise.families import FAMILIES, draw_family
from cliqa.training.noise.fields import blur


def to_uint8(image: NDArray[np.floating[Any]]) -> Pixels:
    """Round and clip."""
    rounded: Pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return rounded


@on_pixels
def sharpened(rng: Rng, pixels: Pixels) -> Pixels:
    """Unsharp mask, radius 0.5-2, amount 0.2-1.5."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.5, 2.0)))
    amount = float(rng.uniform(0.2, 1.5))
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0))


def unsharp_float(radius: float, amount: float) -> Step:
    """Unsharp mask in floating point."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        wide = pixels.astype(np.float32)
        return to_uint8(wide + np.float32(amount) * (wide - blur(wide, radius)))

    return on_pixels(change)


def unsharp(radius: float, percent: int | Draw[int], threshold: int) -> Step:
    """Pillow's unsharp mask."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        mask = ImageFilter.UnsharpMask(radius, drawn(rng, percent), threshold)
        return np.asarray(Image.fromarray(pixels).filter(mask))

    return on_pixels(change)


def blurred(radius: Draw[float]) -> Step:
    """Pillow's Gaussian blur."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius(rng))))

    return on_pixels(change)


def softened(*kinds: str) -> Step:
    """One of `soften`'s kinds, or "halftone", all as often."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        kind = kinds[int(rng.integers(len(kinds)))] if len(kinds) > 1 else kinds[0]
        return halftone(rng, pixels) if kind == "halftone" else soften(rng, pixels, kind)

    return on_pixels(change)


def gamma(power: Draw[float]) -> Step:
    """A power curve."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        table = to_uint8(255 * (np.arange(256) / 255) ** power(rng))
        return table[pixels]

    return on_pixels(change)


@on_pixels
def toned(rng: Rng, pixels: Pixels) -> Pixels:
    """A gamma of 0.7-1.4 and a soft S-curve of contrast."""
    curve = (np.arange(256) / 255) ** rng.uniform(0.7, 1.4)
    curve = curve + rng.uniform(-0.25, 0.25) * np.sin(2 * np.pi * curve) / (2 * np.pi)
    return to_uint8(255 * curve)[pixels]


@on_pixels
def local_contrast(rng: Rng, pixels: Pixels) -> Pixels:
    """As phones and HDR programs give it (CLAHE)."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    clahe = cv2.createCLAHE(float(rng.uniform(1.0, 4.0)), (int(rng.integers(2, 9)),) * 2)
    lab[..., 0] = clahe.apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def contrast(factor: Draw[float]) -> Step:
    """Pillow's contrast, about the mean."""
    return on_pixels(
        lambda rng, pixels: np.asarray(ImageEnhance.Contrast(Image.fromarray(pixels)).enhance(factor(rng)))
    )


def saturation(factor: Draw[float]) -> Step:
    """Pillow's saturation, about its luma."""
    return on_pixels(lambda rng, pixels: np.asarray(ImageEnhance.Color(Image.fromarray(pixels)).enhance(factor(rng))))


def saturation_of_mean(factor: Draw[float]) -> Step:
    """Saturation about the mean of the channels."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        grey = pixels.mean(axis=2, keepdims=True)
        return np.asarray(np.clip(grey + factor(rng) * (pixels - grey), 0, 255), np.uint8)

    return on_pixels(change)


@on_pixels
def greyed(rng: Rng, pixels: Pixels) -> Pixels:
    """Without colours."""
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def white_noise(deviation: Draw[float]) -> Step:
    """Gaussian noise, in half of the pictures the same in all channels."""

    def step(rng: Rng, picture: Picture) -> Picture:
        pixels, strength = picture.pixels, deviation(rng)
        shape = pixels.shape if rng.random() < 0.5 else (*pixels.shape[:2], 1)
        return picture.noised(pixels, to_uint8(pixels + rng.normal(0, strength, shape)), "gaussian")

    return step


def noise_of(family: str, psnr: Draw[float]) -> Step:
    """Noise of a family of `grain_noise` at about that PSNR, dB."""

    def step(rng: Rng, picture: Picture) -> Picture:
        kind = FAMILIES[family]
        base, noisy = kind.make(rng, picture.pixels.astype(np.float32), psnr(rng))
        before = picture.pixels if picture.clean is None else to_uint8(base)
        return picture.noised(before, to_uint8(noisy), family, 0.5 if kind.two_shots else 1.0)

    return step


def noise(shares: Mapping[str, float], psnr: Draw[float]) -> Step:
    """Noise of any of the families, by their shares."""
    return lambda rng, picture: noise_of(draw_family(rng, shares), psnr)(rng, picture)


@on_pixels
def denoised(rng: Rng, pixels: Pixels) -> Pixels:
    """By any denoiser, half of the pictures after they had been given noise."""
    deviation = float(np.exp(rng.uniform(np.log(1.5), np.log(12))))
    values = pixels.astype(np.float32)
    if rng.random() < 0.5:
        values += rng.normal(0, deviation, values.shape).astype(np.float32)
    denoiser = draw_denoiser(rng, deviation)
    return to_uint8((blended(rng, denoiser) if rng.random() < 0.3 else denoiser)(np.clip(values, 0, 255)))


@on_pixels
def edge_keeping(rng: Rng, pixels: Pixels) -> Pixels:
    """OpenCV's smoothing that keeps edges, or its opposite."""
    strength, reach = float(rng.uniform(3, 40)), float(rng.uniform(0.05, 0.4))
    if rng.random() < 0.6:
        flags = int(rng.integers(1, 3))
        return np.asarray(cv2.edgePreservingFilter(pixels, flags=flags, sigma_s=strength, sigma_r=reach), np.uint8)
    return np.asarray(cv2.detailEnhance(pixels, sigma_s=strength, sigma_r=reach), np.uint8)


@on_pixels
def palette(rng: Rng, pixels: Pixels) -> Pixels:
    """At most 16 to 256 colours, dithered or not."""
    colours = int(rng.choice((16, 32, 64, 128, 256)))
    dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.6 else Image.Dither.NONE
    return np.asarray(Image.fromarray(pixels).quantize(colours, dither=dither).convert("RGB"))


edited = evenly(
    grown, blurred(uniform(0.5, 3)), white_noise(uniform(0.5, 15)), unsharp(2, integers(50, 249), 2), rotated,
    contrast(uniform(0.6, 1.8)), saturation(uniform(0.2, 2)), greyed, gamma(uniform(0.5, 2)),
)  # fmt: skip
"""An edit that is no compression, some of them strong."""


def _crisper(rng: Rng, picture: Picture) -> Picture:
    amount = float(rng.uniform())
    return unsharp(0.7 + amount, 40 + int(120 * amount), 0)(rng, picture)


def _along(start: float, length: float) -> Draw[float]:
    return lambda rng: start + length * float(rng.uniform())


retouched = evenly(
    _crisper, gamma(_along(0.65, 0.9)), contrast(_along(0.75, 0.6)), saturation(_along(0.3, 1.2)), mirrored,
    quarter_turn(lambda rng: 1 if rng.random() < 0.5 else 3),
)  # fmt: skip
"""What editors do to every picture: sharpened, another tone curve, more or less colour, mirrored, turned."""

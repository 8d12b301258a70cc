"""What happens to a photograph before it is enlarged, instead of it, and afterwards.

A `Scene` holds one photograph's small version, which networks enlarge, and pictures of the same content, size and history that no
network enlarged: the true pixels, ordinary enlargements, and processed ones. `finished` is what any of them goes through afterwards.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from cliqa.training.codecs import decode, encode_avif, encode_jpeg, encode_webp
from cliqa.training.noise.denoisers import blended, draw_denoiser
from cliqa.training.scale.finishing import noised, sharpened
from cliqa.training.scale.resampling import sample_resampler
from cliqa.training.scale.resized_photos import crop, random_photo
from cliqa.training.scale.softened import soften

Pixels = NDArray[np.uint8]
Rng = np.random.Generator

OTHERWISE = ("true", "enlarged", "processed", "denoised by a network")  # the kinds of what no network enlarged
SHARES = (0.36, 0.26, 0.28, 0.10)
SUBSAMPLINGS = ("4:2:0", "4:2:0", "4:4:4", "4:2:2")


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
    pixels = before(rng, pixels)
    need = -(-side // scale)
    small = pixels
    if rng.random() < 0.6:  # a reduced photograph; otherwise a part of what there is, as users enlarge it
        factor = min(float(rng.choice((scale, scale, rng.uniform(1.3, 4.0)))), min(pixels.shape[:2]) / need)
        if factor > 1.05:
            small = reduced_by(rng, pixels, factor)
            if rng.random() < 0.25:
                small = saved(rng, small, 70, 98)
            elif rng.random() < 0.12:
                small = noised(rng, small)
    found = []
    for _ in range(others):
        how = drawn or str(rng.choice(OTHERWISE, p=SHARES))
        found.append((_otherwise(rng, pixels, small, side, how), how))
    return Scene(_square(rng, small, need), found, kind)


def _otherwise(rng: Rng, pixels: Pixels, small: Pixels, side: int, how: str) -> Pixels:
    native = small if rng.random() < 0.35 and min(small.shape[:2]) >= side else pixels
    if how == "enlarged":
        factor = float(rng.choice((rng.uniform(1.05, 2.0), 2.0, 2.0, 3.0, 4.0, rng.uniform(2.0, 4.0))))
        part = _square(rng, small if rng.random() < 0.7 else pixels, -(-side // factor).__int__() + 1)
        done = sample_resampler(rng).resize(part, (side, side))[0]
        return sharpened(rng, done) if rng.random() < 0.25 else done
    part = _square(rng, native, side)
    return processed(rng, part) if how == "processed" else part


def _square(rng: Rng, pixels: Pixels, side: int) -> Pixels:
    """A random square part; what is smaller is mirrored out."""
    part = crop(rng, pixels, side, side)
    missing = [max(0, side - length) for length in part.shape[:2]]
    return np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric") if any(missing) else part


def before(rng: Rng, pixels: Pixels) -> Pixels:
    """What the photograph had gone through already: mostly nothing, else a save, noise, softness or another tone."""
    pick = rng.random()
    if pick < 0.5:
        return pixels
    if pick < 0.68:
        return saved(rng, pixels, 60, 97)
    if pick < 0.76:
        return noised(rng, pixels)
    if pick < 0.82:
        return saved(rng, noised(rng, pixels), 70, 97)
    if pick < 0.88:
        return soften(rng, pixels, str(rng.choice(("defocus", "mosaic", "denoised"))))
    if pick < 0.94:
        return toned(rng, pixels)
    return sharpened(rng, pixels)


def reduced_by(rng: Rng, pixels: Pixels, factor: float) -> Pixels:
    """Resized down by any kernel, mostly those of programs for photographs."""
    size = (max(16, round(pixels.shape[0] / factor)), max(16, round(pixels.shape[1] / factor)))
    if rng.random() < 0.5:
        method = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)[int(rng.integers(3))]
        return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), method))
    return sample_resampler(rng).resize(pixels, size)[0]


def saved(rng: Rng, pixels: Pixels, low: int, high: int) -> Pixels:
    """Through a lossy file: JPEG mostly, WebP, AVIF or JPEG 2000 now and then."""
    pick, quality = rng.random(), int(rng.integers(low, high + 1))
    if pick < 0.74:
        subsampling = SUBSAMPLINGS[int(rng.integers(len(SUBSAMPLINGS)))]
        return decode(encode_jpeg(pixels, quality, subsampling=subsampling))
    if pick < 0.92:
        return decode(encode_webp(pixels, quality, method=int(rng.integers(2, 5)), sharp_yuv=bool(rng.random() < 0.3)))
    if pick < 0.96 and features.check("avif"):
        return decode(encode_avif(pixels, max(45, quality - 15), speed=int(rng.integers(6, 10))))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG2000", quality_mode="dB", quality_layers=[float(rng.uniform(34, 46))])
    return decode(buffer.getvalue())


def toned(rng: Rng, pixels: Pixels) -> Pixels:
    """Another tone curve, local contrast as phones and HDR programs give it, or colour."""
    pick = rng.random()
    if pick < 0.4:
        table = 255 * (np.arange(256) / 255) ** float(rng.uniform(0.6, 1.6))
        return np.asarray(np.rint(table), np.uint8)[pixels]
    if pick < 0.75:
        lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
        clahe = cv2.createCLAHE(float(rng.uniform(1.0, 4.0)), (int(rng.integers(2, 9)),) * 2)
        lab[..., 0] = clahe.apply(np.ascontiguousarray(lab[..., 0]))
        return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)
    grey = pixels.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey + float(rng.uniform(0.0, 1.8)) * (pixels - grey), 0, 255), np.uint8)


def processed(rng: Rng, pixels: Pixels) -> Pixels:
    """Work of programs that are no upscalers: one or two of sharpening, denoising, smoothing that keeps edges, tone, palettes ..."""
    for _ in range(1 if rng.random() < 0.6 else 2):
        pixels = _PROCESSES[int(rng.integers(len(_PROCESSES)))](rng, pixels)
    return np.ascontiguousarray(pixels)


def _denoised(rng: Rng, pixels: Pixels) -> Pixels:
    deviation = float(np.exp(rng.uniform(np.log(1.5), np.log(12))))
    values = pixels.astype(np.float32)
    if rng.random() < 0.5:
        values += rng.normal(0, deviation, values.shape).astype(np.float32)
    denoiser = draw_denoiser(rng, deviation)
    done = (blended(rng, denoiser) if rng.random() < 0.3 else denoiser)(np.clip(values, 0, 255))
    return np.clip(np.rint(done), 0, 255).astype(np.uint8)


def _edge_keeping(rng: Rng, pixels: Pixels) -> Pixels:
    strength, reach = float(rng.uniform(3, 40)), float(rng.uniform(0.05, 0.4))
    if rng.random() < 0.6:
        return np.asarray(
            cv2.edgePreservingFilter(pixels, flags=int(rng.integers(1, 3)), sigma_s=strength, sigma_r=reach), np.uint8
        )
    return np.asarray(cv2.detailEnhance(pixels, sigma_s=strength, sigma_r=reach), np.uint8)


def _posterised(rng: Rng, pixels: Pixels) -> Pixels:
    colours = int(rng.choice((16, 32, 64, 128, 256)))
    dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.6 else Image.Dither.NONE
    return np.asarray(Image.fromarray(pixels).quantize(colours, dither=dither).convert("RGB"))


def _softened(rng: Rng, pixels: Pixels) -> Pixels:
    return soften(rng, pixels, str(rng.choice(("defocus", "motion", "rotation", "mosaic", "denoised"))))


_PROCESSES: tuple[Callable[[Rng, Pixels], Pixels], ...] = (
    sharpened, sharpened, _denoised, _denoised, _denoised, _edge_keeping, _softened, _softened, toned, noised, _posterised,
)  # fmt: skip


def finished(rng: Rng, pixels: Pixels, side: int, reduced: bool = False) -> Pixels:
    """What happens to a picture before it reaches a collection; the result, or a part of it, with sides of at least `side`.

    With `reduced` it is reduced, whatever else.
    """
    pick = 0.7 if reduced else rng.random()
    if pick < 0.24:
        pass
    elif pick < 0.56:
        pixels = saved(rng, _cut(rng, pixels, side) if rng.random() < 0.3 else pixels, 74, 98)
    elif pick < 0.62:
        pixels = saved(rng, pixels, 50, 75)
    elif pick < 0.86:
        factor = float(rng.uniform(max(0.5, side / min(pixels.shape[:2])), 1.0))
        pixels = reduced_by(rng, pixels, 1 / factor)
        if rng.random() < 0.5:
            pixels = saved(rng, pixels, 78, 97)
    elif pick < 0.93:
        pixels = sharpened(rng, pixels)
        if rng.random() < 0.5:
            pixels = saved(rng, pixels, 78, 97)
    elif pick < 0.96:
        pixels = saved(rng, saved(rng, pixels, 75, 96), 78, 97)
    elif pick < 0.98:
        pixels = noised(rng, pixels)
    else:
        pixels = toned(rng, pixels)
    if rng.random() < 0.5:
        grid = 8 if rng.random() < 0.7 else 1  # most parts keep the grid of the picture's corner
        pixels = _cut(rng, pixels, side, grid)
    missing = [max(0, side - length) for length in pixels.shape[:2]]
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric") if any(missing) else pixels


def _cut(rng: Rng, pixels: Pixels, side: int, grid: int = 1) -> Pixels:
    lengths = [int(rng.integers(min(side, length), length + 1)) for length in pixels.shape[:2]]
    return crop(rng, pixels, lengths[0], lengths[1], grid)


CONDITIONS = (
    "PNG",
    "JPEG 85-95",
    "WebP 80-95",
    "JPEG 70-84",
    "reduced to 0.75",
    "sharpened",
)


def under(condition: str, rng: Rng, pixels: Pixels) -> Pixels:
    """The picture as one of `CONDITIONS` leaves it, for measuring."""
    if condition == "reduced to 0.75":
        pixels = reduced_by(rng, pixels, 1 / 0.75)
    if condition == "JPEG 85-95":
        return decode(encode_jpeg(pixels, int(rng.integers(85, 96)), subsampling=str(rng.choice(("4:2:0", "4:4:4")))))
    if condition == "JPEG 70-84":
        return decode(encode_jpeg(pixels, int(rng.integers(70, 85))))
    if condition == "WebP 80-95":
        return decode(encode_webp(pixels, int(rng.integers(80, 96))))
    return sharpened(rng, pixels) if condition == "sharpened" else pixels

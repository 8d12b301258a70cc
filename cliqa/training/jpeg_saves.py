"""JPEG saves as the world makes them: many encoders, tables, samplings and decoders, with the truth beside.

`save_jpeg` writes a real JPEG stream (Pillow or OpenCV, both over libjpeg-turbo). `numpy_save` is a codec of its own in
the coefficient domain, without the stream: float DCT, several chroma downsamplings, trellis-like zeroing of single
coefficients, plain or smooth chroma upsampling. `random_save` draws from all of them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.signal.quantization import (
    CHROMA_TABLES,
    LUMA_TABLES,
    STANDARD_CHROMA,
    STANDARD_LUMA,
    nearest_quality,
    scale_table,
)

Pixels = NDArray[np.uint8]
Table = NDArray[np.int64]

SAMPLINGS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2), "4:4:0": (1, 2), "4:1:1": (4, 1)}
SAMPLING_WEIGHTS = {"4:4:4": 0.36, "4:2:2": 0.14, "4:2:0": 0.44, "4:4:0": 0.05, "4:1:1": 0.01}

# Encoders that use IJG's tables, and so have an exact quality; and how often `random_save` takes each.
IJG_ENCODERS = {"pillow": 0.55, "opencv": 0.15, "numpy": 0.3}


@dataclass(frozen=True)
class Truth:
    """What one save did: `quality` is the IJG quality nearest to the luma table; `sampling` as "4:2:0"."""

    quality: int
    sampling: str
    encoder: str
    luma: Table


def draw_sampling(rng: np.random.Generator) -> str:
    """A chroma subsampling, as often as files have it."""
    names = list(SAMPLING_WEIGHTS)
    return str(rng.choice(names, p=np.array(list(SAMPLING_WEIGHTS.values())) / sum(SAMPLING_WEIGHTS.values())))


# --- tables ---------------------------------------------------------------------------------------------------------

# Base tables that other encoders scale: N. Robidoux's (ImageMagick's alternative, mozjpeg's default) and flat.
_ROBIDOUX: Table = np.array(
    [
        16, 16, 16, 18, 25, 37, 56, 85,
        16, 17, 20, 27, 34, 40, 53, 75,
        16, 20, 24, 31, 43, 62, 91, 135,
        18, 27, 31, 40, 53, 74, 106, 156,
        25, 34, 43, 53, 69, 94, 131, 189,
        37, 40, 62, 74, 94, 124, 169, 238,
        56, 53, 91, 106, 131, 169, 226, 311,
        85, 75, 135, 156, 189, 238, 311, 418,
    ]
)  # fmt: skip


def _limit(steps: NDArray[np.floating]) -> Table:
    limited: Table = np.clip(np.rint(steps), 1, 255).astype(np.int64)
    return limited


def _camera_like(rng: np.random.Generator) -> NDArray[np.float64]:
    """A smooth or patchy base table (mean step about that of IJG's 50), after the families seen in camera files."""
    v, u = np.mgrid[0:8, 0:8].astype(np.float64)
    kind = rng.integers(4)
    if kind == 0:  # a power of the standard table: flatter or steeper
        base = STANDARD_LUMA.reshape(8, 8) ** rng.uniform(0.5, 1.3)
    elif kind == 1:  # grows with the radius, flat at the lowest frequencies
        base = 1 + rng.uniform(0.02, 0.5) * (u**2 + v**2) ** rng.uniform(0.5, 1.1)
    elif kind == 2:  # grows with the diagonal, saturates: as in image editors' high settings
        base = np.minimum(1 + rng.uniform(0.1, 0.8) * (u + v), rng.uniform(2, 8))
    else:  # the standard table with its columns and rows stretched: wide-pixel or interlaced sources
        base = STANDARD_LUMA.reshape(8, 8) * np.exp(rng.uniform(-0.12, 0.12) * u + rng.uniform(-0.12, 0.12) * v)
    if rng.random() < 0.5:
        base = base * np.exp(rng.normal(0, rng.uniform(0.05, 0.25), (8, 8)))
    base = base / np.exp(np.log(base).mean()) * np.exp(np.log(STANDARD_LUMA).mean())
    flat: NDArray[np.float64] = base.ravel()
    return flat


def draw_tables(rng: np.random.Generator, quality: int, family: str | None = None) -> tuple[Table, Table, str]:
    """(luma, chroma, family): tables of about this quality that are not IJG's.

    Families: `scaled` (the standard table, any real factor, rounded), `split` (IJG with another quality for chroma),
    `robidoux`, `flat`, `camera`.
    """
    family = family or str(
        rng.choice(["scaled", "split", "robidoux", "flat", "camera"], p=[0.2, 0.15, 0.15, 0.05, 0.45])
    )
    percent = 5000 / quality if quality < 50 else 200.0 - 2 * quality
    if family == "split":
        other = int(np.clip(quality + rng.integers(-12, 13), 1, 100))
        return LUMA_TABLES[quality - 1], CHROMA_TABLES[other - 1], family
    if family == "robidoux":
        return scale_table(_ROBIDOUX, quality), scale_table(_ROBIDOUX, quality), family
    factor = max(percent + rng.uniform(-1, 1), 0.5) / 100
    if family == "scaled":
        return _limit(STANDARD_LUMA * factor), _limit(STANDARD_CHROMA * factor), family
    if family == "flat":
        base = np.full(64, np.exp(np.log(STANDARD_LUMA).mean()))
        return _limit(base * factor), _limit(base * factor), family
    base = _camera_like(rng)
    luma = _limit(base * factor)
    chroma = luma if rng.random() < 0.3 else _limit(STANDARD_CHROMA * factor * rng.uniform(0.6, 1.6))
    return luma, chroma, family


# --- real encoders --------------------------------------------------------------------------------------------------


def save_jpeg(
    pixels: Pixels,
    rng: np.random.Generator,
    quality: int,
    subsampling: str = "4:2:0",
    encoder: str = "pillow",
    tables: tuple[Table, Table] | None = None,
) -> bytes:
    """A JPEG stream.

    Args:
        pixels: uint8 (height, width, 3) RGB, or (height, width) grey.
        rng: decides what leaves no trace in the pixels (progressive, optimised, restart markers).
        quality: IJG 1-100; unused where `tables` are given.
        subsampling: a key of `SAMPLINGS`; Pillow knows 4:4:4, 4:2:2 and 4:2:0, others go through OpenCV.
        encoder: "pillow" or "opencv".
        tables: luma and chroma table instead of IJG's (Pillow only).
    """
    if encoder == "opencv" or (subsampling in ("4:4:0", "4:1:1") and tables is None):
        return _save_opencv(pixels, rng, quality, subsampling)
    options: dict[str, Any] = {"optimize": rng.random() < 0.2, "progressive": rng.random() < 0.1}
    if tables is not None:
        options["qtables"] = [[int(step) for step in table] for table in tables]
    else:
        options["quality"] = quality
    if pixels.ndim == 3:
        options["subsampling"] = subsampling if subsampling in ("4:4:4", "4:2:2", "4:2:0") else "4:2:0"
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def _save_opencv(pixels: Pixels, rng: np.random.Generator, quality: int, subsampling: str) -> bytes:
    import cv2

    factor = {
        "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
        "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
        "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
    }[subsampling]
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    settings += [cv2.IMWRITE_JPEG_OPTIMIZE, int(rng.random() < 0.2)]
    bgr = np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels
    done, stream = cv2.imencode(".jpg", bgr, settings)
    if not done:
        raise ValueError("OpenCV could not encode the image")
    return bytes(stream.tobytes())


def decode_jpeg(stream: bytes) -> Pixels:
    """RGB pixels uint8 (height, width, 3) by libjpeg-turbo (accurate DCT, smooth upsampling)."""
    return np.asarray(Image.open(io.BytesIO(stream)).convert("RGB"))


# --- a codec in NumPy -----------------------------------------------------------------------------------------------

_k = np.arange(8)
DCT: NDArray[np.float32] = (
    np.sqrt(np.where(_k == 0, 1, 2) / 8)[:, None] * np.cos((2 * _k[None, :] + 1) * _k[:, None] * np.pi / 16)
).astype(np.float32)
"""float32 (8, 8), orthonormal DCT-II; a JPEG coefficient block is DCT @ block @ DCT.T."""


def _blocks(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    return np.ascontiguousarray(plane.reshape(rows, 8, columns, 8).swapaxes(1, 2))


def _plane(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = blocks.shape[:2]
    return np.ascontiguousarray(blocks.swapaxes(1, 2)).reshape(rows * 8, columns * 8)


def _quantize(
    plane: NDArray[np.float32], table: Table, rng: np.random.Generator, trellis: float
) -> NDArray[np.float32]:
    """The decoded plane (before rounding) of a plane whose sides are multiples of 8; values around 0."""
    steps = table.reshape(8, 8).astype(np.float32)
    scaled = (DCT @ _blocks(plane) @ DCT.T) / steps
    levels = np.rint(scaled)
    if trellis > 0:
        # What rate-distortion optimisation does: single levels whose rounding was a near thing go to 0 or towards it,
        # the more so at high frequencies, where a level costs a long run of zeros.
        v, u = np.mgrid[0:8, 0:8]
        slack = trellis * np.clip((u + v) / 6, 0, 1).astype(np.float32)
        lowered = np.abs(scaled) < np.abs(levels) - 0.5 + slack * (1.0 / (1.0 + 0.5 * (np.abs(levels) - 1).clip(0)))
        levels = np.where(lowered & (levels != 0), levels - np.sign(levels), levels)
    return _plane(DCT.T @ (levels * steps) @ DCT)


def _down(plane: NDArray[np.float32], h: int, v: int, kind: str) -> NDArray[np.float32]:
    height, width = plane.shape
    if kind == "drop":  # camera hardware: every second sample
        return plane[::v, ::h]
    if kind == "box" or (h, v) == (1, 1):
        return np.asarray(plane.reshape(height // v, v, width // h, h).mean(axis=(1, 3)), dtype=np.float32)
    resample = Image.Resampling.BICUBIC if kind == "bicubic" else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(plane).resize((width // h, height // v), resample), dtype=np.float32)


def _up(plane: NDArray[np.float32], h: int, v: int, kind: str) -> NDArray[np.float32]:
    if kind == "plain":
        return plane.repeat(v, axis=0).repeat(h, axis=1)
    if kind == "triangle":  # libjpeg's "fancy": 3/4 of the nearer sample, 1/4 of the next
        for axis, factor in ((0, v), (1, h)):
            if factor == 2:
                moved = np.moveaxis(plane, axis, 0)
                padded = np.concatenate([moved[:1], moved, moved[-1:]])
                doubled = np.empty((2 * len(moved), *moved.shape[1:]), np.float32)
                doubled[0::2] = 0.75 * moved + 0.25 * padded[:-2]
                doubled[1::2] = 0.75 * moved + 0.25 * padded[2:]
                plane = np.moveaxis(doubled, 0, axis)
            elif factor > 1:
                plane = plane.repeat(factor, axis=axis)
        return np.ascontiguousarray(plane)
    size = (plane.shape[1] * h, plane.shape[0] * v)
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def numpy_save(
    pixels: Pixels,
    rng: np.random.Generator,
    luma: Table,
    chroma: Table,
    subsampling: str,
    *,
    trellis: float = 0.0,
    downsampling: str = "box",
    upsampling: str = "triangle",
    round_planes: bool = True,
) -> Pixels:
    """What a save and a decode leave of `pixels`, uint8 (height, width, 3), by a float DCT.

    Args:
        trellis: 0 plain rounding; up to about 0.35, how far single levels are lowered.
        downsampling: "box", "bilinear", "bicubic" or "drop", of the chroma planes.
        upsampling: "plain", "triangle" or "bicubic".
        round_planes: whether decoded planes are rounded to 8 bits before they become RGB (libjpeg does).
    """
    h, v = SAMPLINGS[subsampling]
    height, width = pixels.shape[:2]
    unit_h, unit_v = 8 * h, 8 * v
    pad = ((0, -height % unit_v), (0, -width % unit_h), (0, 0))
    rgb = np.pad(pixels, pad, mode="edge").astype(np.float32)
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb, cr = (b - y) / 1.772, (r - y) / 1.402
    planes = [np.rint(y) - 128, np.rint(cb), np.rint(cr)] if rng.random() < 0.7 else [y - 128, cb, cr]
    decoded = [_quantize(planes[0], luma, rng, trellis)]
    for plane in planes[1:]:
        small = np.ascontiguousarray(_down(plane, h, v, downsampling))
        decoded.append(_quantize(small, chroma, rng, trellis))
    if round_planes:
        decoded = [np.clip(np.rint(plane), -128, 127) for plane in decoded]
    y = decoded[0] + 128
    cb, cr = (_up(plane, h, v, upsampling) for plane in decoded[1:])
    if round_planes:
        cb, cr = np.rint(cb), np.rint(cr)
    out = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    rgb8: Pixels = np.clip(np.rint(out), 0, 255).astype(np.uint8)[:height, :width]
    return rgb8


# --- all of them ----------------------------------------------------------------------------------------------------


def random_save(
    rng: np.random.Generator,
    pixels: Pixels,
    low: int = 1,
    high: int = 100,
    *,
    sampling: str | None = None,
    ijg_only: bool = False,
) -> tuple[Pixels, Truth]:
    """Save once and decode, by a random encoder, at a quality drawn evenly from `low`-`high`.

    Tables that are not IJG's (3 in 10, unless `ijg_only`) aim at the drawn quality and may be nearest to a neighbour of it;
    the truth says what they are nearest to, and may lie outside `low`-`high` by a few.
    """
    quality = int(rng.integers(low, high + 1))
    sampling = sampling or draw_sampling(rng)
    luma, chroma, family = LUMA_TABLES[quality - 1], CHROMA_TABLES[quality - 1], "ijg"
    if not ijg_only and rng.random() < 0.3:
        luma, chroma, family = draw_tables(rng, quality)
    encoder = str(rng.choice(list(IJG_ENCODERS), p=list(IJG_ENCODERS.values())))
    if encoder == "opencv" and family == "ijg":
        out = decode_jpeg(save_jpeg(pixels, rng, quality, sampling, "opencv"))
    elif encoder == "pillow" and sampling in ("4:4:4", "4:2:2", "4:2:0"):
        out = decode_jpeg(save_jpeg(pixels, rng, quality, sampling, tables=None if family == "ijg" else (luma, chroma)))
    else:
        encoder = "numpy"
        out = numpy_save(
            pixels,
            rng,
            luma,
            chroma,
            sampling,
            trellis=float(rng.uniform(0.1, 0.35)) if rng.random() < 0.4 else 0.0,
            downsampling=str(rng.choice(["box", "bilinear", "bicubic", "drop"], p=[0.6, 0.15, 0.15, 0.1])),
            upsampling=str(rng.choice(["plain", "triangle", "bicubic"], p=[0.55, 0.35, 0.1])),
            round_planes=bool(rng.random() < 0.7),
        )
    return out, Truth(nearest_quality(luma), sampling, f"{encoder}/{family}", luma)

"""JPEG saves as the world makes them: many encoders, tables, samplings and decoders, with the truth beside.

`save_jpeg` writes a real JPEG stream (Pillow or OpenCV, both over libjpeg-turbo). `random_save` draws from it and from
the codec of `numpy_codec`, with IJG's tables and with those of `tables`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from cliqa.signal.jpeg.quantization import CHROMA_TABLES, LUMA_TABLES, nearest_quality
from cliqa.training.histories.numpy_codec import numpy_save
from cliqa.training.histories.tables import Table, draw_tables

ImageFile.MAXBLOCK = 1 << 24  # bytes: noisy pictures under fine tables fill more than Pillow's own buffer
Pixels = NDArray[np.uint8]

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
        subsampling: a key of `SAMPLING_WEIGHTS`; Pillow knows 4:4:4, 4:2:2 and 4:2:0, others go through OpenCV.
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

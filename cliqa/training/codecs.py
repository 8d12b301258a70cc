"""Lossy codecs for training pictures: pixels in, the file's bytes and the decoded pixels out, by one function each.

Each takes a quality on the codec's own 1-100 scale and says its settings by name. Pillow encodes JPEG (libjpeg-turbo), WebP
(libwebp) and AVIF (aom, svt or rav1e); HEIC (x265) needs pillow-heif; JPEG 2000 (OpenJPEG) and JPEG XL (libjxl) need imagecodecs.
All of them are in the extra `train`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Encoder = Callable[..., bytes]


def encode_jpeg(pixels: Pixels, quality: int, *, subsampling: str = "4:2:0", **settings: Any) -> bytes:
    """Baseline JPEG by libjpeg-turbo; `settings` go to Pillow (`progressive`, `optimize`, `qtables`)."""
    return _pillow(pixels, "JPEG", quality=quality, subsampling=subsampling, **settings)


def encode_webp(pixels: Pixels, quality: int, *, method: int = 4, sharp_yuv: bool = False, **settings: Any) -> bytes:
    """Lossy WebP (VP8); `method` 0 (fast) to 6 (small)."""
    return _pillow(pixels, "WEBP", quality=quality, method=method, use_sharp_yuv=sharp_yuv, **settings)


def encode_avif(
    pixels: Pixels, quality: int, *, speed: int = 6, subsampling: str = "4:2:0", codec: str = "aom", **settings: Any
) -> bytes:
    """AVIF; `speed` 0 (slow) to 10, `codec` aom, svt or rav1e where Pillow has it."""
    return _pillow(pixels, "AVIF", quality=quality, speed=speed, subsampling=subsampling, codec=codec, **settings)


def encode_heic(pixels: Pixels, quality: int, *, chroma: int = 420, **settings: Any) -> bytes:
    """HEIC by x265; `chroma` 420, 422 or 444."""
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, quality=quality, chroma=chroma, **settings)
    return buffer.getvalue()


def encode_jpeg2000(pixels: Pixels, quality: int, **settings: Any) -> bytes:
    """JPEG 2000, irreversible; `quality` is the PSNR in dB that OpenJPEG aims at (about 28-50)."""
    import imagecodecs

    return bytes(imagecodecs.jpeg2k_encode(pixels, level=quality, codecformat="jp2", reversible=False, **settings))


def encode_jxl(pixels: Pixels, quality: float, *, effort: int = 4, **settings: Any) -> bytes:
    """JPEG XL (VarDCT); `quality` is the Butteraugli distance (1 visually lossless, 0.1-15)."""
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(pixels, distance=quality, effort=effort, lossless=False, **settings))


def decode(data: bytes) -> Pixels:
    """The RGB pixels of any file that the encoders here make: uint8 (height, width, 3)."""
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypheif"):
        import pillow_heif

        return np.asarray(pillow_heif.open_heif(data).to_pillow().convert("RGB"))
    if data[:2] == b"\xff\x0a" or data[4:8] == b"JXL ":
        import imagecodecs

        return np.asarray(imagecodecs.jpegxl_decode(data), dtype=np.uint8)
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def _pillow(pixels: Pixels, format: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **settings)
    return buffer.getvalue()

"""A file's bytes -> which codec made it, at which quality on the codec's own scale, and whether it lost anything."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

from cliqa.images.codec_headers.av1 import base_q_index
from cliqa.images.codec_headers.boxes import coded_item
from cliqa.images.codec_headers.hevc import slice_quantizer
from cliqa.images.codec_headers.jpeg2000 import wavelet
from cliqa.images.codec_headers.jxl import jxl_header
from cliqa.images.codec_headers.webp import asked_quality, coded_chunk, segment_quantizers


@dataclass(frozen=True)
class CodecHeader:
    """`codec` as the metric `compression` names it; `quality` on the codec's own scale, None where the header doesn't tell.

    The scales: JPEG the nearest IJG quality; WebP the quality asked of libwebp; AVIF `base_q_idx` (0 best to 255); HEIC the first
    slice's QP (0 best to 51); JPEG XL libjxl's distance (0 best to 25); JPEG 2000 none.
    `lossless` is None where the header doesn't tell.
    """

    codec: str
    quality: float | None = None
    lossless: bool | None = None


# What reading foreign bytes may raise where they are not what they should be.
_DAMAGE = (EOFError, ValueError, KeyError, IndexError, TypeError, StopIteration, OverflowError, struct.error)


def read_codec_header(stream: IO[bytes], format: str) -> CodecHeader | None:
    """What the coded picture's own header says; the stream is left where it was.

    Args:
        stream: the whole file, seekable.
        format: as `cliqa.images.header.Header` names it; JPEG is told by its tables and is not read here.

    Returns:
        None for a format of no such codec; a header without quality where its bytes are damaged or of an unknown kind.
    """
    if format not in _READERS:
        return None
    codec, reader = _READERS[format]
    place = stream.tell()
    try:
        stream.seek(0)
        quality, lossless = reader(stream)
        return CodecHeader(codec, quality, lossless)
    except (*_DAMAGE, OSError):
        return CodecHeader(codec)
    finally:
        stream.seek(place)


def _webp(stream: IO[bytes]) -> tuple[float | None, bool]:
    name, frame, _ = coded_chunk(stream)
    if name == "VP8L":
        return None, True
    return asked_quality(segment_quantizers(frame)), False


def _avif(stream: IO[bytes]) -> tuple[float, bool]:
    item = coded_item(stream)
    index, lossless = base_q_index(item.settings, item.data)
    return float(index), lossless


def _heic(stream: IO[bytes]) -> tuple[float | None, bool | None]:
    item = coded_item(stream)
    if item.kind == "av01":
        return None, None
    quantizer, bypass = slice_quantizer(item.settings, item.data)
    return float(quantizer), None if bypass else False


def _jpeg2000(stream: IO[bytes]) -> tuple[None, bool | None]:
    return None, None if wavelet(stream) == "5-3" else False


def _jxl(stream: IO[bytes]) -> tuple[float | None, bool | None]:
    return jxl_header(stream)


_READERS = {
    "WEBP": ("webp", _webp),
    "AVIF": ("avif", _avif),
    "HEIF": ("heic", _heic),
    "JPEG2000": ("jpeg2000", _jpeg2000),
    "JXL": ("jxl", _jxl),
}

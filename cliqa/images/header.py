"""What an image file says of itself, before any pixel is decoded; the quantization tables of JPEG streams, those in TIFF too."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import IO, Any

from PIL import ExifTags, Image

from cliqa.images.codec_headers import CodecHeader, read_codec_header

_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Header:
    """What the file says of itself, before any pixel is decoded.

    `format` is Pillow's name; MPO, a JPEG stream with more behind it, is "JPEG" here.
    `quantization` maps table id -> 64 steps in natural (row by row) order, empty unless the file is a JPEG or
    a TIFF of JPEG streams.
    `sampling` is the chroma subsampling in the usual notation ("4:4:4", "4:2:2", "4:2:0", ...), "" where unknown.
    `coding` is what the codec's own header says in files of WebP, AVIF, HEIC and JPEG 2000; None in others.
    `taken` is when, as EXIF says ("2024-05-01T12:30:59.25", in no zone), `camera` its maker and model, `exposure_value` the exposure
    at ISO 100 in EV; empty where EXIF does not tell.
    `frames` is 1 for a still picture and 2 for "more than one": counting them all would read the whole file.
    """

    format: str
    width: int
    height: int
    mode: str
    bits: int = 8
    orientation: int = 1
    frames: int = 1
    progressive: bool = False
    quantization: dict[int, tuple[int, ...]] = field(default_factory=dict)
    sampling: str = ""
    has_alpha: bool = False
    has_icc: bool = False
    taken: str = ""
    camera: str = ""
    exposure_value: float | None = None
    coding: CodecHeader | None = None


def header_of(image: Image.Image, stream: IO[bytes] | None = None) -> Header:
    """The header of an opened image, with its codec's own where the file is at hand; its pixels are not touched."""
    name = image.format or ""
    if name == "MPO":
        name = "JPEG"
    quantization: dict[int, tuple[int, ...]] = {}
    sampling = ""
    coding = None
    if name == "JPEG":
        tables: dict[int, Any] = getattr(image, "quantization", None) or {}
        quantization = {int(key): tuple(int(step) for step in steps) for key, steps in tables.items()}
        sampling = _sampling(getattr(image, "layer", []))
    elif name == "TIFF":
        quantization = tables_of_tiff(image)
    elif stream is not None:
        coding = read_codec_header(stream, name)
    try:
        animated = bool(getattr(image, "is_animated", False))
    except Exception:  # a broken second frame is no reason to lose the first
        animated = False
    width, height = getattr(image, "_tile_size", image.size)  # TIFF: as stored
    return Header(
        format=name,
        width=width,
        height=height,
        mode=image.mode,
        bits=_bits(image),
        orientation=orientation_of(image),
        frames=2 if animated else 1,
        progressive=bool(image.info.get("progressive")),
        quantization=quantization,
        sampling=sampling,
        has_alpha=image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info,
        has_icc=bool(image.info.get("icc_profile")),
        coding=coding,
        **_shot(image),
    )


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1-8; 1 where there is none. Decodes nothing."""
    if image.format == "PNG" and "exif" not in image.info and getattr(image, "tile", None):
        return 1  # Pillow would decode the picture to look for it
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is foreign data: broken blocks are common and no reason to lose the picture
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _shot(image: Image.Image) -> dict[str, Any]:
    """What EXIF says of the shot: `taken`, `camera`, `exposure_value`, as far as it does. Decodes nothing."""
    if image.format == "PNG" and "exif" not in image.info and getattr(image, "tile", None):
        return {}
    found: dict[str, Any] = {}
    try:
        exif = image.getexif()
        if not exif:
            return {}
        detail = exif.get_ifd(ExifTags.IFD.Exif)
        maker, model = (_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
        found["camera"] = model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()
        stamp = re.fullmatch(
            r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", _text(detail.get(ExifTags.Base.DateTimeOriginal))
        )
        if stamp:
            fraction = _text(detail.get(ExifTags.Base.SubsecTimeOriginal))
            found["taken"] = "{}-{}-{}T{}".format(*stamp.groups()) + (f".{fraction}" if fraction.isdigit() else "")
        time, aperture = (float(detail.get(tag) or 0) for tag in (ExifTags.Base.ExposureTime, ExifTags.Base.FNumber))
        speed = detail.get(ExifTags.Base.ISOSpeedRatings)
        iso = float(speed[0] if isinstance(speed, tuple) else speed or 0)
        if time > 0 and aperture > 0 and iso > 0:
            found["exposure_value"] = round(math.log2(aperture**2 / time) - math.log2(iso / 100), 2)
    except Exception:  # as with the orientation: what could be read stays
        pass
    return found


def _text(value: Any) -> str:
    return " ".join(str(value or "").replace("\0", " ").split())[:64] if isinstance(value, str) else ""


def _bits(image: Image.Image) -> int:
    """Bits per channel of the file, as far as the decoder's settings tell (before the pixels are decoded)."""
    if image.mode in ("1", "F"):
        return 1 if image.mode == "1" else 32
    tile = getattr(image, "tile", None)
    settings: Any = tile[0][-1] if tile else ""
    rawmode = str(settings[0] if isinstance(settings, tuple) and settings else settings)
    if rawmode.endswith(";12"):
        return 12
    deep = image.mode.startswith("I") or (";16" in rawmode and not rawmode.startswith("BGR"))
    return 16 if deep else 8


def _sampling(layers: Any) -> str:
    """The usual notation, from the sampling factors of the frame header's components (id, h, v, table)."""
    if len(layers) == 1:
        return "4:0:0"
    if len(layers) < 3:
        return ""
    horizontal = layers[0][1] / max(1, layers[1][1])
    vertical = layers[0][2] / max(1, layers[1][2])
    names = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0", (4, 1): "4:1:1", (4, 2): "4:1:0"}
    return names.get((horizontal, vertical), "")


_JPEG_TABLES, _STRIPS, _TILES = 347, 273, 324
_JPEG_IN_TIFF = 7
_HEAD = 1 << 16
"""Bytes of a strip that are looked at: its tables come before its data. Chosen by hand: a marker segment's longest length."""
_ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip


def tables_of_stream(data: bytes) -> dict[int, tuple[int, ...]]:
    """Table id -> 64 steps in natural (row by row) order, of all tables before the first scan; {} where there are none."""
    found: dict[int, tuple[int, ...]] = {}
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in (0xDA, 0xD9) or length < 2:
            break
        if marker == 0xDB:
            found |= _tables_of_segment(data[place + 4 : place + 2 + length])
        place += 2 + length
    return found


def _tables_of_segment(segment: bytes) -> dict[int, tuple[int, ...]]:
    """The tables of one DQT segment, which may hold several, of 8 or 16 bits a step."""
    found: dict[int, tuple[int, ...]] = {}
    place = 0
    while place < len(segment):
        width, number = 1 + (segment[place] >> 4 & 1), segment[place] & 15
        steps = segment[place + 1 : place + 1 + 64 * width]
        if len(steps) < 64 * width:
            break
        table = [0] * 64
        for index, natural in enumerate(_ZIGZAG):
            table[natural] = int.from_bytes(steps[index * width : (index + 1) * width], "big")
        found[number] = tuple(table)
        place += 1 + 64 * width
    return found


def tables_of_tiff(image: Image.Image) -> dict[int, tuple[int, ...]]:
    """The tables of an opened TIFF file whose pictures are JPEG streams: the shared ones, else those of its first strip or tile."""
    tags: Any = getattr(image, "tag_v2", {})
    try:
        if tags.get(259) != _JPEG_IN_TIFF:
            return {}
        shared = tables_of_stream(bytes(tags.get(_JPEG_TABLES, b"")))
        if shared:
            return shared
        offsets = tags.get(_STRIPS) or tags.get(_TILES)
        stream: Any = image.fp  # type: ignore[attr-defined]
        back = stream.tell()
        try:
            stream.seek(offsets[0])
            return tables_of_stream(stream.read(_HEAD))
        finally:
            stream.seek(back)
    except (TypeError, ValueError, IndexError, OSError, AttributeError):
        # Foreign data: no tables are no reason to lose the picture
        return {}

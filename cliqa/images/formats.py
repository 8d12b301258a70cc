"""A path or bytes -> an opened image of a format that is read, told by content, its pixels not touched; others by their right name."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from PIL import Image, UnidentifiedImageError

from cliqa.errors import ImageError, ImageSkipped
from cliqa.files.atomic import open_regular
from cliqa.images import jxl, png
from cliqa.images.colour import nclx_of
from cliqa.images.raw import MIN_PREVIEW, preview_of, raw_kind
from cliqa.images.rewriting import rewrite_of
from cliqa.limits import MAX_BYTES_READ_WHOLE
from cliqa.text import describe, reason

# The readers that may look at a file. Not among them on purpose: EPS (runs Ghostscript) and anything that follows paths.
# (MPO, the multi-picture files of cameras, comes through the JPEG reader.)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM", "JPEG2000")
CHECKED_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF")
"""Of these every legal kind is read, so what can't be decoded is damaged."""
_PLUGINS = ("Jpeg", "Png", "WebP", "Tiff", "Bmp", "Gif", "Avif", "Ppm", "Jpeg2K")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_READ_WHOLE = ("JPEG", "PNG", "WEBP", "AVIF", "HEIC", "JPEG XL")
_META = 1 << 18  # bytes in which AVIF and HEIC files tell their colours; chosen by hand: they stand first
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n", "PNG"), (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"), (b"BM", "BMP"), *((signature, "JPEG XL") for signature in jxl.SIGNATURES),
)  # fmt: skip


def _os_reason(error: OSError) -> str:
    known = {
        errno.ENOENT: "no such file",
        errno.ELOOP: "too many levels of symbolic links",
        errno.EACCES: "permission denied",
        errno.EISDIR: "is a folder",
        errno.ENAMETOOLONG: "the path is too long",
    }
    if error.errno in known:
        return known[error.errno]
    return f"can't be read: {reason(error)}"


def prepare_pillow(max_pixels: int) -> None:
    """Import our readers alone, and let Pillow's own limit on size be no lower than the caller's."""
    for name in _PLUGINS:
        importlib.import_module(f"PIL.{name}ImagePlugin")
    vars(importlib.import_module("PIL.AvifImagePlugin"))["DEFAULT_MAX_THREADS"] = 1  # there is a worker per core
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels


@dataclass
class Opened:
    """An opened file of a format that is read; its pixels are not touched yet.

    Attributes:
        image: as Pillow opened it.
        stream: what it is read from; None for an image that came without a file.
        damage: what is wrong with the data of the picture, "" for nothing that was noticed so far.
        notes: what is wrong besides, or particular.
        profile_left_out: its colour profile is too large or can't be unpacked.
        light: colour primaries and transfer function (ITU-T H.273) where the file tells them.
        raw: the kind of a raw file (`NEF`), of which `image` is the largest preview; "" for other files.
        turned: EXIF orientation that the raw file gives to its preview.
    """

    image: Image.Image
    stream: IO[bytes] | None = None
    damage: str = ""
    notes: list[str] = field(default_factory=list)
    profile_left_out: bool = False
    light: tuple[int, int] | None = None
    raw: str = ""
    turned: int = 1


@contextlib.contextmanager
def opened(source: str | os.PathLike[str] | bytes, max_pixels: int) -> Iterator[Opened]:
    """A file, or the bytes of one, while the block lasts: of one of `FORMATS`, or with an extra HEIC, JPEG XL or a raw file's preview.

    Raises:
        ImageSkipped: a size that Pillow refuses, or a file too large to be read whole.
        ImageError: no regular file, empty, of no format that is read, or with a header that can't be read.
    """
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open_regular(source) as stream:
            file = _identified(stream, max_pixels)
            try:
                yield file
            finally:
                file.image.__exit__()  # the file alone: `close` would take the pixels too
    except OSError as error:
        raise ImageError(_os_reason(error)) from error
    except ValueError as error:  # a path with a zero byte
        raise ImageError(f"can't be opened: {describe(error)}") from error


def _identified(stream: IO[bytes], max_pixels: int) -> Opened:
    """Opened by content; nothing is decoded. Raises as `opened`."""
    prepare_pillow(max_pixels)
    head = stream.read(512)
    if not head:
        raise ImageError("the file is empty")
    name = _format(head)
    raw = raw_kind(stream) if name in ("TIFF", "") else ""
    if raw:
        return _preview(stream, raw, max_pixels)
    formats: tuple[str, ...] = FORMATS
    if name == "HEIC":
        try:
            import pillow_heif
        except ImportError:
            raise ImageError("a HEIC image; reading it needs the extra: pip install 'cliqa[heif]'") from None
        pillow_heif.register_heif_opener()
        formats = ("HEIF",)
    elif name == "JPEG XL":
        jxl.register()
        formats = ("JXL",)
    if name in _READ_WHOLE:
        _check_length(stream)
    stream.seek(0)
    if name == "PNG":
        checked = png.checked(stream.read())
        opened = Opened(_open(checked.stream, head, formats, max_pixels), checked.stream, checked.damage)
        opened.notes = [checked.note] if checked.note else []
        opened.profile_left_out = checked.profile_left_out
        opened.light = checked.cicp[:2] if checked.cicp else None
        return opened
    if name in ("BMP", "TIFF"):
        stream = _rewritten(stream, head)
    opened = Opened(_open(stream, head, formats, max_pixels), stream)
    if name in ("AVIF", "HEIC"):
        stream.seek(0)
        opened.light = nclx_of(stream.read(_META))
    elif name == "WEBP" and stream.seek(0, io.SEEK_END) > int.from_bytes(head[4:8], "little") + 9:
        opened.notes.append("bytes after its end")
    return opened


def _rewritten(stream: IO[bytes], head: bytes) -> IO[bytes]:
    """The stream, or one that says the same in a way that Pillow reads."""
    rewrite = rewrite_of(head)
    if rewrite is not None:
        _check_length(stream)
        stream.seek(0)
        with contextlib.suppress(ValueError):
            return io.BytesIO(rewrite(stream.read()))
    stream.seek(0)
    return stream


def _check_length(stream: IO[bytes]) -> None:
    if stream.seek(0, io.SEEK_END) > MAX_BYTES_READ_WHOLE:
        raise ImageSkipped(f"the file is larger than {MAX_BYTES_READ_WHOLE >> 20} MiB")


def _preview(stream: IO[bytes], kind: str, max_pixels: int) -> Opened:
    """The largest embedded JPEG of a raw file."""
    _check_length(stream)
    stream.seek(0)
    data, turned = preview_of(stream.read(), kind)
    preview = io.BytesIO(data)
    image = _open(preview, data[:512], ("JPEG",), max_pixels)
    if max(image.size) < MIN_PREVIEW:
        raise ImageError(
            f"a raw file ({kind}) whose largest preview has {image.width}x{image.height} pixels: too few to tell anything"
        )
    note = f"preview: scored by its embedded JPEG of {image.width}x{image.height} pixels"
    return Opened(image, preview, notes=[note], raw=kind, turned=turned)


def _open(stream: IO[bytes], head: bytes, formats: tuple[str, ...], max_pixels: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(stream, formats=formats)
    except UnidentifiedImageError:
        raise ImageError(_unidentified(head)) from None
    except Image.DecompressionBombError as error:
        raise too_large(error, max_pixels) from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise ImageError(f"the header can't be read: {describe(error)}") from error


def _format(head: bytes) -> str:
    """The format that the first bytes of a file tell; "" for PPM and JPEG 2000, and for what is no image."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in (b"avif", b"avis") or (brand in _HEIF_BRANDS and (b"avif" in head[16:64] or b"avis" in head[16:64])):
        return "AVIF"
    if brand in _HEIF_BRANDS:
        return "HEIC"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), "")


def _unidentified(head: bytes) -> str:
    name = _format(head)
    if name == "TIFF":
        return "a TIFF file of a kind that is not read, or a damaged one: its header can't be read"
    if name:
        return f"a damaged {name} file: its header can't be read"
    kind = kind_of(head)
    return f"{kind}: not a format that is read" if kind else "not an image of a known format"


def too_large(error: Image.DecompressionBombError, max_pixels: int) -> ImageSkipped:
    """The issue for what Pillow's own limit refused."""
    pixels = re.search(r"\d+", str(error))
    return ImageSkipped(f"{pixels[0] if pixels else 'its'} pixels are more than the limit of {max_pixels}")


# (offset, bytes, name). The first that fits is the answer.
_KINDS = (
    (0, b"8BPS", "a Photoshop document (PSD)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document (EPS)"),
    (0, b"gimp xcf", "a GIMP document (XCF)"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"PK\x05\x06", "a ZIP archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (8, b"AVI ", "a video (AVI)"),
    (8, b"WAVE", "a sound file (WAV)"),
    (0, b"\x00\x00\x01\xba", "a video (MPEG)"),
    (0, b"\x00\x00\x01\xb3", "a video (MPEG)"),
    (0, b"FLV\x01", "a video (FLV)"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video (WMV)"),
    (0, b"OggS", "a sound or video file (Ogg)"),
    (0, b"ID3", "a sound file (MP3)"),
    (0, b"fLaC", "a sound file (FLAC)"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (0, b"#?RADIANCE", "a Radiance HDR image"),
    (0, b"#?RGBE", "a Radiance HDR image"),
    (0, b"II\xbc", "a JPEG XR image"),
    (0, b"BPG\xfb", "a BPG image"),
    (0, b"DDS ", "a DirectDraw texture (DDS)"),
    (0, b"SIMPLE  =", "a FITS image"),
    (0, b"\x00\x00\x01\x00", "an icon (ICO)"),
    (0, b"icns", "an icon (ICNS)"),
    (0, b"DjVu", "a DjVu document"),
    (0, b"AT&TFORM", "a DjVu document"),
    (128, b"DICM", "a DICOM image"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)"),
    (40, b" EMF", "a Windows metafile (EMF)"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document"),
    (0, b"SQLite format 3", "an SQLite data base"),
)
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # how QuickTime files before `ftyp` begin


def kind_of(head: bytes) -> str:
    """What a file is, with its article, from its first 512 bytes; "" where they don't tell."""
    for offset, signature, name in _KINDS:
        if head[offset : offset + len(signature)] == signature:
            return name
    if head[4:8] == b"ftyp":
        return "a video (MOV)" if head[8:12] == b"qt  " else "a video (MP4)"
    if head[4:8] in _ATOMS:
        return "a video (MOV)"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), not an image"
    return ""

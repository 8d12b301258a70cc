"""A path or bytes -> an opened image of a format that is read: told by content, its pixels not touched yet."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import re
import warnings
from collections.abc import Iterator
from typing import IO

from PIL import Image, UnidentifiedImageError

from cliqa.errors import ImageError, ImageSkipped
from cliqa.files.atomic import open_regular
from cliqa.limits import MAX_BYTES_READ_WHOLE
from cliqa.text import describe

# The readers that may look at a file. Not among them on purpose: EPS (runs Ghostscript) and anything that follows paths.
# (MPO, the multi-picture files of cameras, comes through the JPEG reader.)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM", "JPEG2000")
_PLUGINS = ("Jpeg", "Png", "WebP", "Tiff", "Bmp", "Gif", "Avif", "Ppm", "Jpeg2K")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n", "PNG"), (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"),
)  # fmt: skip


@contextlib.contextmanager
def opened(source: str | os.PathLike[str] | bytes) -> Iterator[IO[bytes]]:
    """A stream over a file or over bytes. Raises ImageError where there is no regular file to read."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with open_regular(source) as stream:
            yield stream
    except OSError as error:
        raise ImageError(_os_reason(error)) from error
    except ValueError as error:  # a path with a zero byte
        raise ImageError(f"can't be opened: {describe(error)}") from error


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
    return f"can't be read: {error.strerror or error}"


def prepare_pillow(max_pixels: int) -> None:
    """Import our readers alone, and let Pillow's own limit on size be no lower than the caller's."""
    for name in _PLUGINS:
        importlib.import_module(f"PIL.{name}ImagePlugin")
    vars(importlib.import_module("PIL.AvifImagePlugin"))["DEFAULT_MAX_THREADS"] = 1  # there is a worker per core
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels


def identify(stream: IO[bytes], max_pixels: int) -> Image.Image:
    """Open by content, one of `FORMATS` or HEIC; nothing is decoded.

    Raises:
        ImageSkipped: a size that Pillow refuses, or a file too large to be read whole.
        ImageError: empty, of no known format, or with a header that can't be read.
    """
    prepare_pillow(max_pixels)
    head = stream.read(64)
    if not head:
        raise ImageError("the file is empty")
    formats: tuple[str, ...] = FORMATS
    boxed = head[4:8] == b"ftyp"
    if boxed and head[8:12] in _HEIF_BRANDS and not (b"avif" in head[16:] or b"avis" in head[16:]):
        try:
            import pillow_heif
        except ImportError:
            raise ImageError("a HEIC image; reading it needs the extra: pip install 'cliqa[heif]'") from None
        pillow_heif.register_heif_opener()
        formats = ("HEIF",)
    if (boxed or head[:4] == b"RIFF") and stream.seek(0, io.SEEK_END) > MAX_BYTES_READ_WHOLE:
        raise ImageSkipped(f"the file is larger than {MAX_BYTES_READ_WHOLE >> 20} MiB")
    stream.seek(0)
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


def _unidentified(head: bytes) -> str:
    name = next((name for signature, name in _SIGNATURES if head.startswith(signature)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        name = "WEBP"
    elif head[4:8] == b"ftyp":
        name = "AVIF" if head[8:12] in (b"avif", b"avis") else "HEIC"
    return f"a damaged {name} file: its header can't be read" if name else "not an image of a known format"


def too_large(error: Image.DecompressionBombError, max_pixels: int) -> ImageSkipped:
    """The issue for what Pillow's own limit refused."""
    pixels = re.search(r"\d+", str(error))
    return ImageSkipped(f"{pixels[0] if pixels else 'its'} pixels are more than the limit of {max_pixels}")

"""Any image file -> decoded RGB plus the facts of its header, by one documented rule each.

Formats are told by content, never by name. The rules, for every metric alike:

* **Two views.** Metrics of the pixel grid (JPEG, scale, noise) see the pixels *as stored*. Metrics of the picture
  (aesthetics, exposure, perceptual quality) see it *upright*: EXIF orientation applied, ICC profile converted to sRGB.
  (HEIC alone has no stored view: its rotation is part of its decoding.)
* **Alpha** is composited over white; opaque pixels keep their exact values.
* **16 bits** per channel are reduced to 8 by keeping the high byte, as `libpng` strips them (12 bits: the high 8).
* **Palettes** are expanded. **CMYK/YCCK** become RGB by complement, through the profile for the upright view.
* **Animations** and multi-page files: the first frame (HEIC: the primary picture); `frames` says that there are more.
* A profile that can't be used is ignored, and a note in the record says so.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cliqa.errors import ImageError, ImageSkipped
from cliqa.headers import Header, header_of, orientation_of

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

DEFAULT_MAX_IMAGE_PIXELS = 178_956_970
MIN_SIDE = 32

# The readers that may look at a file. Not among them on purpose: EPS (runs Ghostscript) and anything that follows paths.
# (MPO, the multi-picture files of cameras, comes through the JPEG reader.)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM", "JPEG2000")
_PLUGINS = ("Jpeg", "Png", "WebP", "Tiff", "Bmp", "Gif", "Avif", "Ppm", "Jpeg2K")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n", "PNG"), (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"),
)  # fmt: skip
# The readers of WebP, AVIF and HEIC hold the whole file in memory; none that large was made to be looked at.
_MAX_BYTES_READ_WHOLE = 1 << 29

_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")


class LoadedImage:
    """One decoded image. Views are made on demand and kept.

    Attributes:
        header: the facts of the file.
        stored: PIL image, mode RGB, pixels as stored.
        icc_ignored: whether the upright view was asked for and the embedded profile could not be used for it.
    """

    def __init__(
        self, stored: Image.Image, header: Header, profile: bytes | None = None, inks: Image.Image | None = None
    ) -> None:
        self.header = header
        self.stored = stored
        self.icc_ignored = False
        self._profile = profile
        self._inks = inks  # the CMYK pixels, kept where a profile tells how to read them

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 array (height, width, 3), as stored."""
        return np.asarray(self.stored)

    @cached_property
    def upright(self) -> Image.Image:
        """PIL image, mode RGB, as a person sees it: sRGB, EXIF orientation applied."""
        return self._as_seen(max(self.stored.size))

    def thumbnail(self, long_side: int) -> NDArray[np.uint8]:
        """The upright picture, antialiased down to `long_side` pixels; smaller pictures are left as they are.

        It is shrunk before its colours are converted: the same picture to the eye, at a fraction of the cost.

        Returns:
            uint8 array (height, width, 3), aspect ratio kept, each side at least 1.
        """
        return np.asarray(self._as_seen(long_side))

    def sample(self, max_pixels: int) -> Image.Image:
        """The upright picture in sRGB, thinned out (not averaged) to about `max_pixels`: PIL image, mode RGB.

        Pixels keep their exact values, so histograms keep clipping and gaps, at a cost that doesn't grow with the image.
        """
        from PIL import ImageCms

        image, transform = self._coloured
        factor = (max_pixels / (image.width * image.height)) ** 0.5
        if factor < 1:
            size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
            image = image.resize(size, Image.Resampling.NEAREST)
        if transform is not None:
            image = ImageCms.applyTransform(image, transform) or image.convert("RGB")
        return _turn(image, self.header.orientation)

    def _as_seen(self, long_side: int) -> Image.Image:
        from PIL import ImageCms

        image, transform = self._coloured
        longest = max(image.size)
        if longest > long_side:
            width, height = (max(1, round(side * long_side / longest)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
        if transform is not None:
            image = ImageCms.applyTransform(image, transform) or self.stored
        return _turn(image, self.header.orientation)

    @cached_property
    def _coloured(self) -> tuple[Image.Image, ImageCmsTransform | None]:
        """The picture in the colours of its profile and their way to sRGB; the stored one and None where there is none."""
        if not self._profile:
            return self.stored, None
        from PIL import ImageCms

        try:
            profile = ImageCms.getOpenProfile(io.BytesIO(self._profile))
            space = profile.profile.xcolor_space.strip()
            if space == "RGB" and self.header.mode not in ("CMYK", "LAB"):
                if "srgb" in ImageCms.getProfileDescription(profile).lower():
                    return self.stored, None
                image = self.stored
            elif space == "GRAY" and self.header.mode in _GREY_MODES:
                image = self.stored.getchannel(0)
            elif space == "CMYK" and self._inks is not None:
                image = self._inks
            else:
                raise ValueError("a profile of other colours than the picture's")
            srgb = ImageCms.createProfile("sRGB")
            return image, ImageCms.buildTransform(profile, srgb, image.mode, "RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            self.icc_ignored = True
            return self.stored, None

    @classmethod
    def from_array(cls, pixels: NDArray[np.uint8]) -> LoadedImage:
        """Wrap decoded pixels, uint8 (height, width) or (height, width, 3)."""
        array = np.asarray(pixels)
        if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
            raise ImageError(f"an array must be uint8 (height, width[, 3]), not {array.dtype} {array.shape}")
        return cls.from_pil(Image.fromarray(array))

    @classmethod
    def from_pil(cls, image: Image.Image, max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS) -> LoadedImage:
        """Wrap a PIL image, decoded or not. Raises ImageSkipped or ImageError as `load_image` does."""
        return _decode(image, max_pixels)


def load_image(source: str | os.PathLike[str] | bytes, max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS) -> LoadedImage:
    """Open, check and decode one image.

    Args:
        source: a path, or the bytes of a file.
        max_pixels: images with more pixels are skipped before they are decoded.

    Raises:
        ImageSkipped: more than `max_pixels`, or a side under 32 pixels.
        ImageError: missing, not a regular file, unreadable, truncated or no image.
    """
    with _opened(source) as stream, _identify(stream, max_pixels) as image:
        return _decode(image, max_pixels)


def read_header(source: str | os.PathLike[str] | bytes) -> Header:
    """The header alone, without decoding pixels. Raises ImageError, or ImageSkipped for a size that no limit would let in."""
    with _opened(source) as stream, _identify(stream, DEFAULT_MAX_IMAGE_PIXELS) as image:
        return header_of(image)


def load_thumbnail(
    source: str | os.PathLike[str] | bytes, long_side: int, max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
) -> Image.Image:
    """A small upright picture to look at, not to score: a JPEG is decoded at a fraction of its size.

    Returns:
        PIL image, mode RGB, aspect ratio kept, sides at most `long_side`.

    Raises: as `load_image`.
    """
    with _opened(source) as stream, _identify(stream, max_pixels) as image:
        if image.format in ("JPEG", "MPO") and image.width * image.height <= max_pixels:
            image.draft(None, (2 * long_side, 2 * long_side))
        return Image.fromarray(_decode(image, max_pixels).thumbnail(long_side))


@contextlib.contextmanager
def _opened(source: str | os.PathLike[str] | bytes) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with open_regular(source) as stream:
            yield stream
    except OSError as error:
        raise ImageError(_os_reason(error)) from error
    except ValueError as error:  # a path with a zero byte
        raise ImageError(f"can't be opened: {_describe(error)}") from error


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open for reading; a pipe, socket, device or folder is refused rather than waited for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ImageError("is a folder" if stat.S_ISDIR(mode) else "not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


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


def _prepare_pillow(max_pixels: int) -> None:
    """Import our readers alone, and let Pillow's own limit on size be no lower than the caller's."""
    for name in _PLUGINS:
        importlib.import_module(f"PIL.{name}ImagePlugin")
    vars(importlib.import_module("PIL.AvifImagePlugin"))["DEFAULT_MAX_THREADS"] = 1  # there is a worker per core
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels


def _identify(stream: IO[bytes], max_pixels: int) -> Image.Image:
    _prepare_pillow(max_pixels)
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
    if (boxed or head[:4] == b"RIFF") and stream.seek(0, io.SEEK_END) > _MAX_BYTES_READ_WHOLE:
        raise ImageSkipped(f"the file is larger than {_MAX_BYTES_READ_WHOLE >> 20} MiB")
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(stream, formats=formats)
    except UnidentifiedImageError:
        raise ImageError(_unidentified(head)) from None
    except Image.DecompressionBombError as error:
        raise _too_large(error, max_pixels) from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise ImageError(f"the header can't be read: {_describe(error)}") from error


def _unidentified(head: bytes) -> str:
    name = next((name for signature, name in _SIGNATURES if head.startswith(signature)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        name = "WEBP"
    elif head[4:8] == b"ftyp":
        name = "AVIF" if head[8:12] in (b"avif", b"avis") else "HEIC"
    return f"a damaged {name} file: its header can't be read" if name else "not an image of a known format"


def _too_large(error: Image.DecompressionBombError, max_pixels: int) -> ImageSkipped:
    pixels = re.search(r"\d+", str(error))
    return ImageSkipped(f"{pixels[0] if pixels else 'its'} pixels are more than the limit of {max_pixels}")


def _decode(image: Image.Image, max_pixels: int) -> LoadedImage:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageSkipped(f"{width}x{height} is more than the limit of {max_pixels} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageSkipped(f"{width}x{height} is smaller than {MIN_SIDE} pixels a side")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _prepare_pillow(max_pixels)
            header = header_of(image)
            image.load()
            if header.format == "PNG":  # its EXIF may follow the pixels
                header = replace(header, orientation=orientation_of(image))
            elif header.format == "TIFF":  # Pillow has turned it upright; undo that
                image = _turn(image, _BACK.get(header.orientation, header.orientation))
            stored = _to_rgb(image, header.bits)
    except (ImageError, ImageSkipped):
        raise
    except MemoryError as error:
        raise ImageError("not enough memory to decode it") from error
    except Image.DecompressionBombError as error:
        raise _too_large(error, max_pixels) from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise ImageError(f"can't be decoded: {_describe(error)}") from error
    header = replace(header, width=stored.width, height=stored.height)
    profile = image.info.get("icc_profile") if header.has_icc else None
    return LoadedImage(stored, header, profile, image if profile and image.mode == "CMYK" else None)


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:200] if text else type(error).__name__


def _to_rgb(image: Image.Image, bits: int) -> Image.Image:
    """The documented rules for mode, alpha and depth; the result is always a plain RGB image."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        values = np.asarray(image).astype(np.int64)
        if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise ImageError("32-bit integer pixels are not supported")
        return Image.fromarray((values >> (bits - 8)).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageError("floating-point pixels are not supported")
    if image.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        if rgba.getchannel("A").getextrema() == (255, 255):
            return rgba.convert("RGB")
        canvas = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        canvas.alpha_composite(rgba)
        return canvas.convert("RGB")
    return image.convert("RGB")


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK = {6: 8, 8: 6}  # what undoes a turn, where that isn't the same turn


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image.transpose(turn) if turn is not None else image

"""Any image file -> decoded RGB plus the facts of its header, by one documented rule each.

Formats are told by content, never by name. The rules, for every metric alike:

* **Two views.** Metrics of the pixel grid (JPEG, scale, noise) see the pixels *as stored*. Metrics of the picture
  (aesthetics, exposure, perceptual quality) see it *upright*: EXIF orientation applied, ICC profile converted to sRGB.
* **Alpha** is composited over white; opaque pixels keep their exact values.
* **16 bits** per channel are reduced to 8 by keeping the high byte, as `libpng` strips them.
* **Palettes** are expanded. **CMYK/YCCK** become RGB by complement, through the profile for the upright view.
* **Animations** and multi-page files: the first frame; `frames` in the facts says that there are more.
* A profile that can't be used is ignored, and `icc_ignored` in the facts says so.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import stat
import threading
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cliqa.errors import ImageError, ImageSkipped

DEFAULT_MAX_IMAGE_PIXELS = 178_956_970
MIN_SIDE = 32

# The readers that may look at a file. Not among them on purpose: EPS (runs Ghostscript) and anything that follows paths.
# (MPO, the multi-picture files of cameras, comes through the JPEG reader.)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM", "JPEG2000")
_PLUGINS = ("Jpeg", "Png", "WebP", "Tiff", "Bmp", "Gif", "Avif", "Ppm", "Jpeg2K")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

_ORIENTATION = 0x0112
_init_lock = threading.Lock()
_initialised = False


@dataclass(frozen=True)
class Header:
    """What the file says of itself, before any pixel is decoded.

    `quantization` maps table id -> 64 steps in natural (row by row) order, empty unless the file is a JPEG.
    `sampling` is the chroma subsampling in the usual notation ("4:4:4", "4:2:2", "4:2:0", ...), "" where unknown.
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

    @property
    def is_jpeg(self) -> bool:
        """Whether the file is itself a JPEG stream (MPO files are)."""
        return self.format == "JPEG"

    def facts(self) -> dict[str, str | int | bool]:
        """The part of the header that goes into every record."""
        return {
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "mode": self.mode,
            "bits": self.bits,
            "orientation": self.orientation,
            "frames": self.frames,
        }


class LoadedImage:
    """One decoded image. Views are made on demand and kept.

    Attributes:
        header: the facts of the file.
        stored: PIL image, mode RGB, pixels as stored.
    """

    def __init__(self, stored: Image.Image, header: Header, source: Image.Image | None = None) -> None:
        self.header = header
        self.stored = stored
        self._source = source  # before the RGB conversion; kept only where a profile may need it
        self.icc_ignored = False

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 array (height, width, 3), as stored."""
        return np.asarray(self.stored)

    @cached_property
    def _srgb(self) -> Image.Image:
        if self._source is None:
            return self.stored
        converted = _to_srgb(self._source)
        if converted is None:
            self.icc_ignored = True
            return self.stored
        return converted

    @cached_property
    def upright(self) -> Image.Image:
        """PIL image, mode RGB, as a person sees it: sRGB, EXIF orientation applied."""
        return _turn(self._srgb, self.header.orientation)

    def thumbnail(self, long_side: int) -> NDArray[np.uint8]:
        """The upright picture, antialiased down to `long_side` pixels; smaller pictures are left as they are.

        Returns:
            uint8 array (height, width, 3), aspect ratio kept, each side at least 1.
        """
        image = self._srgb
        longest = max(image.size)
        if longest > long_side:
            size = tuple(max(1, round(side * long_side / longest)) for side in image.size)
            image = image.resize((size[0], size[1]), Image.Resampling.BICUBIC, reducing_gap=2.0)
        return np.asarray(_turn(image, self.header.orientation))

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
    if isinstance(source, bytes):
        return _load_stream(io.BytesIO(source), max_pixels)
    try:
        with _open_regular(source) as stream:
            return _load_stream(stream, max_pixels)
    except OSError as error:
        raise ImageError(_os_reason(error)) from error


def read_header(source: str | os.PathLike[str] | bytes) -> Header:
    """The header alone, without decoding pixels. Raises ImageError."""
    if isinstance(source, bytes):
        return _header(_identify(io.BytesIO(source)))
    try:
        with _open_regular(source) as stream:
            return _header(_identify(stream))
    except OSError as error:
        raise ImageError(_os_reason(error)) from error


def _open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
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
    }
    if error.errno in known:
        return known[error.errno]
    return f"can't be read: {error.strerror or error}"


def _initialise_pillow() -> None:
    """Make Pillow's global settings ours, once: the pixel limit is checked here, by the caller's number."""
    global _initialised
    if _initialised:
        return
    with _init_lock:
        for name in _PLUGINS:
            importlib.import_module(f"PIL.{name}ImagePlugin")
        Image.MAX_IMAGE_PIXELS = None
        _initialised = True


def _identify(stream: IO[bytes]) -> Image.Image:
    _initialise_pillow()
    head = stream.read(32)
    stream.seek(0)
    if not head:
        raise ImageError("the file is empty")
    formats: tuple[str, ...] = FORMATS
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        try:
            import pillow_heif
        except ImportError:
            raise ImageError("a HEIC image; reading it needs the extra: pip install 'cliqa[heif]'") from None
        pillow_heif.register_heif_opener()
        formats = ("HEIF",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(stream, formats=formats)
    except UnidentifiedImageError:
        raise ImageError("not an image of a known format") from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise ImageError(f"the header can't be read: {_describe(error)}") from error


def _load_stream(stream: IO[bytes], max_pixels: int) -> LoadedImage:
    with _identify(stream) as image:
        return _decode(image, max_pixels)


def _decode(image: Image.Image, max_pixels: int) -> LoadedImage:
    _initialise_pillow()
    width, height = image.size
    if width * height > max_pixels:
        raise ImageSkipped(f"{width}x{height} is more than the limit of {max_pixels} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageSkipped(f"{width}x{height} is smaller than {MIN_SIDE} pixels a side")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = _header(image)
            image.load()
            stored = _to_rgb(image)
    except (ImageError, ImageSkipped):
        raise
    except MemoryError as error:
        raise ImageError("not enough memory to decode it") from error
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise ImageError(f"can't be decoded: {_describe(error)}") from error
    source = None
    if header.has_icc:
        source = image if image is not stored else stored
        source.info.setdefault("icc_profile", image.info.get("icc_profile"))
    return LoadedImage(stored, header, source)


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:200] if text else type(error).__name__


def _header(image: Image.Image) -> Header:
    name = image.format or ""
    if name == "MPO":
        name = "JPEG"
    quantization: dict[int, tuple[int, ...]] = {}
    sampling = ""
    if name == "JPEG":
        tables: dict[int, Any] = getattr(image, "quantization", None) or {}
        quantization = {int(key): tuple(int(step) for step in steps) for key, steps in tables.items()}
        sampling = _sampling(getattr(image, "layer", []))
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is foreign data: broken blocks are common and no reason to lose the picture
        orientation = 1
    try:
        animated = bool(getattr(image, "is_animated", False))
        if animated and image.tell() != 0:
            image.seek(0)
    except Exception:
        animated = False
    return Header(
        format=name,
        width=image.width,
        height=image.height,
        mode=image.mode,
        bits=_bits(image),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        frames=2 if animated else 1,
        progressive=bool(image.info.get("progressive")),
        quantization=quantization,
        sampling=sampling,
        has_alpha=image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info,
        has_icc=bool(image.info.get("icc_profile")),
    )


def _bits(image: Image.Image) -> int:
    if image.mode == "1":
        return 1
    if image.mode.startswith("I;16") or image.mode == "I":
        return 16
    if image.mode == "F":
        return 32
    tile = getattr(image, "tile", None)
    rawmode = str(tile[0][-1]) if tile else ""
    return 16 if "16" in rawmode else 8


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


def _to_rgb(image: Image.Image) -> Image.Image:
    """The documented rules for mode, alpha and depth; the result is always a plain RGB image."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        values = np.asarray(image).astype(np.int64)
        if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise ImageError("32-bit integer pixels are not supported")
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageError("floating-point pixels are not supported")
    if image.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        if rgba.getextrema()[3] == (255, 255):
            return rgba.convert("RGB")
        canvas = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        canvas.alpha_composite(rgba)
        return canvas.convert("RGB")
    return image.convert("RGB")


def _to_srgb(image: Image.Image) -> Image.Image | None:
    """RGB in sRGB by the embedded profile, or None where the profile can't be used."""
    from PIL import ImageCms

    profile_bytes = image.info.get("icc_profile")
    if not profile_bytes or image.mode not in ("RGB", "L", "CMYK"):
        return None
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(profile_bytes))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return _to_rgb(image)
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return converted


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image.transpose(turn) if turn is not None else image

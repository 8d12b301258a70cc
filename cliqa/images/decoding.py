"""An opened file -> plain RGB: by the decoder of its format, and by one rule for each mode, depth, alpha and orientation."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from cliqa.errors import DAMAGED, ImageError, ImageIssue, ImageSkipped
from cliqa.images import jpeg
from cliqa.images.formats import CHECKED_FORMATS, Opened, too_large
from cliqa.images.frame import Box
from cliqa.images.header import Header, header_of, orientation_of
from cliqa.limits import MIN_SIDE
from cliqa.text import describe

Planes = tuple[Image.Image, Image.Image]
_SWAPPED = {"B": "L", "L": "B", "N": "B"}
"""The other order of the bytes of a sample; N is the machine's own, little-endian mostly."""
_STRIP = 256  # rows; chosen by hand: bounds what is held twice, at no cost in time


@dataclass
class Origin:
    """What of a file is kept beside its pixels.

    Attributes:
        profile: the ICC profile.
        inks: the CMYK pixels.
        light: primaries and transfer function, see `Opened`.
        deep: gives the high and the low bytes of samples of 16 bits, or None; kept where a profile may need them.
        opaque: the box outside of which all is transparent; None where nothing is.
        profile_left_out: see `Opened`.
        preview: whether the pixels are those of a raw file's preview.
        rows: the stored pixels as an array, read-only, where the decoder gave one.
    """

    profile: bytes | None = None
    inks: Image.Image | None = None
    light: tuple[int, int] | None = None
    deep: Callable[[], tuple[Image.Image, Image.Image] | None] | None = None
    opaque: Box | None = None
    profile_left_out: bool = False
    preview: bool = False
    rows: NDArray[np.uint8] | None = None


def decode(
    file: Opened, max_pixels: int, declared: Callable[[int], None] = lambda pixels: None, damaged: bool = False
) -> tuple[Image.Image, Header, Origin, list[str]]:
    """The pixels as stored, mode RGB; the header; what is kept beside; notes. Arguments and exceptions as of `load_image`."""
    image = file.image
    width, height = image.size
    if width * height > max_pixels:
        raise ImageSkipped(f"{width}x{height} is more than the limit of {max_pixels} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageSkipped(f"{width}x{height} is smaller than {MIN_SIDE} pixels a side")
    declared(width * height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = header_of(image, file.stream)
            image, note, rows = _pixels_of(file, damaged)
            if header.format in ("PNG", "JXL"):  # EXIF that follows the pixels; a depth that decoding tells
                bits = image.info.get("bits", header.bits)
                header = replace(header, orientation=orientation_of(image), mode=image.mode, bits=bits)
            elif header.format == "TIFF":  # Pillow has turned it upright; undo that
                image = _turned_back(image, header.orientation)
            if file.raw:
                turned = header.orientation if header.orientation > 1 else file.turned
                header = replace(header, format=file.raw, orientation=turned, quantization={}, sampling="")
            stored = _to_rgb(image, 8 if header.format == "JXL" else header.bits)
    except ImageIssue:
        raise
    except MemoryError as error:
        raise ImageError("not enough memory to decode it") from error
    except Image.DecompressionBombError as error:
        raise too_large(error, max_pixels) from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        words = DAMAGED if image.format in CHECKED_FORMATS else "can't be decoded"
        raise ImageError(f"{words}: {describe(error)}") from error
    header = replace(header, width=stored.width, height=stored.height)
    profile = image.info.get("icc_profile") if header.has_icc else None
    origin = Origin(
        profile,
        inks=image if image.mode == "CMYK" else None,
        light=file.light,
        deep=_deep_samples(file, image) if profile and header.bits == 16 else None,
        opaque=_opaque_box(image),
        profile_left_out=file.profile_left_out,
        preview=bool(file.raw),
        rows=rows if stored is image and stored.mode == "RGB" else None,
    )
    return stored, header, origin, [*file.notes, *([note] if note else [])]


def _pixels_of(file: Opened, damaged: bool) -> tuple[Image.Image, str, NDArray[np.uint8] | None]:
    """The decoded picture, what is wrong with it, "" for nothing, and its decoder's rows where they are kept.

    Raises:
        ImageError: damaged, unless `damaged` lets it pass and something can be decoded.
        Anything else that a decoder raises.
    """
    image = file.image
    if file.stream is not None and image.format in ("JPEG", "MPO") and image.mode in jpeg.SPACES:
        file.stream.seek(0)
        with contextlib.suppress(jpeg.UnusualSampling):
            return jpeg.decode(image, file.stream.read(), damaged)
    damage = file.damage
    if image.format == "TIFF" and file.stream is not None and image.info.get("compression") == "jpeg":
        file.stream.seek(0)
        damage = jpeg.fault_inside_tiff(image, file.stream.read())
    fault = f"{DAMAGED}: {damage}" if damage else ""
    if fault and not damaged:
        raise ImageError(fault)
    if not damaged:
        image.load()
        return image, "", None
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        fault = f"{DAMAGED}: {describe(error)}"
        with _as_far_as_it_goes():
            image.load()
    return image, fault, None


@contextlib.contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _deep_samples(file: Opened, decoded: Image.Image) -> Callable[[], Planes | None] | None:
    """What gives the high and low bytes of a picture with samples of 16 bits, modes RGB or L; None where that can't be had.

    Pillow keeps the high bytes of colours alone. Told that the bytes lie the other way round, it keeps the low ones.
    """
    if decoded.mode.startswith("I"):
        values = np.asarray(decoded)
        return lambda: (
            Image.fromarray((values >> 8).astype(np.uint8)),
            Image.fromarray((values & 255).astype(np.uint8)),
        )
    opaque = decoded.mode == "RGB" or (decoded.mode == "RGBA" and decoded.getchannel("A").getextrema() == (255, 255))
    if file.stream is None or not opaque or file.image.format not in ("PNG", "TIFF"):
        return None
    file.stream.seek(0)
    data = file.stream.read()
    return lambda: _with_low_bytes(decoded, data)


def _with_low_bytes(high: Image.Image, data: bytes) -> Planes | None:
    with Image.open(io.BytesIO(data), formats=("PNG", "TIFF")) as low:
        tiles = []
        for tile in low.tile:
            words = list(tile.args) if isinstance(tile.args, tuple) else [tile.args]
            order = str(words[0])[-1:]
            if not str(words[0])[:-1].endswith(";16") or order not in _SWAPPED:
                return None
            words[0] = str(words[0])[:-1] + _SWAPPED[order]
            tiles.append(tile._replace(args=tuple(words) if isinstance(tile.args, tuple) else words[0]))
        low.tile = tiles
        orientation = orientation_of(low)
        low.load()
        turned = _turned_back(low, orientation) if low.format == "TIFF" else low
        return high.convert("RGB"), turned.convert("RGB")


def _to_rgb(image: Image.Image, bits: int) -> Image.Image:
    """The documented rules for mode, alpha and depth; the result is always a plain RGB image.

    Args:
        image: decoded, of any mode.
        bits: of the file, per channel: 16, or 12 where a decoder hands those out in 16.

    Raises:
        ImageError: pixels of a kind that has no rule (floating point, 32 bit integers).
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        values = np.asarray(image)
        if values.dtype.itemsize > 2 and (values.min(initial=0) < 0 or values.max(initial=0) > 65535):
            raise ImageError("32-bit integer pixels are not supported")
        return Image.fromarray((values >> (bits - 8)).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageError("floating-point pixels are not supported")
    if image.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        return _over_white(image)
    return image.convert("RGB")


def _opaque_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The box outside of which all is transparent; None where nothing is, or the image has no alpha channel."""
    if image.mode not in ("LA", "RGBA"):
        return None
    box = image.getchannel("A").getbbox()
    return None if box == (0, 0, *image.size) else box


def _over_white(image: Image.Image) -> Image.Image:
    """Composited over white, strip by strip: in memory, the picture is there once with alpha and once without."""
    width, height = image.size
    result = Image.new("RGB", image.size)
    for top in range(0, height, _STRIP):
        box = (0, top, width, min(height, top + _STRIP))
        strip = image.crop(box)
        strip.info = image.info  # the palette's transparency lies there
        strip = strip.convert("RGBA")
        if strip.getchannel("A").getextrema() != (255, 255):
            strip = Image.alpha_composite(Image.new("RGBA", strip.size, (255, 255, 255, 255)), strip)
        result.paste(strip.convert("RGB"), box)
    return result


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


def turn(image: Image.Image, orientation: int) -> Image.Image:
    """The upright picture of a stored one, by its EXIF orientation (1-8; 1 and anything else: as it is)."""
    turn = _TURNS.get(orientation)
    return image.transpose(turn) if turn is not None else image


def _turned_back(image: Image.Image, orientation: int) -> Image.Image:
    """The stored picture of an upright one: the inverse of `turn`."""
    return turn(image, _BACK.get(orientation, orientation))

"""The rules by which pixels of any mode become plain RGB, and by which EXIF orientation turns them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.errors import ImageError

_STRIP = 256  # rows


def to_rgb(image: Image.Image, bits: int) -> Image.Image:
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


def opaque_box(image: Image.Image) -> tuple[int, int, int, int] | None:
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


def turned_back(image: Image.Image, orientation: int) -> Image.Image:
    """The stored picture of an upright one: the inverse of `turn`."""
    return turn(image, _BACK.get(orientation, orientation))

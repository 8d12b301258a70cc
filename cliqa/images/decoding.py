"""An opened file -> its pixels, by the decoder of its format, with what is wrong with them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageFile

from cliqa.errors import ImageError
from cliqa.images import jpeg
from cliqa.images.formats import Opened
from cliqa.images.header import orientation_of
from cliqa.images.rgb import turned_back

Planes = tuple[Image.Image, Image.Image]
_SWAPPED = {
    "B": "L",
    "L": "B",
    "N": "B",
}  # the other order of the bytes of a sample; N is the machine's own, little-endian mostly


def pixels_of(file: Opened, damaged: bool) -> tuple[Image.Image, str]:
    """The decoded picture, and what is wrong with it, "" for nothing.

    Raises:
        ImageError: damaged, unless `damaged` lets it pass and something can be decoded.
        Anything else that a decoder raises.
    """
    image = file.image
    if file.stream is not None and jpeg.is_decodable(image):
        file.stream.seek(0)
        with contextlib.suppress(jpeg.UnusualSampling):
            return jpeg.decode(image, file.stream.read(), damaged)
    damage = file.damage
    if image.format == "TIFF" and file.stream is not None and image.info.get("compression") == "jpeg":
        file.stream.seek(0)
        damage = jpeg.fault_inside_tiff(image, file.stream.read())
    fault = f"damaged image data: {damage}" if damage else ""
    if fault and not damaged:
        raise ImageError(fault)
    if not damaged:
        image.load()
        return image, ""
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        fault = f"damaged image data: {' '.join(str(error).split())[:200]}"
        with _as_far_as_it_goes():
            image.load()
    return image, fault


@contextlib.contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def deep_samples(file: Opened, decoded: Image.Image) -> Callable[[], Planes | None] | None:
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
        turned = turned_back(low, orientation) if low.format == "TIFF" else low
        return high.convert("RGB"), turned.convert("RGB")

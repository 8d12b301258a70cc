"""The pixels of a Pillow picture where they lie, so that parts of it are read without a copy of each."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled


class Packed(Image.Image):
    """A picture of mode RGB made of a decoder's rows, which become Pillow's own pixels when something of Pillow's asks for them.

    Most metrics read the rows: a quarter less memory to go through, and no copy of every picture.

    Attributes:
        rows: uint8 (height, width, 3), C-contiguous, not to be changed.
    """

    def __init__(self, rows: NDArray[np.uint8], blank: Callable[[str, tuple[int, int]], Image.Image]) -> None:
        """`blank` makes a picture of that mode and size to be filled."""
        super().__init__()
        self.rows = rows
        self._blank = blank
        self._mode, self._size = "RGB", (rows.shape[1], rows.shape[0])

    @property
    def is_filled(self) -> bool:
        """Whether there are Pillow's own pixels."""
        return self._im is not None

    @property
    def im(self) -> Any:
        """Pillow's own pixels, as it calls them."""
        if self._im is None:
            filled = self._blank(self.mode, self.size)
            filled.frombytes(self.rows, "raw", self.mode)
            self._im = filled.im
        return super().im

    @im.setter
    def im(self, im: Any) -> None:
        self._im = im

    def load(self) -> Any:
        """See `Image.load`."""
        self.im  # noqa: B018
        return super().load()


_BYTES = 4  # a pixel has in Pillow's memory: red, green, blue and one that means nothing


class _ArrowArray(ctypes.Structure):
    """The first fields of a structure of the Arrow C data interface, by which Pillow (11.2 and later) tells where pixels lie."""


_ArrowArray._fields_ = [
    *((name, ctypes.c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_ArrowArray))),
]
_address_in = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def raster(image: Image.Image) -> NDArray[np.uint8] | None:
    """Red, green, blue of a picture of mode RGB, to be read only: uint8 (height, width, 3), no copy; where Pillow keeps them, with a
    fourth byte: (height, width, 4).

    None where Pillow keeps the picture in several pieces, as it does beyond four megapixels, or does not tell where.
    """
    if isinstance(image, Packed):
        return image.rows
    if image.mode != "RGB" or not hasattr(image, "__arrow_c_array__"):
        return None
    try:
        _, capsule = image.__arrow_c_array__()
    except (ValueError, MemoryError):
        return None
    array = _ArrowArray.from_address(_address_in(capsule, b"arrow_array"))
    if array.n_children != 1 or array.length != image.width * image.height:
        return None
    memory: Any = (ctypes.c_uint8 * (array.length * _BYTES)).from_address(array.children[0].contents.buffers[1])
    memory.owner = capsule  # it keeps the picture's memory as long as this
    pixels = np.frombuffer(memory, np.uint8).reshape(image.height, image.width, _BYTES)
    pixels.flags.writeable = False
    return pixels


def reader(image: Image.Image) -> Callable[[tuple[int, int, int, int]], NDArray[np.uint8]]:
    """What gives the pixels in a box (left, top, right, bottom) of a picture, mode RGB, to be read only: uint8 (height, width, 3)."""
    pixels = (
        raster(image) if compiled() is not None else None
    )  # NumPy takes longer for every fourth byte than the copy costs
    if pixels is None:
        return lambda box: np.asarray(image.crop(box))
    return lambda box: pixels[box[1] : box[3], box[0] : box[2], :3]


def planes(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Tiles (height, width, 3) of one size, such as a `reader` gives, channel by channel: uint8 (n, 3, height, width)."""
    height, width, _ = tiles[0].shape
    made = np.empty((len(tiles), 3, height, width), np.uint8)
    library = compiled()
    for tile, out in zip(tiles, made, strict=True):
        apart, step, channel = tile.strides
        if library is None or channel != 1:
            out[:] = tile.transpose(2, 0, 1)
            continue
        library.planes_of(tile, height, width, step, apart, out)
    return made


def thinned(image: Image.Image, size: tuple[int, int], part: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """The pixels of a picture, mode RGB, that Pillow's nearest neighbour takes for a smaller one: uint8 (height, width, 3).

    Args:
        size: width and height of that; part: of what is thinned, from the left upper corner; all where it isn't given.
    """
    pixels = raster(image)
    width, height = part or image.size
    if pixels is None:
        return np.asarray(image.resize(size, Image.Resampling.NEAREST, box=(0, 0, width, height)))
    rows, columns = _nearest(height, size[1]), _nearest(width, size[0])
    library = compiled()
    if library is None:
        return pixels[rows[:, None], columns, :3]
    found = np.empty((len(rows), len(columns), 3), np.uint8)
    library.pixels_at(pixels, *pixels.strides[:2], rows, len(rows), columns, len(columns), found)
    return found


@lru_cache(maxsize=16)
def _nearest(have: int, want: int) -> NDArray[np.int64]:
    """Places of the middles of `want` equal parts of `have` pixels, added up as Pillow adds them."""
    step = have / want
    return np.cumsum(np.concatenate([[step * 0.5], np.full(want - 1, step)])).astype(np.int64)

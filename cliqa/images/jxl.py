"""JPEG XL, read through the extra `jxl` (imagecodecs), as one more of Pillow's readers."""

from __future__ import annotations

import importlib.util
import struct
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from cliqa.errors import ImageError

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
SIGNATURES = (_CODESTREAM, _CONTAINER)
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_HEAD = 1 << 16  # bytes in which the codestream begins; chosen by hand: boxes before it are short


def register() -> None:
    """Let Pillow open JPEG XL. Raises ImageError where the extra is not installed."""
    if importlib.util.find_spec("imagecodecs") is None:
        raise ImageError("a JPEG XL image; reading it needs the extra: pip install 'cliqa[jxl]'")
    Image.register_open(JxlImageFile.format, JxlImageFile, lambda head: head.startswith(SIGNATURES))


def declared_size(head: bytes) -> tuple[int, int]:
    """Width and height from the first bytes of a file. Raises ValueError or EOFError where they aren't there."""
    return read_size(Bits(codestream(head)[2:18]))


def codestream(head: bytes) -> bytes:
    """The codestream from the first bytes of a file, its signature first. Raises ValueError or struct.error where there is none."""
    if head.startswith(_CONTAINER):
        head = _unboxed(head)
    if not head.startswith(_CODESTREAM):
        raise ValueError("no codestream")
    return head


def read_size(bits: Bits) -> tuple[int, int]:
    """Width and height (ISO/IEC 18181-1, SizeHeader)."""

    def side() -> int:
        return 8 * (1 + bits.read(5)) if small else 1 + bits.read((9, 13, 18, 30)[bits.read(2)])

    small = bits.read(1)
    height = side()
    ratio = bits.read(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


class Bits:
    """Bits of a header, the lowest first. Beyond the end it raises EOFError."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def align(self) -> None:
        """Skip to the next whole byte; the first bits given are taken to begin one."""
        self.read(self._left % 8)

    def read(self, count: int) -> int:
        """The next bits as a number."""
        if count > self._left:
            raise EOFError("the header ends early")
        found = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return found


def _unboxed(head: bytes) -> bytes:
    place = 0
    while place + 8 <= len(head):
        size, kind = struct.unpack_from(">I4s", head, place)
        start = place + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", head, start)
            start += 8
        if kind == b"jxlc":
            return head[start:]
        if kind == b"jxlp":
            return head[start + 4 :]
        if size < 8:
            break
        place += size
    raise ValueError("no codestream")


class JxlImageFile(ImageFile.ImageFile):
    """A JPEG XL image; upright already, as the format has it. Its mode and depth are known once it is decoded."""

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        try:
            assert self.fp is not None
            self._size = declared_size(self.fp.read(_HEAD))
        except (ValueError, EOFError, struct.error) as error:
            raise SyntaxError(str(error)) from error
        self._mode = "RGB"
        self.tile = []
        self._decoded = False

    def load(self) -> Any:
        """Decode the first frame."""
        if not self._decoded:
            import imagecodecs

            assert self.fp is not None
            self.fp.seek(0)
            pixels = np.asarray(imagecodecs.jpegxl_decode(self.fp.read()))
            if pixels.ndim == 4:
                pixels = pixels[0]
            if pixels.dtype == np.uint16:
                self.info["bits"] = 16
                pixels = (pixels >> 8).astype(np.uint8)
            if pixels.dtype != np.uint8:
                raise ImageError("floating-point pixels are not supported")
            if pixels.ndim == 3 and pixels.shape[2] == 1:
                pixels = pixels[..., 0]
            # It may have been turned
            if pixels.shape[:2] != (self._size[1], self._size[0]) and pixels.shape[:2] != self._size:
                raise ImageError("its frame's size is not that of the header")
            picture = Image.fromarray(np.ascontiguousarray(pixels))
            self.im = picture.im
            self._mode, self._size = picture.mode, picture.size
            self._decoded = True
        return Image.Image.load(self)

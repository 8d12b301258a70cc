"""The memory of a decoded JPEG, used again for the next one of its size.

Pillow clears the memory of every picture before it is filled: half a millisecond a megapixel. A worker that is done with a
picture hands its memory on. A JPEG's decoder writes every row or fails, so nothing of the earlier picture can show; no
other format's decoder gets used memory.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

MOST_PIXELS = 1 << 24
"""Of larger pictures nothing is kept: 64 MiB."""
_spare: list[Any] = []


def hand_on(image: Image.Image) -> None:
    """Give away the memory of a picture that was decoded from a JPEG and is not to be looked at again."""
    if image.mode == "RGB" and not image.readonly and image.width * image.height <= MOST_PIXELS:
        _spare[:] = [image.im]


def blank(mode: str, size: tuple[int, int]) -> Image.Image:
    """A picture to be filled, every pixel of it: in memory that was handed on, where that has the right size; else that is freed."""
    try:
        spare = _spare.pop()  # in one step: another thread may ask at the same moment
    except IndexError:
        spare = None
    if spare is not None and (spare.mode, spare.size) == (mode, size):
        return Image.new(mode, (1, 1))._new(spare)
    return Image.new(mode, size, None)

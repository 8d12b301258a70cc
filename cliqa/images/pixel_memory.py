"""The memory of a decoded JPEG, used again for the next one of its size.

Pillow clears the memory of every picture before its decoder fills it: half a millisecond a megapixel. A worker that is done with a
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


def take_over(image: Image.Image) -> None:
    """Let an opened JPEG be decoded into memory that was handed on, where it has the right size; else that memory is freed."""
    spare = _spare.pop() if _spare else None
    # without a tile (a file that ends before its scans) nothing would be decoded
    fills = image.format in ("JPEG", "MPO") and len(getattr(image, "tile", ())) == 1
    if spare is not None and fills and (spare.mode, spare.size) == (image.mode, image.size):
        image.im = spare

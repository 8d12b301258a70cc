"""Small pictures for the page, read as fast as the formats allow and in bounded memory."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from PIL import Image

from cliqa.errors import ImageIssue
from cliqa.images.loading import load_thumbnail
from cliqa.inputs.members import image_bytes

LONG_SIDE = 256
QUALITY = 62
SMALLER = 208  # where many pictures have to fit


def thumbnails(paths: Sequence[str], workers: int, long_side: int = LONG_SIDE) -> Iterator[bytes | None]:
    """WebP bytes for each path in order, None where the picture can't be read (any more)."""

    def make(path: str) -> bytes | None:
        try:
            return encode(load_thumbnail(image_bytes(path), long_side), QUALITY)
        except (ImageIssue, OSError, MemoryError, ValueError):
            return None

    with ThreadPoolExecutor(workers) as pool:  # decoding and encoding leave the interpreter's lock
        waiting = iter(paths)
        under_way = [pool.submit(make, path) for path in islice(waiting, 4 * workers)]
        while under_way:
            yield under_way.pop(0).result()
            under_way.extend(pool.submit(make, path) for path in islice(waiting, 1))


def encode(image: Image.Image, quality: int) -> bytes:
    """A small picture as WebP."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, method=2)
    return stream.getvalue()

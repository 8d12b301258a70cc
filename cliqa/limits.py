"""The limits on one file, and the defaults that commands show. Imports nothing: `--help` must be instant."""

from __future__ import annotations

DEFAULT_MAX_IMAGE_PIXELS = 178_956_970  # Pillow's own limit: half a GiB of RGB
DEFAULT_NUM_PATCHES = 8
MIN_SIDE = 32  # pixels; below, no metric of the pixel grid says anything

# The readers of JPEG, PNG, WebP, AVIF and HEIC hold the whole file in memory; none that large was made to be looked at.
MAX_BYTES_READ_WHOLE = 1 << 29

FILE_SECONDS = 10.0  # processor time that any file may take of a worker
_SECONDS_PER_MEGAPIXEL = 0.5  # JPEG takes 3 ms, PNG 13, AVIF and JPEG 2000 up to 100; slow machines ten times as much
_WORKER_BYTES = 1 << 30
_BYTES_OF_A_WORKER = 512 << 20  # interpreter, libraries, the metrics' own tables
_BYTES_PER_PIXEL = (
    12  # Pillow holds four bytes a pixel, twice where a mode is converted; decoders hold planes of their own
)

_PIXELS_PER_BYTE = 25  # photographs have 1 to 20 as JPEG; a blank scan as PNG has hundreds


def backed_pixels(pixels: int, size: int) -> int:
    """Of the pixels that a header declares, those that a file of `size` bytes makes credible.

    A file of two kilobytes may declare 179 megapixels, but it gets neither the time nor the memory for them.
    """
    return min(pixels, _PIXELS_PER_BYTE * size)


def seconds_for(pixels: int, base: float = FILE_SECONDS) -> float:
    """Processor seconds that a file of so many declared pixels may take: 10 for a megapixel, 16 for 12, 100 for 179."""
    return base + _SECONDS_PER_MEGAPIXEL * pixels / 1e6


def bytes_for(pixels: int) -> int:
    """Bytes that a worker may hold while it works on so many declared pixels: 1 GiB up to 44 megapixels, 2.5 for 179."""
    return max(_WORKER_BYTES, _BYTES_OF_A_WORKER + _BYTES_PER_PIXEL * pixels)

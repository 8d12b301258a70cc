"""The limits on one file, and the defaults that commands show. Imports nothing: `--help` must be instant."""

from __future__ import annotations

DEFAULT_MAX_IMAGE_PIXELS = 178_956_970  # Pillow's own limit: half a GiB of RGB
DEFAULT_NUM_PATCHES = 8  # documented default
MIN_SIDE = 32  # pixels; below, no metric of the pixel grid says anything

# The readers of JPEG, PNG, WebP, AVIF and HEIC hold the whole file in memory; none that large was made to be looked at. By hand.
MAX_BYTES_READ_WHOLE = 1 << 29

# Processor time that any file may take of a worker; chosen by hand, far above what sound files take
FILE_SECONDS = 10.0

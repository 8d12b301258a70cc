"""How a run is carried out."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES, FILE_SECONDS

DEFAULT_BATCH_SIZE = 16


@dataclass(frozen=True)
class PipelineSettings:
    """Settings of a run. Of a score only `num_patches` decides, and whether there is one, `max_image_pixels`.

    `workers` is the number of decode processes, 0 decodes in this process. `batch_size` is how many decoded files may wait for the
    metrics. `content_hash` adds the file's SHA-256. `file_seconds` is a worker's processor time for any file, before what its pixels
    add; 0 for no limit.
    """

    workers: int = 0
    batch_size: int = DEFAULT_BATCH_SIZE
    num_patches: int = DEFAULT_NUM_PATCHES
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
    content_hash: bool = False
    file_seconds: float = FILE_SECONDS


def default_workers() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

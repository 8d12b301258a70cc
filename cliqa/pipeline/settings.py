"""How a run is carried out."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES, FILE_SECONDS
from cliqa.pipeline.allowance import allowance

DEFAULT_BATCH_SIZE = 16  # documented default
_MAIN_BYTES = 512 << 20  # of the process that runs the networks, torch among it; rounded up by hand
_WORKER_BYTES = (150 << 20) + 12 * 24_000_000  # a decode worker, and a picture of 24 megapixels while it is decoded


@dataclass(frozen=True)
class PipelineSettings:
    """Settings of a run. Of a score only `num_patches` decides, and whether there is one, `max_image_pixels`.

    `workers` is the number of decode processes, 0 decodes in this process. `batch_size` is how many decoded files may wait for the
    metrics. `content_hash` adds the file's SHA-256. `score_damaged` has damaged data scored as far as they can be decoded, with a
    note. `file_seconds` is a worker's processor time for any file, before what its pixels add; 0 for no limit.
    """

    workers: int = 0
    batch_size: int = DEFAULT_BATCH_SIZE
    num_patches: int = DEFAULT_NUM_PATCHES
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
    content_hash: bool = False
    score_damaged: bool = False
    file_seconds: float = FILE_SECONDS


def default_workers() -> int:
    """As many as processors may be used, by affinity and by the container's quota, and as its memory holds; at least one."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = allowance()
    if allowed.processors is not None:
        processors = min(processors, math.ceil(allowed.processors))
    if allowed.memory is not None:
        processors = min(processors, (allowed.memory - _MAIN_BYTES) // _WORKER_BYTES)
    return max(1, processors)

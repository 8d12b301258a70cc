"""How a run is carried out, and by how many workers: what the container of this process, or any group around it, lets it use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES, FILE_SECONDS

DEFAULT_BATCH_SIZE = 16  # documented default
_MAIN_BYTES = 512 << 20  # of the process that runs the networks, torch among it; rounded up by hand
_WORKER_BYTES = (150 << 20) + 12 * 24_000_000  # a decode worker, and a picture of 24 megapixels while it is decoded
_NO_LIMIT = 1 << 60  # bytes; version 1 writes a number as large where there is no limit


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


@dataclass(frozen=True)
class Allowance:
    """Limits; None where there is none. `processors` may be a fraction, `memory` is in bytes."""

    processors: float | None = None
    memory: int | None = None


def allowance(proc: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> Allowance:
    """The narrowest limits of the groups that this process is in; none where the system tells of none.

    Args:
        proc: which groups the process is in, one `number:controllers:path` a line.
        root: where the groups' files are.
    """
    processors: list[float] = []
    memory: list[int] = []
    for version, controllers, folder in _groups(proc, root):
        if version == 2:
            words = (_text(folder, "cpu.max") or "max").split()
            processors += [_share(words[0], words[1])] if len(words) == 2 and words[0] != "max" else []
            memory += _bytes(_text(folder, "memory.max"))
        if version == 1 and "cpu" in controllers:
            processors += _quota(_text(folder, "cpu.cfs_quota_us"), _text(folder, "cpu.cfs_period_us"))
        if version == 1 and "memory" in controllers:
            memory += _bytes(_text(folder, "memory.limit_in_bytes"))
    return Allowance(min((share for share in processors if share > 0), default=None), min(memory, default=None))


def _groups(proc: str, root: str) -> Iterator[tuple[int, set[str], str]]:
    """(version, controllers, folder) of each group that the process is in and of those around it, as far as they can be seen."""
    try:
        with open(proc, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return
    for line in lines:
        parts = line.split(":", 2)
        if len(parts) != 3:
            continue
        controllers = {name for name in parts[1].split(",") if name}
        tops = (
            [os.path.join(root, name) for name in (parts[1], *sorted(controllers))]
            if controllers
            else [root, f"{root}/unified"]
        )
        for top in dict.fromkeys(tops):
            folder = parts[2].strip("/")
            while True:  # a container may see its own group as the top
                yield (1 if controllers else 2), controllers, os.path.join(top, folder)
                if not folder:
                    break
                folder = os.path.dirname(folder)


def _text(folder: str, name: str) -> str | None:
    try:
        with open(os.path.join(folder, name), encoding="ascii", errors="replace") as stream:
            return stream.read(100).strip()
    except OSError:
        return None


def _share(quota: str, period: str) -> float:
    try:
        return int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return 0.0


def _quota(quota: str | None, period: str | None) -> list[float]:
    return [_share(quota, period)] if quota and period and not quota.startswith("-") else []


def _bytes(text: str | None) -> list[int]:
    return [int(text)] if text and text.isdigit() and 0 < int(text) < _NO_LIMIT else []

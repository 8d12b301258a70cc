"""Where shards lie: local files, and whatever fsspec knows (`s3://`, `gs://`, `http://`, ...) where that extra is installed."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from cliqa.errors import CliqaError, ImageError, UsageError
from cliqa.files.atomic import open_regular
from cliqa.records import State
from cliqa.text import describe

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+(?:://|::)")
_READ_AHEAD = 8 << 20  # bytes that a network file fetches at a time; chosen by hand
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Opened:
    """An open file. `mtime_ns` is None where its store doesn't tell; `path` is set for local files alone."""

    stream: IO[bytes]
    size: int
    mtime_ns: int | None
    path: str | None


def is_remote(path: str) -> bool:
    """Whether a path is an address such as `s3://bucket/key`, which only fsspec can open."""
    return _SCHEME.match(path) is not None


def is_glob(pattern: str) -> bool:
    """Whether a pattern holds `*`, `?` or `[`."""
    return _GLOB.search(pattern.split("://", 1)[-1]) is not None


@contextlib.contextmanager
def open_location(path: str) -> Iterator[Opened]:
    """Open a local regular file or a remote one for reading, bytes as they come.

    Raises:
        ImageError: missing or unreadable.
        UsageError: the address needs a package that isn't installed.
    """
    if not is_remote(path):
        try:
            with open_regular(path) as stream:
                status = os.fstat(stream.fileno())
                yield Opened(stream, status.st_size, status.st_mtime_ns, path)
        except (OSError, ValueError) as error:
            raise ImageError(reason(error)) from error
        return
    system, name = file_system(path)
    try:
        info = system.info(name)
        with system.open(name, "rb", block_size=_READ_AHEAD) as stream:
            yield Opened(stream, int(info["size"]), _mtime_ns(info), None)
    except (CliqaError, GeneratorExit):
        raise
    except Exception as error:  # every store has exceptions of its own
        raise ImageError(reason(error)) from error


def state_of(path: str) -> State | None:
    """Size and time of a local or remote file; None where it can't be had."""
    try:
        if not is_remote(path):
            status = os.stat(path)
            return State(status.st_size, status.st_mtime_ns)
        system, name = file_system(path)
        info = system.info(name)
        return State(int(info["size"]), _mtime_ns(info))
    except UsageError:
        raise
    except Exception:
        return None


def matches(pattern: str) -> Iterator[tuple[str, State | None]]:
    """The files that a pattern with `*`, `?`, `[...]` or `**` stands for, sorted; with their states where the store tells."""
    if not is_remote(pattern):
        yield from ((name, None) for name in sorted(glob.iglob(pattern, recursive=True), key=os.fsencode))
        return
    system, name = file_system(pattern)
    yield from _stated(system, system.glob(name, detail=True))


def remote_files(folder: str, recursive: bool) -> Iterator[tuple[str, State | None]]:
    """The files of a remote folder, sorted, with their states; without `recursive` its own alone."""
    system, name = file_system(folder)
    yield from _stated(system, system.find(name, maxdepth=None if recursive else 1, detail=True))


def _stated(system: Any, found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, State | None]]:
    for name, info in sorted(found.items()):
        if info.get("type") != "directory":
            size = info.get("size")
            state = State(int(size), _mtime_ns(info)) if size is not None else None
            yield system.unstrip_protocol(name), state


def is_remote_folder(path: str) -> bool:
    """Whether a remote address is that of a folder (or of a prefix that objects share)."""
    system, name = file_system(path)
    try:
        return bool(system.isdir(name))
    except Exception:  # the store says no: opening it will say why
        return False


def file_system(path: str) -> tuple[Any, str]:
    """fsspec's file system for an address, and the name within it. Listings that it remembers are forgotten: others write too.

    Raises:
        UsageError: fsspec or the package for this kind of address isn't installed, or there is none.
    """
    try:
        import fsspec.core
    except ImportError:
        raise UsageError(f"{_scheme(path)} needs the extra: pip install 'cliqa[remote]'") from None
    try:
        system, name = fsspec.core.url_to_fs(path)
    except ImportError as error:
        raise UsageError(f"{_scheme(path)} needs a package that is not installed: {error}") from error
    except ValueError as error:
        raise UsageError(f"{_scheme(path)} can't be opened: {error}") from error
    system.invalidate_cache()
    return system, str(name)


def reason(error: BaseException) -> str:
    """Why a file can't be read, in one line."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "permission denied"
    return f"can't be read: {getattr(error, 'strerror', None) or describe(error)}"


def _scheme(path: str) -> str:
    return path.split("://", 1)[0] + "://"


def _mtime_ns(info: dict[str, Any]) -> int | None:
    """The time of change, under the names that fsspec's file systems have for it."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = info.get(name)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if isinstance(value, datetime):
            return int(value.timestamp() * 1e9)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return int(value * 1e9)
    return None

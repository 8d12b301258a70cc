"""Tars out: numbered, each written beside and named when it is whole, never over one that exists.

What goes into a tar depends on the samples and their order alone, and so do its bytes: no time, user or name of this
machine is in it. A run that goes on checks the tars that it finds against what it would write, and writes the others.
"""

from __future__ import annotations

import contextlib
import os
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from cliqa.errors import ImageIssue, PlacingError, UsageError
from cliqa.files.atomic import name_finished, part_name
from cliqa.inputs.locations import is_remote
from cliqa.inputs.tar import BLOCK, ForwardReader, Member, read_members
from cliqa.outputs.preparing import make_folder
from cliqa.text import display, reason

DEFAULT_SHARD_SIZE = 1000  # samples in a tar; chosen by hand
_NUMBER = re.compile(r"%0?(\d*)d")
_END = b"\0" * (2 * BLOCK)
_RECORD = 20 * BLOCK  # tars end at a multiple of it


def is_tar_pattern(output: str) -> bool:
    """Whether an output is one of numbered tars, such as `kept/%06d.tar`."""
    return output.endswith(".tar") and len(_NUMBER.findall(output)) == 1


@dataclass(frozen=True)
class Piece:
    """A member to be written: its name in the tar, its size in bytes, its time in whole seconds, and its bytes in pieces."""

    name: str
    size: int
    mtime: int
    data: Iterable[bytes]


class TarWriter:
    """Writes samples to numbered tars. Use `close` at the end, `abandon` after an error.

    Args:
        pattern: `kept/%06d.tar`: one `%d`, with leading zeros or not.
        shard_size: samples in a tar; the last one may have fewer.
        resume: accept tars that are there already, where they hold what this run would write.
    """

    def __init__(self, pattern: str, shard_size: int = DEFAULT_SHARD_SIZE, resume: bool = False) -> None:
        self.pattern = pattern
        self.shard_size = shard_size
        self.resume = resume
        self.number = -1
        self.samples = 0  # in the present tar
        self._keys: set[str] = set()
        self._part = ""
        self._stream: IO[bytes] | None = None
        self._existing: _ExistingTar | None = None

    def check(self) -> None:
        """Refuse a pattern that can't be used, and without `resume` one that names tars which are there.

        Raises:
            UsageError: no or several numbers, a remote address, or tars that exist.
        """
        if is_remote(self.pattern):
            raise UsageError("tars are written to local folders; copy them to a store when they are whole")
        if not is_tar_pattern(self.pattern) or _NUMBER.search(os.path.dirname(self.pattern)):
            raise UsageError(f"the name of the tars needs one number, as kept/%06d.tar: not {display(self.pattern)}")
        for name in [] if self.resume else self._there():
            raise UsageError(f"{display(name)} exists; use --resume to go on with it, or another output")

    def prepare(self) -> None:
        """Make the folder and see that it can be written. Raises PlacingError."""
        make_folder(self.folder, self.resume)

    @property
    def folder(self) -> str:
        """Where the tars go."""
        return os.path.dirname(self.pattern) or os.curdir

    @property
    def target(self) -> str:
        """The name of the present tar."""
        match = _NUMBER.search(self.pattern)
        assert match is not None
        return self.pattern[: match.start()] + match[0] % self.number + self.pattern[match.end() :]

    def add(self, key: str, pieces: Iterable[Piece]) -> tuple[str, str]:
        """Write one sample, all or nothing; returns (tar, key there), the key changed where the tar has it already.

        Args:
            key: what the names of all pieces begin with.
            pieces: the members, read as they are written.

        Raises:
            ImageIssue: a member could not be read; nothing of the sample is in the tar.
            PlacingError: the tar can't be written, or one that exists holds something else.
        """
        if self.number < 0 or self.samples >= self.shard_size:
            self._finish()
            self._begin()
        fresh = next(name for name in _keys(key) if name not in self._keys)
        start = self._stream.tell() if self._stream is not None else 0
        try:
            for piece in pieces if self._existing is None else list(pieces):
                self._write(fresh + piece.name[len(key) :], piece)
        except ImageIssue:
            if self._stream is not None:
                self._stream.seek(start)
                self._stream.truncate()
            raise
        except OSError as error:
            raise PlacingError(f"{display(self.target)} can't be written: {reason(error)}") from error
        self._keys.add(fresh)
        self.samples += 1
        return self.target, fresh

    def close(self) -> None:
        """Finish the last tar. Raises PlacingError."""
        self._finish()

    def abandon(self) -> None:
        """Remove the tar that isn't whole; the others stay."""
        if self._existing is not None:
            self._existing.close()
        if self._stream is not None:
            with contextlib.suppress(OSError):  # a full disk takes no more on closing either
                self._stream.close()
            with contextlib.suppress(OSError):
                os.unlink(self._part)
        self._stream = self._existing = None

    def _there(self) -> list[str]:
        """The tars of this pattern that are there."""
        match = _NUMBER.search(os.path.basename(self.pattern))
        name = os.path.basename(self.pattern)
        assert match is not None
        wanted = re.compile(re.escape(name[: match.start()]) + r"\d+" + re.escape(name[match.end() :]))
        try:
            return sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder) if wanted.fullmatch(name))
        except OSError:
            return []

    def _begin(self) -> None:
        self.number += 1
        self.samples = 0
        self._keys.clear()
        if self.resume and os.path.lexists(self.target):
            self._existing = _ExistingTar(self.target)
            return
        self._part = os.path.join(self.folder, part_name())
        try:
            self._stream = open(self._part, "xb")  # noqa: SIM115
        except OSError as error:
            raise PlacingError(f"{display(self.target)} can't be written: {reason(error)}") from error

    def _write(self, name: str, piece: Piece) -> None:
        if self._existing is not None:
            self._existing.expect(name, piece.size, piece.mtime)
            return
        assert self._stream is not None
        self._stream.write(header(name, piece.size, piece.mtime))
        for data in piece.data:
            self._stream.write(data)
        self._stream.write(b"\0" * (-piece.size % BLOCK))

    def _finish(self) -> None:
        if self._existing is not None:
            self._existing.expect_end()
            self._existing.close()
            self._existing = None
        elif self._stream is not None:
            try:
                self._stream.write(_END)
                self._stream.write(b"\0" * (-self._stream.tell() % _RECORD))
                self._stream.flush()
                os.fsync(self._stream.fileno())
                name_finished(self._part, self.target)
            except FileExistsError:
                raise PlacingError(f"{display(self.target)} has been made by another run meanwhile") from None
            except OSError as error:
                raise PlacingError(f"{display(self.target)} can't be written: {reason(error)}") from error
            finally:
                self.abandon()


def header(name: str, size: int, mtime: int) -> bytes:
    """A regular file's header: ustar, with pax records where a name is long or no ASCII. The same for the same arguments."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, mtime, 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class _ExistingTar:
    """A tar of an earlier run, compared by names, sizes and times with what this run would write."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._stream = open(path, "rb")  # noqa: SIM115
            self._members = read_members(ForwardReader(self._stream, os.fstat(self._stream.fileno()).st_size))
        except OSError as error:
            raise PlacingError(f"{display(path)} can't be read: {reason(error)}") from error

    def expect(self, name: str, size: int, mtime: int) -> None:
        found = self._next()
        if found is None or (found.name, found.size, found.mtime) != (name, size, mtime):
            self._differs()

    def expect_end(self) -> None:
        if self._next() is not None:
            self._differs()

    def close(self) -> None:
        self._stream.close()

    def _next(self) -> Member | None:
        try:
            return next(self._members, None)
        except ImageIssue:
            self._differs()
            raise

    def _differs(self) -> None:
        raise PlacingError(
            f"{display(self.path)} exists and holds other samples than this run puts there; give another output"
        ) from None


def _keys(key: str) -> Iterable[str]:
    """`key`, `key_1`, `key_2`, ..."""
    yield key
    number = 0
    while True:
        number += 1
        yield f"{key}_{number}"

"""Kept samples into tars: every member of the sample byte for byte, in the order of the input."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO

from cliqa.errors import ImageError, ImageIssue, PlacingError, UsageError
from cliqa.files.atomic import open_regular, part_name
from cliqa.inputs.contents import Held, Slice
from cliqa.inputs.locations import is_remote, open_location
from cliqa.inputs.member_names import sample_key
from cliqa.inputs.tar import ForwardReader, Member, is_packed, open_tar, read_members
from cliqa.inputs.tar_images import MAX_MEMBERS, harmless_name
from cliqa.outputs import Placer
from cliqa.outputs.keys import WholeSamples
from cliqa.outputs.tars import Piece, TarWriter
from cliqa.records import Source
from cliqa.text import display, reason

_PIECE = 1 << 20  # bytes copied at a time; chosen by hand


class SamplePlacer(Placer):
    """Places samples in numbered tars. A sample with several images goes out when all of them are kept.

    What tars of an earlier run hold is found while they are filled again.
    """

    def __init__(self, writer: TarWriter) -> None:
        self.writer = writer
        self.already = 0
        self._shard: _Shard | None = None
        self._samples = WholeSamples()

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse an output that can't be used. Raises UsageError."""
        self.writer.check()

    def __enter__(self) -> SamplePlacer:
        self.writer.prepare()
        return self

    def place(self, source: Source, prefix: str = "", folder: str | None = None, *_: object) -> str | None:
        """Write the sample of an image; returns where the image lies now, None where more images are to be kept first.

        Raises:
            UsageError: it is to go into a folder of its own.
            ImageError: it belongs to no tar, or its sample can't be read any more.
            PlacingError: the tar can't be written.
        """
        if folder:
            raise UsageError("tars hold no folders that images could be sorted into: sort by --results instead")
        content = source.content
        if not isinstance(content, (Slice, Held)) or content.sample is None:
            raise ImageError("is no member of a tar, and only those go into tars")
        sample = content.sample
        if not self._samples.complete(sample):
            return None
        try:
            if self._shard is None or self._shard.path != sample.shard:
                self._close()
                self._shard = _Shard(sample.shard, self.writer.folder)
            target, key = self.writer.add(sample.key, self._shard.pieces(sample.key))
        except ImageIssue as error:
            raise ImageError(f"its sample can't be copied: {error}") from error
        name = source.path[len(sample.shard) + 1 :]
        return f"{target}/{key}{name[len(sample.key) :]}"

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the last tar, or remove it where the run failed."""
        self._close()
        if kind is None:
            self.writer.close()
        else:
            self.writer.abandon()

    def _close(self) -> None:
        if self._shard is not None:
            self._shard.stream.close()


class _Shard:
    """The samples of one tar by key, wherever their members lie. What isn't here unpacked is first, unnamed, in `folder`."""

    def __init__(self, path: str, folder: str) -> None:
        self.path = path
        self.stream = _unpacked(path, folder) if is_packed(path) or is_remote(path) else _opened(path)
        self._samples: dict[str, dict[str, Member]] = {}
        self._scattered: set[str] = set()
        self._damage: ImageError | None = None
        self._last = ""
        try:
            self._read(os.fstat(self.stream.fileno()).st_size)
        except ImageError as error:
            self._damage = error
        except BaseException:
            self.stream.close()
            raise

    def _read(self, size: int) -> None:
        for member in islice(read_members(ForwardReader(self.stream, size)), MAX_MEMBERS):
            name, bad = harmless_name(member)
            if bad or member.kind == "folder":
                continue
            key = sample_key(name)
            if key != self._last and key in self._samples and is_remote(self.path):
                self._scattered.add(key)
            self._last = key
            self._samples.setdefault(key, {}).setdefault(name, member)

    def pieces(self, key: str) -> Iterator[Piece]:
        """The members of a sample as they are to be written. Links and hostile names are left behind.

        Raises:
            ImageError: the tar is damaged or has changed, or is a stream in which the sample is scattered.
        """
        if key not in self._samples:
            raise self._damage or ImageError("the tar has changed")
        if key in self._scattered:
            raise ImageError("the tar's members are not grouped by key")
        for name, member in self._samples[key].items():
            if member.kind == "cut":
                raise ImageError("the tar is cut short")
            yield Piece(name, member.size, member.mtime, self._data(member))
        if self._damage is not None and key == self._last:  # what follows could belong to it
            raise self._damage

    def _data(self, member: Member) -> Iterator[bytes]:
        self.stream.seek(member.offset)
        missing = member.size
        while missing > 0:
            piece = self.stream.read(min(_PIECE, missing))
            if not piece:
                raise ImageError("the tar is cut short")
            missing -= len(piece)
            yield piece


def _opened(path: str) -> IO[bytes]:
    try:
        return open_regular(path)
    except OSError as error:
        raise ImageError(reason(error)) from error


def _unpacked(path: str, folder: str) -> IO[bytes]:
    """A copy of a packed or remote tar, as far as it can be read, in a file that nobody else sees. Raises PlacingError."""
    part = os.path.join(folder, part_name())
    with open_location(path) as opened:
        reader = open_tar(opened, is_packed(path))
        try:
            stream = open(part, "x+b")  # noqa: SIM115
        except OSError as error:
            raise PlacingError(f"{display(folder)} can't be written: {reason(error)}") from error
        try:
            with contextlib.suppress(OSError):  # Windows removes no open file; a later --resume does
                os.unlink(part)
            with contextlib.suppress(ImageError):  # reading the copy says where it ends
                while piece := reader.read(_PIECE):
                    _write(stream, piece, folder)
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
    return stream


def _write(stream: IO[bytes], piece: bytes, folder: str) -> None:
    try:
        stream.write(piece)
        stream.flush()
    except OSError as error:
        raise PlacingError(f"{display(folder)} can't be written: {reason(error)}") from error


def refuse_options(score_prefix: bool, files: Sequence[str]) -> None:
    """The keys of samples in tars stay as they are, and options for single `files` say nothing of them. Raises UsageError."""
    if files:
        raise UsageError(f"{files[0]} is for single files in a folder; whole samples go into tars as they are")
    if score_prefix:
        raise UsageError("--score-prefix would change the keys of samples; the scores are in --results")

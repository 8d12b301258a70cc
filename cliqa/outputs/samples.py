"""Kept samples into tars: every member of the sample byte for byte, in the order of the input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType

from cliqa.errors import ImageError, ImageIssue, UsageError
from cliqa.inputs.contents import Held, Sample, Slice
from cliqa.inputs.locations import open_location
from cliqa.inputs.member_names import safe_name, sample_key
from cliqa.inputs.tar import ForwardReader, Member, is_packed, open_tar, read_members
from cliqa.outputs.keys import WholeSamples
from cliqa.outputs.tars import Piece, TarWriter
from cliqa.records import Source

_PIECE = 1 << 20


class SamplePlacer:
    """Takes the place of `cliqa.outputs.folder.Placer` where the output is one of tars. Same methods, same promises.

    A sample with several images goes out when all of them are kept.
    """

    def __init__(self, writer: TarWriter) -> None:
        self.writer = writer
        self._reader: _SampleReader | None = None
        self._samples = WholeSamples()

    def check(self, source: str) -> None:
        """Refuse an output that can't be used. Raises UsageError."""
        self.writer.check()

    def prepare(self) -> None:
        """Make the folder of the tars. Raises PlacingError."""
        self.writer.prepare()

    def withdraw(self) -> None:
        """Nothing to take back: no tar was begun."""

    def holds(self, placed: str) -> bool:
        """Never: what tars of an earlier run hold is found while they are filled again."""
        return False

    def claim(self, target: str) -> None:
        """Nothing to claim."""

    def place(self, source: Source, prefix: str = "", folder: str | None = None) -> str | None:
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
            target, key = self.writer.add(sample.key, self._reader_of(sample).pieces(sample))
        except ImageIssue as error:
            raise ImageError(f"its sample can't be copied: {error}") from error
        name = source.path[len(sample.shard) + 1 :]
        return f"{target}/{key}{name[len(sample.key) :]}"

    def end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The run is over: finish the last tar, or remove it where the run failed."""
        if self._reader is not None:
            self._reader.close()
        if kind is None:
            self.writer.close()
        else:
            self.writer.abandon()

    def _reader_of(self, sample: Sample) -> _SampleReader:
        if self._reader is None or self._reader.shard != sample.shard:
            if self._reader is not None:
                self._reader.close()
            self._reader = _SampleReader(sample.shard)
        return self._reader


class _SampleReader:
    """Samples of one tar, in the order of the tar; going back opens it anew."""

    def __init__(self, shard: str) -> None:
        self.shard = shard
        self._stack = ExitStack()
        self._reader: ForwardReader | None = None
        self._members: Iterator[Member] = iter(())
        self._next: Member | None = None

    def pieces(self, sample: Sample) -> Iterator[Piece]:
        """The members of a sample as they are to be written. Links and hostile names are left behind.

        Raises:
            ImageError: the tar is damaged or has changed.
        """
        member = self._seek(sample.start)
        seen: set[str] = set()
        while member is not None:
            if member.kind != "folder":
                try:
                    name = safe_name(member.name)
                except ImageError:
                    name = ""
                if name and sample_key(name) != sample.key:
                    break
                if member.kind == "cut":
                    raise ImageError("the tar is cut short")
                if name and member.kind == "file" and name not in seen:
                    seen.add(name)
                    yield Piece(name, member.size, member.mtime, self._data(member))
            member = self._step()

    def close(self) -> None:
        self._stack.close()
        self._reader = None

    def _seek(self, start: int) -> Member | None:
        """The member whose header lies at `start`."""
        if self._reader is None or self._next is None or self._next.offset > start:
            self._open()
        while self._next is not None and self._next.offset < start:
            self._step()
        if self._next is None or self._next.offset != start:
            raise ImageError("the tar has changed")
        return self._next

    def _open(self) -> None:
        self.close()
        opened = self._stack.enter_context(open_location(self.shard))
        self._reader = open_tar(opened, is_packed(self.shard))
        self._members = read_members(self._reader)
        self._step()

    def _step(self) -> Member | None:
        try:
            self._next = next(self._members, None)
        except ImageError:
            self._next = None
            raise
        return self._next

    def _data(self, member: Member) -> Iterator[bytes]:
        assert self._reader is not None
        missing = member.size
        while missing > 0:
            piece = self._reader.read(min(_PIECE, missing))
            if not piece:
                raise ImageError("the tar is cut short")
            missing -= len(piece)
            yield piece


def refuse_options(symlink: bool, score_prefix: bool) -> None:
    """Tars hold no links, and their keys stay as they are. Raises UsageError."""
    if symlink:
        raise UsageError("--symlink makes links, and tars that hold some are of no use elsewhere")
    if score_prefix:
        raise UsageError("--score-prefix would change the keys of samples; the scores are in --results")

"""The keys of kept samples in a file, one a line: what a training script selects by, without a byte of a shard copied."""

from __future__ import annotations

import contextlib
import filecmp
import os
from collections import Counter
from collections.abc import Sequence
from typing import IO

from cliqa.errors import ImageError, RunError, UsageError
from cliqa.files.atomic import name_finished, part_name, sweep_beside
from cliqa.inputs.contents import Held, Sample, Slice
from cliqa.inputs.member_names import TABLE_SUFFIXES, split_member_path
from cliqa.outputs import Placer
from cliqa.records import Source
from cliqa.text import display, reason


class KeyList(Placer):
    """Writes keys beside and gives the list its name when the run is over.

    Args:
        path: of the list.
        end: what ends a key: a line feed, or a zero byte.
        resume: accept a list that is there, where it holds what this run writes.
    """

    def __init__(self, path: str, end: bytes = b"\n", resume: bool = False) -> None:
        self.path = path
        self.already = 0
        self._end = end
        self._resume = resume
        self._part = ""
        self._stream: IO[bytes] | None = None
        self._samples = WholeSamples()

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse a list that is there, unless resuming. Raises UsageError."""
        if os.path.lexists(self.path) and not (self._resume and os.path.isfile(self.path)):
            raise UsageError(f"{display(self.path)} exists; give another name")

    def __enter__(self) -> KeyList:
        folder = os.path.dirname(self.path) or os.curdir
        try:
            os.makedirs(folder, exist_ok=True)
            if self._resume:
                sweep_beside(self.path)
            self._part = os.path.join(folder, part_name())
            self._stream = open(self._part, "xb")
        except OSError as error:
            raise self._lost(error) from error
        return self

    def place(self, source: Source, *_: object) -> None:
        """List the key of an image's sample, once all images of it are kept.

        Raises:
            ImageError: it belongs to no sample.
            RunError: the list can't be written.
        """
        key = self._samples.key(source)
        if key is None:
            return
        assert self._stream is not None
        try:
            self._stream.write(os.fsencode(key) + self._end)
        except OSError as error:
            raise self._lost(error) from error

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._stream is not None
        try:
            self._stream.close()
            if kind is None:
                self._put_in_place()
        except OSError as failure:
            if kind is None:
                raise self._lost(failure) from failure
        finally:
            with contextlib.suppress(OSError):  # it has got its name, most times
                os.unlink(self._part)

    def _put_in_place(self) -> None:
        try:
            name_finished(self._part, self.path)
        except FileExistsError:
            if not (self._resume and filecmp.cmp(self._part, self.path, shallow=False)):
                raise RunError(f"{display(self.path)} exists and holds other keys; give another name") from None

    def _lost(self, error: OSError) -> RunError:
        return RunError(f"{display(self.path)} can't be written: {reason(error)}")


class WholeSamples:
    """Counts the kept images of the samples of one shard after the other: a sample is kept when all of them are."""

    def __init__(self) -> None:
        self._shard = ""
        self._kept: Counter[str] = Counter()

    def complete(self, sample: Sample) -> bool:
        """Take one kept image in; whether it was the sample's last."""
        if sample.shard != self._shard:
            self._shard = sample.shard
            self._kept.clear()
        self._kept[sample.key] += 1
        return self._kept[sample.key] >= sample.images and self._kept.pop(sample.key) > 0

    def key(self, source: Source) -> str | None:
        """The key of a kept image's sample (of a table: its row's), None while images of the sample are missing.

        Raises:
            ImageError: it belongs to no sample.
        """
        content = source.content
        if isinstance(content, (Slice, Held)) and content.sample is not None:
            return content.sample.key if self.complete(content.sample) else None
        parts = split_member_path(source.path)
        if content is None or parts is None or not parts[0].lower().endswith(TABLE_SUFFIXES):
            raise ImageError("is no member of a shard, and only those have keys")
        return parts[1]

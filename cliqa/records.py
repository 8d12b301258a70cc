"""What comes out of a run: one record or one issue for every input file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from cliqa.errors import ImageIssue

Scalar = float | int | str | bool | None


@dataclass(frozen=True)
class State:
    """By what a file is known to be the same: its size in bytes and its time of change, None where that can't be told."""

    size: int
    mtime_ns: int | None


class Content(Protocol):
    """The bytes of a source that is no file of its own: a member of a shard, a row of a table, an object of a store."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def mtime_ns(self) -> int | None:
        """When what holds it was changed; None where that can't be told."""

    def read(self) -> bytes:
        """All bytes. Raises ImageIssue where they can't be had."""

    def released(self) -> Content:
        """The same without the bytes themselves, itself where it holds none."""


def real_path(path: str) -> str:
    """The absolute path with every link followed, that of the file itself too; an address stays as it is."""
    return path if "://" in path or "\0" in path else os.path.realpath(path)


@dataclass(frozen=True)
class Source:
    """One input file.

    Attributes:
        path: by which it is known in results; that of a file unless there is `content`.
        folder: where it lies below the input folder ("" at the top), for mirroring the tree.
        content: where its bytes are, if not in a file at `path`.
    """

    path: str
    folder: str = ""
    content: Content | None = field(default=None, compare=False)

    def state(self) -> State | None:
        """Size and time of change; None where there is no such file."""
        if self.content is not None:
            return State(self.content.size, self.content.mtime_ns)
        try:
            status = os.stat(self.path)
        except (OSError, ValueError):  # a path with a zero byte
            return None
        return State(status.st_size, status.st_mtime_ns)

    def released(self) -> Source:
        """The same without the bytes it may carry, itself where it carries none."""
        content = self.content.released() if self.content is not None else None
        return self if content is self.content else replace(self, content=content)

    @cached_property
    def real_path(self) -> str:
        """By which the file is known again, however its path is spelled: see `real_path`."""
        return real_path(self.path)


@dataclass
class Record:
    """A file that was scored: `facts` of the file, `values` under `metric.field`.

    A metric that could not score a file that others could leaves None in its fields and a line in `notes`.
    """

    source: Source
    facts: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Scalar] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path as it was given or found."""
        return self.source.path

    def fields(self, metric: str) -> dict[str, Scalar]:
        """The fields of one metric, under their short names."""
        start = f"{metric}."
        return {name[len(start) :]: value for name, value in self.values.items() if name.startswith(start)}


@dataclass(frozen=True)
class Issue:
    """A file that gave no score. `kind` is "skipped" (sound, but outside the limits) or "error"."""

    source: Source
    kind: str
    message: str
    facts: dict[str, Scalar] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path as it was given or found."""
        return self.source.path

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}: {self.message}"

    @classmethod
    def of(cls, source: Source, error: ImageIssue, facts: dict[str, Scalar] | None = None) -> Issue:
        """The issue that an exception stands for."""
        return cls(source, error.issue_type, str(error), facts or {})

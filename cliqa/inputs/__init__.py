"""Whatever holds pictures (folders, files, standard input, tars, Parquet) -> Sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from cliqa.records import Issue, Source


class Pictures(Protocol):
    """A place that holds pictures: a folder, a stream of paths, a tar, a Parquet file.

    `cliqa.inputs.listing` finds the places that inputs stand for; `cliqa.inputs.members` opens again what a record's path names.

    Attributes:
        path: of the place.
        left_out: what was passed over so far because its name is no image's.
    """

    path: str
    left_out: int

    def __iter__(self) -> Iterator[Source | Issue]:
        """The pictures in order, and an issue for each that can't be had; lazily, nothing dropped silently."""

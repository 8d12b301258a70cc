"""What comes out of a run: one record or one issue for every input file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cliqa.errors import ImageIssue

Scalar = float | int | str | bool | None


@dataclass(frozen=True)
class Source:
    """One input file. `folder` is where it lies below the input folder ("" at the top), for mirroring the tree."""

    path: str
    folder: str = ""

    @property
    def filename(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.path)


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

    @classmethod
    def of(cls, source: Source, error: ImageIssue, facts: dict[str, Scalar] | None = None) -> Issue:
        """The issue that an exception stands for."""
        return cls(source, error.issue_type, str(error), facts or {})

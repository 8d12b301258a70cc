"""The columns of a results file, and rows made from records and back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cliqa.metrics import Field
from cliqa.records import Issue, Record, Scalar, Source

FACTS = (
    "size", "mtime_ns", "sha256", "format", "width", "height", "mode", "bits", "orientation", "frames", "content_box",
    "grey", "flat", "taken", "camera", "exposure_value",
)  # fmt: skip
REAL_COLUMNS = {"exposure_value"}
INTEGER_COLUMNS = {"kept", "size", "mtime_ns", "width", "height", "bits", "orientation", "frames", "grey", "flat"}
TEXT_COLUMNS = {
    "path", "filename", "placed", "sha256", "format", "mode", "notes", "weights", "issue_type", "issue_message", "real_path",
    "content_box", "taken", "camera",
}  # fmt: skip
ISSUE_COLUMNS = ("path", "filename", "issue_type", "issue_message", "size", "mtime_ns", "weights", "real_path")
Row = dict[str, Any]


@dataclass(frozen=True)
class Schema:
    """The columns of one run. `metrics` maps a metric's name to its fields, `weights` to its weights' fingerprint."""

    metrics: Mapping[str, Sequence[Field]]
    weights: Mapping[str, str]

    @property
    def score_columns(self) -> list[str]:
        """`metric.field` for every field."""
        return [f"{name}.{field.name}" for name, fields in self.metrics.items() for field in fields]

    @property
    def columns(self) -> list[str]:
        """All columns of the scores, in order."""
        return ["path", "filename", "kept", "placed", *self.score_columns, *FACTS, "notes", "weights", "real_path"]

    @property
    def weights_mark(self) -> str:
        """The weights of all metrics in one text, by which a resumed run knows its own rows."""
        return write_mark(self.weights)

    def covered_by(self, mark: str) -> bool:
        """Whether a row with this mark has the scores of all metrics, by the weights of this run."""
        return read_mark(mark).items() >= dict(self.weights).items()

    def type_of(self, column: str) -> type:
        """The Python type of a column's values."""
        if column in INTEGER_COLUMNS:
            return int
        if column in REAL_COLUMNS:
            return float
        name, _, short = column.rpartition(".")
        for field in self.metrics.get(name, ()):
            if field.name == short:
                return {"float": float, "int": int, "str": str}[field.kind]
        return str

    def score_row(self, record: Record, kept: bool | None, placed: str | None) -> Row:
        """One row of scores."""
        path = record.source.path
        row: Row = {"path": path, "filename": os.path.basename(path), "placed": placed}
        row["kept"] = None if kept is None else int(kept)
        row |= {name: record.values.get(name) for name in self.score_columns}
        row |= {name: record.facts.get(name) for name in FACTS}
        row |= {"notes": "; ".join(record.notes) or None, "weights": self.weights_mark}
        return row | {"real_path": record.source.real_path}

    def record(self, row: Row, source: Source) -> Record:
        """A record again, from a row as any of the files holds it."""
        values: dict[str, Scalar] = {name: self._typed(name, row.get(name)) for name in self.score_columns}
        facts: dict[str, Scalar] = {name: self._typed(name, row.get(name)) for name in FACTS}
        return Record(source, facts, values, [row["notes"]] if row.get("notes") else [])

    def _typed(self, column: str, value: Any) -> Scalar:
        if value is None or value == "":
            return None
        typed: Scalar = self.type_of(column)(value)
        return typed

    def issue_row(self, issue: Issue) -> Row:
        """One row of issues."""
        return {
            "path": issue.path,
            "filename": os.path.basename(issue.path),
            "issue_type": issue.kind,
            "issue_message": issue.message,
            "size": issue.facts.get("size"),
            "mtime_ns": issue.facts.get("mtime_ns"),
            "weights": self.weights_mark,
            "real_path": issue.source.real_path,
        }


def write_mark(weights: Mapping[str, str]) -> str:
    """`{"grain_noise": "1f…"}` -> `grain_noise=1f…`, metrics in order of name, a blank between."""
    return " ".join(f"{name}={mark}" for name, mark in sorted(weights.items()))


def read_mark(mark: str) -> dict[str, str]:
    """The inverse of `write_mark`."""
    pairs = (word.rpartition("=") for word in mark.split())
    return {name: version for name, _, version in pairs}


@dataclass(frozen=True)
class Done:
    """What an earlier run recorded of a file, to know whether it is the same file scored by the same weights."""

    size: int | None
    mtime_ns: int | None
    sha256: str | None
    weights: str
    table: str
    row: Row


def done_of(table: str, row: Row) -> Done:
    """What a saved row says of its file; a damaged number is none, so that the file is scored again."""
    return Done(
        _integer(row.get("size")), _integer(row.get("mtime_ns")), row.get("sha256") or None,
        str(row.get("weights") or ""), table, row,
    )  # fmt: skip


def _integer(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None

"""What earlier runs saved of a file that is still the same: the one rule by which every command resumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cliqa.errors import DAMAGED
from cliqa.inputs.contents import source_sha256
from cliqa.records import Record, Source, State
from cliqa.results.live import Results
from cliqa.results.schema import Done


@dataclass(frozen=True)
class Saved:
    """A file's saved scores.

    Attributes:
        record: the scores and facts; `mtime_ns` is the present one.
        kept: whether the earlier run kept it; None where it had nothing to decide.
        placed: where that run placed it, None where it did not.
        touched: whether only the file's time has changed (known with `by_content` alone).
    """

    record: Record
    kept: bool | None
    placed: str | None
    touched: bool = False


class Earlier:
    """Looks files up in the results of earlier runs.

    Args:
        results: what a run goes on with.
        by_content: a file is the same one if its SHA-256 is, whatever its time; else if its size and time are.
        damaged: the scores of damaged data count too; else such a file is looked at again, and becomes an issue.
    """

    def __init__(self, results: Results, by_content: bool = False, damaged: bool = False) -> None:
        self._results = results
        self._by_content = by_content
        self._damaged = damaged

    def saved(self, source: Source) -> Saved | None:
        """The scores of this very file by these very weights; None where it is to be scored (again)."""
        done = self._results.find(source)
        if done is None or done.table != "scores" or not self._results.schema.covered_by(done.weights):
            return None
        if not self._damaged and DAMAGED in str(done.row.get("notes") or ""):
            return None
        state = source.state()
        if state is None or not self._is_same(source, state, done):
            return None
        try:
            record = self._results.schema.record(done.row, source.released())
        except (TypeError, ValueError):  # a damaged row: scoring the file again repairs it
            return None
        record.facts["mtime_ns"] = state.mtime_ns
        return Saved(record, _kept(done.row), _placed(done), state.mtime_ns != done.mtime_ns)

    def placed(self, source: Source) -> str | None:
        """Where an earlier run placed this very file, by whatever weights it was scored."""
        done = self._results.find(source)
        state = source.state() if done is not None else None
        return _placed(done) if done is not None and state is not None and _same_time(state, done) else None

    def _is_same(self, source: Source, state: State, done: Done) -> bool:
        if not self._by_content:
            return _same_time(state, done)
        return done.sha256 is not None and state.size == done.size and source_sha256(source) == done.sha256


def _same_time(state: State, done: Done) -> bool:
    """Equal, not older or newer: clocks go backwards, and archives restore old times. An unknown time equals none."""
    return state.mtime_ns is not None and (state.size, state.mtime_ns) == (done.size, done.mtime_ns)


def _placed(done: Done) -> str | None:
    return str(done.row["placed"]) if done.row.get("placed") else None


def _kept(row: Mapping[str, Any]) -> bool | None:
    value = row.get("kept")
    return None if value in (None, "") else str(value) in ("1", "True")

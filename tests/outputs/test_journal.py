"""Journals of moves: written before each step, read back without what was not taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from cliqa.errors import UsageError
from cliqa.outputs.journal import Journal, Step, is_journal, journal_name, journals, read_journal
from cliqa.outputs.moving import undo
from cliqa.records import State


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no journal"):
        undo(str(tmp_path / "none.jsonl"))
    (tmp_path / "notes.txt").write_text("buy milk\n")
    with pytest.raises(UsageError, match="is no journal of moves"):
        undo(str(tmp_path / "notes.txt"))
    with pytest.raises(UsageError, match="no journal of moves in"):
        list(journals(str(tmp_path)))


def test_steps_are_read_back_without_what_was_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "moves.jsonl"
    journal = Journal(str(path))
    steps = [Step(f"/in/{name}", f"/out/{name}", State(3, 5)) for name in "abc"]
    for step in steps:
        journal.note(step)
    journal.void("/out/b")
    journal.close()
    with open(path, "ab") as stream:
        stream.write(b'{"from": "/in/d", "to": "/o')  # a run that was killed while it wrote
    assert read_journal(str(path)) == [steps[0], steps[2]]
    again = Journal(str(path))
    again.note(Step("/in/e", "/out/e", State(1, 2)))
    again.close()
    assert [step.source for step in read_journal(str(path))] == ["/in/a", "/in/c", "/in/e"]


def test_journals_of_a_folder_come_newest_first(tmp_path: Path) -> None:
    for time in ("20250101-000000", "20260101-000000"):
        (tmp_path / journal_name(time)).touch()
    (tmp_path / "other.jsonl").touch()
    found = [Path(name).name for name in journals(str(tmp_path))]
    assert len(found) == 2 and "2026" in found[0] and "2025" in found[1] and all(map(is_journal, found))
    assert list(journals("no/such.jsonl")) == ["no/such.jsonl"]

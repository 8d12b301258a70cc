"""Marks in the store: on the disk at once, undone across sessions, beside the scores."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cliqa.errors import ResultsError
from cliqa.metrics import Field
from cliqa.records import Record, Source
from cliqa.results import Schema, open_results
from cliqa.results.store import Store
from cliqa.view.home import kept_file
from cliqa.view.marks import Mark, MarkBook


def test_marks_are_kept_changed_and_undone(tmp_path: Path) -> None:
    book = MarkBook(str(tmp_path / "new" / "scores.db"))
    assert book.change(["a.jpg", "b.jpg"], {"flag": "keep"}) == {"a.jpg": Mark("keep"), "b.jpg": Mark("keep")}
    assert book.change(["a.jpg"], {"stars": 4}) == {"a.jpg": Mark("keep", 4)}
    assert book.change(["b.jpg"], {"flag": None}) == {"b.jpg": Mark()}
    assert book.all() == {"a.jpg": Mark("keep", 4)}
    book.close()
    book = MarkBook(str(tmp_path / "new" / "scores.db"))
    assert book.undo() == {"b.jpg": Mark("keep")}
    assert book.undo() == {"a.jpg": Mark("keep")}
    assert book.undo() == {"a.jpg": Mark(), "b.jpg": Mark()}
    assert book.undo() == {} and book.all() == {}
    book.close()


def test_names_that_are_no_text_are_names(tmp_path: Path) -> None:
    name = os.fsdecode(b"photos/\xff\xfe.jpg")
    book = MarkBook(str(tmp_path / "scores.db"))
    book.change([name], {"flag": "drop"})
    assert book.all() == {name: Mark("drop")}
    book.close()


def test_what_is_no_mark_is_refused(tmp_path: Path) -> None:
    book = MarkBook(str(tmp_path / "scores.db"))
    for difference in ({"flag": "maybe"}, {"stars": 6}, {"stars": -1}):
        with pytest.raises(ValueError):
            book.change(["a.jpg"], difference)
    assert book.all() == {}
    book.close()
    (tmp_path / "no.db").write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(ResultsError):
        MarkBook(str(tmp_path / "no.db"))


def test_a_run_fills_the_store_in_which_marks_are(tmp_path: Path) -> None:
    path = str(tmp_path / "scores.db")
    book = MarkBook(path)
    book.change(["/x/a.jpg"], {"stars": 5})
    schema = Schema({"toy": (Field("one", "first"), Field("two", "second"))}, {"toy": "abc"})
    with open_results(path, schema, resume=True) as results:
        results.write(Record(Source("/x/a.jpg"), {"size": 3}, {"toy.one": 0.5, "toy.two": 1.0}))
        book.change(["/x/b.jpg"], {"flag": "drop"})
    assert book.all() == {"/x/a.jpg": Mark(None, 5), "/x/b.jpg": Mark("drop")}
    with Store(path) as store:
        assert list(store.rows(["path", "toy.one"])) == [("/x/a.jpg", 0.5)]
        assert store.score_columns == ["toy.one", "toy.two"], "in the order of the metric"
    book.close()


def test_no_mark_that_was_confirmed_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from cliqa.view.marks import MarkBook
        book = MarkBook(sys.argv[1])
        for number in range(10_000):
            book.change([f"{number}.jpg"], {"flag": "keep"})
            print(number, flush=True)
    """)
    path = str(tmp_path / "scores.db")
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 40:
                break
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        told = [40, *(int(line) for line in process.stdout if line.strip().isdigit())]
    connection = sqlite3.connect(path)
    kept = {name for (name,) in connection.execute("SELECT real_path FROM marks")}
    connection.close()
    assert {f"{number}.jpg" for number in range(told[-1] + 1)} <= kept


def test_a_state_folder_that_cannot_be_made_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "file"))
    with pytest.raises(ResultsError, match="CLIQA_STATE names another folder") as raised:
        MarkBook(kept_file(str(tmp_path), ".db"))
    assert "[Errno" not in str(raised.value)
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "state"))
    with pytest.raises(ResultsError) as raised:
        MarkBook(str(tmp_path / "file" / "named.db"))
    assert "CLIQA_STATE" not in str(raised.value)

"""Columns, rows and marks."""

from __future__ import annotations

import pytest

from cliqa.records import Source
from cliqa.results.schema import ISSUE_COLUMNS, Schema, done_of, read_mark, write_mark
from tests.saved_results import SCHEMA, issue, record


def test_a_row_has_every_column_and_gives_its_record_back() -> None:
    made = record("a/b.png", 0.1 + 0.2, ["one", "two"])
    row = SCHEMA.score_row(made, True, "out/b.png")
    assert set(row) == set(SCHEMA.columns) and row["kept"] == 1 and row["filename"] == "b.png"
    again = SCHEMA.record(row, made.source)
    assert again.values == made.values and again.notes == ["one; two"]
    assert {name: value for name, value in again.facts.items() if value is not None} == made.facts


def test_texts_of_a_table_become_the_types_of_their_columns() -> None:
    texts = {"toy.mean": "0.25", "toy.label": "7", "width": "40", "notes": ""}
    found = SCHEMA.record(texts, Source("a"))
    assert found.values == {"toy.mean": 0.25, "toy.label": "7"} and found.facts["width"] == 40 and found.notes == []
    with pytest.raises(ValueError, match="forty"):
        SCHEMA.record({"width": "forty"}, Source("a"))


def test_an_issue_has_its_columns() -> None:
    row = SCHEMA.issue_row(issue("a.png"))
    assert tuple(row) == ISSUE_COLUMNS and row["issue_type"] == "error" and row["size"] == 3


def test_marks_cover_the_same_weights_and_more() -> None:
    both = write_mark({"toy": "abc123", "other": "1"})
    assert both == "other=1 toy=abc123" and read_mark(both) == {"toy": "abc123", "other": "1"}
    assert SCHEMA.covered_by(both) and SCHEMA.covered_by("toy=abc123")
    assert not SCHEMA.covered_by("toy=abc124") and not SCHEMA.covered_by("other=1")
    assert Schema({}, {}).covered_by("")
    assert read_mark("package:Class=ab=cd") == {"package:Class=ab": "cd"}  # the last one parts


def test_damaged_numbers_are_no_numbers() -> None:
    done = done_of("scores", {"size": "12x", "mtime_ns": "7", "sha256": "", "weights": None})
    assert (done.size, done.mtime_ns, done.sha256, done.weights) == (None, 7, None, "")

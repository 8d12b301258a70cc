"""The documented files of `predict_jpeg_qf`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cliqa.errors import ResultsError
from cliqa.metrics import Field
from cliqa.records import Issue, Record, Source
from cliqa.results import Schema
from cliqa.results.faces import csv_cells
from cliqa.results.predictions import open_predictions

SCHEMA = Schema({"jpeg_qf": (Field("qf_final", "the quality", 1, 100, kind="int"),)}, {"jpeg_qf": "w1"})


def predict(paths: dict[str, str], names: list[str], resume: bool = False) -> None:
    with open_predictions(paths, SCHEMA, resume) as results:
        for name in names:
            results.write(Record(Source(name), {"size": 1, "mtime_ns": 2}, {"jpeg_qf.qf_final": 90}))
        results.issue(Issue(Source("bad.jpg"), "skipped", "too small"))


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    return {
        "predictions": str(tmp_path / "p.csv"),
        "issues": str(tmp_path / "i.csv"),
        "database": str(tmp_path / "d.db"),
    }


def test_the_files_have_the_documented_columns(paths: dict[str, str]) -> None:
    predict(paths, ["x/a.jpg"])
    assert list(csv_cells(paths["predictions"])) == [["path", "filename", "pred_qf_final"], ["x/a.jpg", "a.jpg", "90"]]
    assert list(csv_cells(paths["issues"]))[1] == ["bad.jpg", "bad.jpg", "skipped", "too small"]
    connection = sqlite3.connect(paths["database"])
    assert connection.execute("SELECT path, pred_qf_final FROM predictions").fetchall() == [("x/a.jpg", 90)]
    assert connection.execute("SELECT issue_type FROM issues").fetchall() == [("skipped",)]
    connection.close()


def test_an_existing_file_stays_and_a_resumed_run_goes_on_with_it(paths: dict[str, str], tmp_path: Path) -> None:
    predict(paths, ["a.jpg"])
    predict(paths, ["b.jpg"], resume=True)
    assert [row[0] for row in csv_cells(paths["predictions"])] == ["path", "a.jpg", "b.jpg"]
    predict(paths, ["c.jpg"])
    assert [row[0] for row in csv_cells(paths["predictions"])] == ["path", "a.jpg", "b.jpg"]
    (new,) = [path for path in tmp_path.glob("p*.csv") if path != Path(paths["predictions"])]
    assert [row[0] for row in csv_cells(str(new))] == ["path", "c.jpg"]


def test_a_file_of_something_else_is_refused_untouched(paths: dict[str, str]) -> None:
    Path(paths["predictions"]).write_text("name,price\nx,3\n")
    with pytest.raises(ResultsError):
        predict(paths, ["a.jpg"], resume=True)
    assert Path(paths["predictions"]).read_text() == "name,price\nx,3\n"

"""The options of `cliqa report`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cliqa.report.__main__ import DEFAULT_MAX_ROWS, DEFAULT_THUMBNAILS, main, parser


def test_defaults_and_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    options = parser().parse_args(["scores.db"])
    assert (options.output, options.thumbnails, options.max_rows) == (
        "report.html",
        DEFAULT_THUMBNAILS,
        DEFAULT_MAX_ROWS,
    )
    assert parser().parse_args(["scores.db", "--thumbnails", "0"]).thumbnails == 0
    for words in (["--max-rows", "0"], ["--thumbnails", "-1"], ["--workers", "0"]):
        with pytest.raises(SystemExit):
            parser().parse_args(["scores.db", *words])
    capsys.readouterr()


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.db"), "-o", str(tmp_path / "r.html")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("report: there is no results file") and told.count("\n") == 1
    assert not (tmp_path / "r.html").exists()

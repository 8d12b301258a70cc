"""What every filter does with its records, in this process."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.cli.console import Console, PathPrinter
from cliqa.cli.guard import guarded
from cliqa.cli.setup import schema_of
from cliqa.errors import RunError
from tests.filter_runs import filter_, names, scores
from tests.hostile_names import make_hostile
from tests.toy_metric import Brightness, Faulty

BRIGHT = {"a.png": 50, "b.png": 120, "c.png": 200, "bad.jpg": b"text"}


def test_kept_files_are_copied_and_all_are_recorded(
    make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out, results = make_folder(BRIGHT), tmp_path / "out", tmp_path / "r.csv"
    assert filter_("-i", root, "-o", out, "--results", results) == 0
    assert names(out) == ["b.png", "c.png"] and names(root) == sorted(BRIGHT)
    rows = scores(results)
    assert [(Path(path).name, row["kept"], row["brightness.mean"]) for path, row in rows.items()] == [
        ("a.png", "0", "50.0"), ("b.png", "1", "120.0"), ("c.png", "1", "200.0"),
    ]  # fmt: skip
    assert rows[str(root / "b.png")]["placed"] == str(out / "b.png")
    (issue,) = scores(tmp_path / "r.issues.csv").values()
    assert (issue["filename"], issue["issue_type"]) == ("bad.jpg", "error")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[-1] == "2 of 3 images kept; 1 with issues"


def test_options_of_the_output(
    make_folder: Callable[..., Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_folder(BRIGHT | {"sub/d.png": 255})
    assert filter_("-i", root, "-o", tmp_path / "prefix", "--score-prefix") == 0
    assert names(tmp_path / "prefix") == ["120_b.png", "200_c.png"]
    assert filter_("-i", root, "-o", tmp_path / "invert", "--invert", "-r", "--symlink") == 0
    assert names(tmp_path / "invert") == ["a.png"]
    assert os.readlink(tmp_path / "invert" / "a.png") == str(root / "a.png")
    assert filter_("-i", root, "-o", tmp_path / "tree", "-r", "--mean", "201") == 0
    assert names(tmp_path / "tree") == [os.path.join("sub", "d.png")]
    assert filter_("-i", root, "-o", tmp_path / "dry", "--dry-run", "--results", tmp_path / "dry.csv") == 0
    assert not (tmp_path / "dry").exists() and len(scores(tmp_path / "dry.csv")) == 3
    told = capfd.readouterr().err.splitlines()
    assert [line for line in told if line.startswith(str(root))] == [str(root / "b.png"), str(root / "c.png")]
    assert "-r" in told[-1] and "1 more in sub-folders" in told[-1]
    assert filter_("-i", root, "-o", tmp_path / "dry", "--dry-run", "--print") == 0
    shown = capfd.readouterr()
    assert shown.out.splitlines() == [str(root / "b.png"), str(root / "c.png")] and str(root / "b.png") not in shown.err
    assert filter_("-i", root / "c.png", "-o", tmp_path / "one") == 0
    assert names(tmp_path / "one") == ["c.png"]


def test_exit_statuses(make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_folder(BRIGHT)
    assert filter_("-i", root, "-o", tmp_path / "out", "--strict") == 3
    assert filter_("-i", root / "a.png", "--dry-run", "--strict") == 0
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "results.csv").write_text("mine")
    wrong: list[tuple[int, list[str | Path]]] = [
        (1, ["-i", tmp_path / "missing", "-o", tmp_path / "new"]),
        (2, ["-i", root, "-o", root]),
        (2, ["-i", root, "-o", root / "inner"]),
        (2, ["-i", root, "-o", tmp_path / "file"]),
        (2, ["-i", root, "-o", tmp_path / "new", "--results", tmp_path / "results.csv"]),
        (1, ["-i", root, "-o", tmp_path / "new", "--results", tmp_path / "results.csv", "--resume"]),
        (2, ["-i", root, "-o", tmp_path / "new" / "deep", "--results", tmp_path / "results.txt"]),
        (2, ["-i", root, "-o", tmp_path / "new", "--gpu", "-2"]),
        (2, ["-i", root, "-o", tmp_path / "new", "--exts", ","]),
    ]
    for status, arguments in wrong:
        capsys.readouterr()
        assert filter_(*arguments) == status, arguments
        shown = capsys.readouterr()
        assert len(shown.err.splitlines()) == 1 and shown.out == "", shown
        assert not (tmp_path / "new").exists() and names(root) == sorted(BRIGHT)
    assert (tmp_path / "results.csv").read_text() == "mine"
    for arguments in (
        ["-i", "x"],
        ["-o", "x"],
        ["-i", "x", "-o", "y", "--mean", "256"],
        ["-i", "x", "-o", "y", "--workers", "-1"],
    ):
        with pytest.raises(SystemExit) as caught:
            filter_(*arguments)
        assert caught.value.code == 2


def test_quiet_says_nothing_but_errors(
    make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert filter_("-i", make_folder(BRIGHT), "-o", tmp_path / "out", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert filter_("-i", tmp_path / "missing", "-o", tmp_path / "out", "--quiet") == 1
    assert "there is no input" in capsys.readouterr().err


def test_two_inputs_of_one_name_are_both_kept(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder({"x/a.png": 150, "y/a.png": 160})
    paths = "\0".join(str(path) for path in sorted(root.rglob("*.png"))).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(paths)))
    assert filter_("-i", "-", "-0", "-o", tmp_path / "out", "--results", tmp_path / "r.csv") == 0
    assert names(tmp_path / "out") == ["a.png", "a_1.png"]
    assert [Path(row["placed"]).name for row in scores(tmp_path / "r.csv").values()] == ["a.png", "a_1.png"]


def test_resume_scores_only_what_is_new_and_places_nothing_twice(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root, out, results = make_folder(BRIGHT), tmp_path / "out", tmp_path / "r.csv"
    arguments: list[str | Path] = ["-i", root, "-o", out, "--results", results]
    assert filter_(*arguments) == 0
    before = scores(results)
    make_folder({"d.png": 180})
    with mock.patch.object(Brightness, "score", autospec=True, side_effect=Brightness.score) as scored:
        assert filter_(*arguments, "--resume") == 0
        assert scored.call_count == 1
    assert names(out) == ["b.png", "c.png", "d.png"]
    assert {path: row for path, row in scores(results).items() if not path.endswith("d.png")} == before
    assert len(scores(tmp_path / "r.issues.csv")) == 1


def test_resume_by_another_threshold_uses_the_saved_scores(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root, out, results = make_folder(BRIGHT), tmp_path / "out", tmp_path / "r.csv"
    assert filter_("-i", root, "--results", results, "--mean", "150") == 0
    with mock.patch.object(Brightness, "score", side_effect=AssertionError("scored again")):
        assert filter_("-i", root, "-o", out, "--results", results, "--mean", "40", "--resume") == 0
    assert names(out) == ["a.png", "b.png", "c.png"]
    assert {row["kept"] for row in scores(results).values()} == {"1"}
    with mock.patch.object(Brightness, "score", side_effect=AssertionError("scored again")):
        assert filter_("-i", root, "-o", tmp_path / "other", "--results", results, "--mean", "150", "--resume") == 0
    assert names(tmp_path / "other") == ["c.png"]  # an output of its own
    assert names(out) == ["a.png", "b.png", "c.png"]  # and nothing is taken away


def test_resume_with_changed_files_or_settings_scores_again_but_places_once(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root, out, results = make_folder(BRIGHT), tmp_path / "out", tmp_path / "r.csv"
    arguments: list[str | Path] = ["-i", root, "-o", out, "--results", results, "--resume"]
    assert filter_(*arguments) == 0
    with mock.patch.object(Brightness, "score", autospec=True, side_effect=Brightness.score) as scored:
        assert filter_(*arguments, "--num-patches", "4") == 0
        assert scored.call_count == 3
    assert names(out) == ["b.png", "c.png"]
    make_folder({"a.png": 220, "bad.jpg": 230})
    assert filter_(*arguments, "--num-patches", "4") == 0
    assert names(out) == ["a.png", "b.png", "bad.jpg", "c.png"]
    assert [row["brightness.mean"] for row in scores(results).values()] == ["220.0", "120.0", "200.0", "230.0"]
    assert scores(tmp_path / "r.issues.csv") == {}
    (root / "c.png").write_bytes(b"broken now")
    assert filter_(*arguments, "--num-patches", "4") == 0
    assert [Path(path).name for path in scores(tmp_path / "r.issues.csv")] == ["c.png"]
    assert [Path(path).name for path in scores(results)] == ["a.png", "b.png", "bad.jpg"]


def test_a_file_that_goes_before_it_is_placed_is_an_issue(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root, results = make_folder({"a.png": 150, "b.png": 160}), tmp_path / "r.csv"
    real = Brightness.score

    def score(self: Brightness, observations: list[object]) -> object:
        (root / "a.png").unlink(missing_ok=True)
        return real(self, observations)  # type: ignore[arg-type]

    with mock.patch.object(Brightness, "score", score):
        assert filter_("-i", root, "-o", tmp_path / "out", "--results", results, "--strict") == 3
    assert names(tmp_path / "out") == ["b.png"]
    (issue,) = scores(tmp_path / "r.issues.csv").values()
    assert issue["issue_message"] == "has gone since it was scored"
    (root / "b.png").unlink()  # and the same on resume, from saved scores
    assert filter_("-i", root, "-o", tmp_path / "again", "--results", results, "--resume") == 0


def test_a_fault_of_ours_is_one_line_and_loses_nothing(
    make_folder: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = make_folder({f"{n}.png": 150 for n in range(4)})
    Faulty.scored = 0
    assert filter_("-i", root, "--results", tmp_path / "r.csv", metric="Faulty") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "internal error: ZeroDivisionError: a fault of mine" in line and "CLIQA_DEBUG" in line
    assert len(scores(tmp_path / "r.csv")) == 2
    monkeypatch.setenv("CLIQA_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        filter_("-i", root, "--dry-run", metric="Faulty")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "db", "parquet"])
def test_hostile_names_go_through_everything(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_folder: Callable[..., Path]
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    content = (make_folder({"x.png": 150}, "one") / "x.png").read_bytes()
    paths = sorted(make_hostile(tmp_path / "in", content), key=os.fsencode)
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed))
    arguments = [
        "-i",
        tmp_path / "in",
        "-o",
        tmp_path / "out",
        "--results",
        tmp_path / f"r.{kind}",
        "--print",
        "-0",
        "--score-prefix",
    ]
    assert filter_(*arguments) == 0
    assert [os.fsdecode(path) for path in printed.getvalue().split(b"\0")[:-1]] == paths
    assert names(tmp_path / "out") == sorted("150_" + os.path.basename(path) for path in paths)
    printed.seek(0)
    printed.truncate()
    with mock.patch.object(Brightness, "score", side_effect=AssertionError("scored again")):
        assert filter_(*arguments, "--resume") == 0
    assert len(printed.getvalue().split(b"\0")) == len(paths) + 1
    assert len(names(tmp_path / "out")) == len(paths)


def test_messages_are_safe_for_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_hostile(tmp_path / "in", b"text")
    assert filter_("-i", tmp_path / "in", "--dry-run") == 0
    shown = capsys.readouterr().err
    assert "\x1b" not in shown and "\r" not in shown and "\\x1b[31mred" in shown
    assert all(line.startswith("error: ") for line in shown.splitlines()[:-1])


def test_a_closed_output_is_told(make_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.BytesIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match="No space left"):
        PathPrinter(stream=Full())("a")
    with mock.patch.object(sys, "stdout", None), pytest.raises(RunError, match="closed"):
        PathPrinter()
    with mock.patch.object(sys, "stdin", None):
        assert filter_("-i", "-", "--dry-run") == 2
    assert "no standard input" in capsys.readouterr().err
    with mock.patch.object(sys, "stderr", None):
        Console("x").error("nobody listens")
        assert not Console("x").terminal
    assert capsys.readouterr().out == ""


def test_signals_and_faults_have_their_status(capsys: pytest.CaptureFixture[str]) -> None:
    def stop(_: Console) -> int:
        raise KeyboardInterrupt

    assert guarded("x", False, stop) == 130
    assert "interrupted" in capsys.readouterr().err
    with mock.patch("os.dup2") as dup2, mock.patch("os.open", return_value=99):
        assert guarded("x", True, mock.Mock(side_effect=BrokenPipeError)) == 1
    dup2.assert_called_once_with(99, 1)
    assert capsys.readouterr() == ("", "")


def test_another_number_of_patches_marks_rows_as_other() -> None:
    usual, fewer = schema_of([Brightness({}, {})]), schema_of([Brightness({}, {})], 4)
    assert usual.weights_mark == "brightness=none" and not usual.covered_by(fewer.weights_mark)
    assert fewer.covered_by(fewer.weights_mark)


def test_a_second_run_counts_names_and_takes_away(
    make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = make_folder(BRIGHT | {"b.cr2": b"raw"}), tmp_path / "out"
    assert filter_("-i", root, "-o", out, "--with-companions") == 0
    assert names(out) == ["b.cr2", "b.png", "c.png"]
    assert filter_("-i", root, "-o", out, "--mean", "150") == 0
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("1 of 3 images kept; 1 already there")
    assert f"placed by an earlier run, dropped by this one: {out / 'b.png'}" in told
    assert filter_("-i", root, "-o", out, "--mean", "150", "--sync") == 0
    assert names(out) == ["c.png"] and names(root) == sorted([*BRIGHT, "b.cr2"])
    assert filter_("-i", root, "--print", "--sync") == 2

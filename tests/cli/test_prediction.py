"""`predict_jpeg_qf`: the documented options, files, fields and refusals."""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ResultsError
from cliqa.metrics import checkpoints
from cliqa.metrics.jpeg_qf import JpegQf
from cliqa.predict_jpeg_qf import main, parser
from cliqa.results import Schema
from cliqa.results.predictions import free_path, open_predictions
from tests.conftest import encode

SCHEMA = Schema({"jpeg_qf": JpegQf.fields}, {"jpeg_qf": "abc"})
Run = Callable[..., int]


def textured(side: int = 192) -> Image.Image:
    """Smooth noise: enough texture for the variance rule."""
    rng = np.random.default_rng(3)
    small = Image.fromarray(rng.integers(40, 216, (side // 4, side // 4, 3), dtype=np.uint8))
    return small.resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    (photos / "below").mkdir(parents=True)
    textured().save(photos / "a.jpg", quality=83)
    textured().save(photos / "below" / "b.jpeg", quality=40)
    Image.new("RGB", (200, 200), (90, 90, 90)).save(photos / "flat.jpg")
    Image.new("RGB", (64, 200)).save(photos / "narrow.jpg")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a JPEG")
    textured().save(photos / "other.png")
    return photos


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return lambda *words: main([*(str(word) for word in words), "--workers", "0"])


def rows(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_gives_the_documented_files_and_goes_on_past_bad_ones(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--quiet") == 0
    assert rows("outputs/predictions.csv") == [
        {"path": str(folder / "a.jpg"), "filename": "a.jpg", "pred_qf_final": "83"}
    ]
    found = {row["filename"]: row for row in rows("outputs/issues.csv")}
    assert list(rows("outputs/issues.csv")[0]) == ["path", "filename", "issue_type", "issue_message"]
    assert {name: row["issue_type"] for name, row in found.items()} == {
        "broken.jpg": "error", "flat.jpg": "skipped", "narrow.jpg": "skipped",
    }  # fmt: skip
    assert "too little information" in found["flat.jpg"]["issue_message"]
    assert "128" in found["narrow.jpg"]["issue_message"]


def test_recursion_and_exts(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--recursive", "--exts", ".jpeg", "png", "--pred_csv", "p.csv", "--quiet") == 0
    assert [row["filename"] for row in rows("p.csv")] == ["other.png", "b.jpeg"]
    assert rows("p.csv")[1]["pred_qf_final"] == "40"


def test_both_outputs_and_their_tables(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--output-mode", "both", "--output_db", "out/r.db", "--quiet") == 0
    with sqlite3.connect("out/r.db") as connection:
        assert connection.execute("SELECT id, path, filename, pred_qf_final FROM predictions").fetchall() == [
            (1, str(folder / "a.jpg"), "a.jpg", 83.0)
        ]
        columns = [row[1] for row in connection.execute("PRAGMA table_info(issues)")]
        assert columns == ["id", "path", "filename", "issue_type", "issue_message"]
        assert connection.execute("SELECT count(*) FROM issues").fetchone() == (3,)
    assert len(rows("outputs/predictions.csv")) == 1


def test_an_existing_file_is_left_alone_and_the_new_one_gets_the_time(folder: Path, run: Run) -> None:
    Path("mine.csv").write_text("precious\n")
    assert run("--input", folder, "--pred_csv", "mine.csv", "--quiet") == 0
    assert Path("mine.csv").read_text() == "precious\n"
    (new,) = Path().glob("mine_*.csv")
    assert len(rows(new)) == 1


MEMORY = ".predictions.csv.cliqa-live"  # what tells the files again, beside files whose columns don't


def test_resume_goes_on_with_the_same_files(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--quiet") == 0
    textured().save(folder / "c.jpg", quality=61)
    with mock.patch.object(JpegQf, "score", autospec=True, side_effect=JpegQf.score) as scored:
        assert run("--input", folder, "--quiet", "--resume") == 0
        assert scored.call_count == 1
    assert [row["pred_qf_final"] for row in rows("outputs/predictions.csv")] == ["83", "61"]
    assert sorted(os.listdir("outputs")) == [MEMORY, "issues.csv", "predictions.csv"]


@pytest.mark.parametrize("mode", ["csv", "db", "both"])
def test_resume_predicts_a_file_that_was_replaced_anew(folder: Path, run: Run, mode: str) -> None:
    words = ["--input", folder, "--quiet", "--output_mode", mode]
    assert run(*words) == 0
    textured().save(folder / "a.jpg", quality=40)
    assert run(*words, "--resume") == 0
    if mode != "db":
        assert [row["pred_qf_final"] for row in rows("outputs/predictions.csv")] == ["40"]
    if mode != "csv":
        with contextlib.closing(sqlite3.connect("outputs/results.db")) as connection:
            assert connection.execute("SELECT id, pred_qf_final FROM predictions").fetchall() == [(1, 40.0)]


def test_resume_from_files_of_an_older_release_predicts_again_and_loses_nothing(folder: Path, run: Run) -> None:
    """They don't say which file it was that they saw: what is there is predicted, what has gone stays as it is."""
    assert run("--input", folder, "--quiet", "--output_mode", "both") == 0
    (Path("outputs") / MEMORY).unlink()
    with open("outputs/predictions.csv", "a", newline="") as stream:
        csv.writer(stream).writerow(["gone/x.jpg", "x.jpg", "77"])
        stream.write(str(folder / "cut.j"))
    textured().save(folder / "a.jpg", quality=40)
    assert run("--input", folder, "--quiet", "--output_mode", "both", "--resume") == 0
    assert [row["pred_qf_final"] for row in rows("outputs/predictions.csv")] == ["40", "77"]
    with contextlib.closing(sqlite3.connect("outputs/results.db")) as connection:
        assert connection.execute("SELECT pred_qf_final FROM predictions").fetchall() == [(40.0,), (77.0,)]


def test_outputs_that_were_taken_away_are_not_remembered(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--quiet") == 0
    for name in ("predictions.csv", "issues.csv"):
        (Path("outputs") / name).unlink()
    (folder / "a.jpg").unlink()
    assert run("--input", folder, "--quiet", "--resume") == 0
    assert rows("outputs/predictions.csv") == []


def test_resume_drops_the_issues_that_are_settled(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--quiet", "--output_mode", "both") == 0
    issues = len(rows("outputs/issues.csv"))
    assert issues > 0
    broken = folder / rows("outputs/issues.csv")[0]["filename"]
    broken.unlink()
    textured().save(broken, "JPEG", quality=71)
    assert run("--input", folder, "--quiet", "--output_mode", "both", "--resume") == 0
    assert sorted(row["pred_qf_final"] for row in rows("outputs/predictions.csv")) == ["71", "83"]
    assert len(rows("outputs/issues.csv")) == issues - 1
    with contextlib.closing(sqlite3.connect("outputs/results.db")) as connection:
        assert connection.execute("SELECT count(*) FROM issues").fetchone() == (issues - 1,)
    assert sorted(os.listdir("outputs")) == [MEMORY, "issues.csv", "predictions.csv", "results.db"]


def test_two_runs_at_once_write_two_files(tmp_path: Path) -> None:
    paths = {"predictions": str(tmp_path / "p.csv"), "issues": str(tmp_path / "i.csv")}
    with mock.patch("time.strftime", return_value="now"):
        one, other = open_predictions(paths, SCHEMA), open_predictions(paths, SCHEMA)
    with pytest.raises(ResultsError, match="another run"):
        open_predictions(paths, SCHEMA, resume=True)
    one.close()
    other.close()
    names = [name for name in os.listdir(tmp_path) if not name.startswith(".")]
    assert sorted(names) == ["i.csv", "i_now.csv", "p.csv", "p_now.csv"]
    open_predictions(paths, SCHEMA, resume=True).close()


def test_a_single_image_is_shown(folder: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--input", folder / "a.jpg", "--output_mode", "both") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Image: {folder / 'a.jpg'}", "Final QF: 83.0000", "Predictions: ./outputs/predictions.csv",
        "Issues: ./outputs/issues.csv", "Database: ./outputs/results.db", "Device: cpu",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [["--disable_tta"], ["--no-calibrator"], ["--disable-tta", "--no_calibrator"]])
def test_flips_and_the_shipped_calibrator_change_no_whole_number(folder: Path, run: Run, words: Sequence[str]) -> None:
    assert run("--input", folder / "a.jpg", "--quiet", *words) == 0
    assert rows("outputs/predictions.csv")[0]["pred_qf_final"] == "83"


def test_an_own_calibrator_is_applied_unless_it_is_switched_off(folder: Path, run: Run) -> None:
    tensors, facts = checkpoints.load(
        checkpoints.shipped_path("jpeg_qf"), metric="jpeg_qf", architecture=JpegQf.architecture, version=JpegQf.version
    )
    moved = tensors | {"calibrator.y": np.minimum(tensors["calibrator.y"] + 5, 100)}
    checkpoints.save("mine.safetensors", moved, **{**facts, "version": JpegQf.version})  # type: ignore[arg-type]
    Image.open(folder / "a.jpg").save(folder / "a.png")  # pixels alone: a file's own tables would decide
    for words, expected in (([], "88"), (["--no_calibrator"], "83")):
        common = ["--input", folder / "a.png", "--exts", "png", "--ckpt", "mine.safetensors", "--quiet", "--resume"]
        assert run(*common, *words) == 0
        assert rows("outputs/predictions.csv")[0]["pred_qf_final"] == expected


def test_refusals(folder: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--input", folder / "other.png") == 2
    assert "--exts" in capsys.readouterr().err
    monkeypatch.setattr("cliqa.cli.devices.has_cuda_driver", lambda: False)
    assert run("--input", folder, "--device", "cuda") == 1
    assert "no CUDA device" in capsys.readouterr().err
    assert run("--input", folder / "nothing") == 1
    assert run("--input", folder, "--ckpt", folder / "a.jpg") == 1
    assert not Path("outputs").exists()


def test_the_pixel_limit_is_off_until_asked_for(folder: Path, run: Run) -> None:
    assert run("--input", folder, "--enable_pixel_limit", "--max_image_pixels", "36000", "--quiet") == 0
    messages = {row["filename"]: row["issue_message"] for row in rows("outputs/issues.csv")}
    assert "limit" in messages["a.jpg"]
    assert rows("outputs/predictions.csv") == []


def test_damaged_data_are_predicted_where_that_is_asked_for(tmp_path: Path, run: Run) -> None:
    (tmp_path / "in").mkdir()
    whole = encode(textured(), "JPEG", quality=83)
    (tmp_path / "in" / "half.jpg").write_bytes(whole[: len(whole) * 9 // 10] + b"\xff\xd9")
    words = ["--input", tmp_path / "in", "--quiet", "--resume"]
    for damaged, predicted in (("issue", 0), ("score", 1), ("score", 1), ("issue", 0)):
        assert run(*words, "--damaged", damaged) == 0
        assert (len(rows("outputs/predictions.csv")), len(rows("outputs/issues.csv"))) == (predicted, 1 - predicted)


def test_every_documented_name_works_with_dashes_too() -> None:
    for name in (
        "output_mode",
        "pred_csv",
        "issue_csv",
        "output_db",
        "disable_tta",
        "no_calibrator",
        "max_image_pixels",
    ):
        known = parser()._option_string_actions
        assert known[f"--{name}"] is known[f"--{name.replace('_', '-')}"]


def test_free_path_never_returns_a_taken_name(tmp_path: Path) -> None:
    first = tmp_path / "p.csv"
    assert free_path(str(first)) == str(first)
    first.touch()
    second = Path(free_path(str(first)))
    second.touch()
    third = Path(free_path(str(first)))
    assert len({first, second, third}) == 3
    assert not third.exists()


def test_resuming_into_a_foreign_file_is_refused(tmp_path: Path) -> None:
    paths = {"predictions": str(tmp_path / "p.csv"), "issues": str(tmp_path / "i.csv")}
    (tmp_path / "p.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ResultsError, match="other columns"):
        open_predictions(paths, SCHEMA, resume=True)
    assert (tmp_path / "p.csv").read_text() == "a,b\n1,2\n" and os.listdir(tmp_path) == ["p.csv"]
    with contextlib.closing(sqlite3.connect(tmp_path / "contacts.db")) as connection:
        connection.execute("CREATE TABLE people (name TEXT)")
    before = (tmp_path / "contacts.db").read_bytes()
    with pytest.raises(ResultsError, match="something else"):
        open_predictions({"database": str(tmp_path / "contacts.db")}, SCHEMA, resume=True)
    assert (tmp_path / "contacts.db").read_bytes() == before

"""One pass into a store, stopped, resumed, changed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cliqa.metrics import Observation, View
from cliqa.results import ISSUE_COLUMNS
from cliqa.results.store import Store
from cliqa.score import main as score
from tests.conftest import encode
from tests.toy_metric import Brightness

BRIGHTNESS = "tests.toy_metric:Brightness"
FILES: dict[str, int | bytes] = {f"{folder}{n}.png": 10 * n + 5 for n in range(8) for folder in ("", "sub/")}
BAD: dict[str, int | bytes] = {"black.png": 0, "text.jpg": b"no image", "empty.png": b""}


class Contrast(Brightness):
    name = "contrast"


class Counting(Brightness):
    """Counts the images that it looks at, in this process."""

    name = "brightness"
    seen = 0

    @classmethod
    def observe(cls, view: View) -> Observation:
        Counting.seen += 1
        return super().observe(view)


def run(folder: Path, results: Path, *more: str, metric: str = BRIGHTNESS) -> int:
    return score(["-i", str(folder), "-r", "-g", "-1", "--workers", "0", "--quiet", "--metrics", metric,
                  "--results", str(results), *more])  # fmt: skip


def rows(results: Path) -> dict[str, dict[str, Any]]:
    with Store(str(results)) as store:
        return {str(row[0]): dict(zip(store.columns, row, strict=True)) for row in store.rows(store.columns)}


def content(results: Path) -> list[list[tuple[Any, ...]]]:
    with Store(str(results)) as store:
        return [list(store.rows(store.columns)), list(store.issues(ISSUE_COLUMNS))]


def test_every_file_is_a_row_or_an_issue(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(FILES | BAD)
    assert run(folder, tmp_path / "s.db", "--strict") == 3
    saved = rows(tmp_path / "s.db")
    assert sorted(os.path.relpath(path, folder) for path in saved) == sorted(FILES)
    row = saved[str(folder / "sub/3.png")]
    assert row["brightness.mean"] == 35 and row["brightness.label"] == "dark" and row["weights"] == "brightness=none"
    assert (row["format"], row["width"], row["kept"]) == ("PNG", 40, None)
    assert len(row["sha256"]) == 64 and row["size"] == (folder / "sub/3.png").stat().st_size
    with Store(str(tmp_path / "s.db")) as store:
        kinds = {os.path.basename(path): kind for path, kind, _ in store.issues()}
        assert kinds == {"black.png": "skipped", "text.jpg": "error", "empty.png": "error"}
        assert store.inputs == [str(folder)]
        assert store.field("brightness.mean") == Brightness.fields[0]


@pytest.mark.parametrize("suffix", [".db", ".csv", ".jsonl", ".parquet"])
def test_a_second_run_changes_nothing(make_folder: Callable[..., Path], tmp_path: Path, suffix: str) -> None:
    folder = make_folder(FILES | BAD)
    assert run(folder, tmp_path / f"s{suffix}") == 0
    assert run(folder, tmp_path / f"s{suffix}") == 2, "a store that exists is gone on with only when asked for"
    before = content(tmp_path / f"s{suffix}")
    assert run(folder, tmp_path / f"s{suffix}", "--resume") == 0
    assert content(tmp_path / f"s{suffix}") == before


@pytest.mark.parametrize("suffix", [".db", ".csv", ".jsonl", ".parquet"])
def test_changed_files_move_between_scores_and_issues(
    make_folder: Callable[..., Path], tmp_path: Path, suffix: str
) -> None:
    folder = make_folder(FILES | BAD)
    results = tmp_path / f"s{suffix}"
    run(folder, results)
    (folder / "0.png").write_bytes(b"broken now")
    (folder / "empty.png").write_bytes(encode(np.full((40, 40, 3), 77, np.uint8), "PNG"))
    (folder / "1.png").write_bytes(encode(np.full((40, 40, 3), 99, np.uint8), "PNG"))
    run(folder, results, "--resume")
    run(folder, tmp_path / f"fresh{suffix}")
    assert [sorted(map(repr, table)) for table in content(results)] == [
        sorted(map(repr, table)) for table in content(tmp_path / f"fresh{suffix}")
    ]


def test_only_what_is_new_is_scored_again(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(FILES)
    results = tmp_path / "s.db"
    counting = f"{__name__}:Counting"
    run(folder, results, metric=counting)
    assert Counting.seen == len(FILES)
    run(folder, results, "--resume", metric=counting)
    assert Counting.seen == len(FILES)
    os.utime(folder / "0.png")
    run(folder, results, "--resume", "--by-content", metric=counting)
    assert Counting.seen == len(FILES), "the same content under a new time"
    assert rows(results)[str(folder / "0.png")]["mtime_ns"] == (folder / "0.png").stat().st_mtime_ns
    status = (folder / "1.png").stat()
    (folder / "1.png").write_bytes((folder / "2.png").read_bytes().ljust(status.st_size, b"\0")[: status.st_size])
    os.utime(folder / "1.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    run(folder, results, "--resume", metric=counting)
    assert Counting.seen == len(FILES), "size and time are the same"
    run(folder, results, "--resume", "--by-content", metric=counting)
    assert Counting.seen == len(FILES) + 1
    assert run(folder, results, "--by-content") == 2


def test_metrics_meet_in_one_store(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(FILES)
    results = tmp_path / "s.db"
    run(folder, results)
    assert run(folder, results, "--resume", metric=f"{__name__}:Contrast") == 0
    row = rows(results)[str(folder / "2.png")]
    assert row["brightness.mean"] == row["contrast.mean"] == 25
    assert row["weights"] == "brightness=none contrast=none"
    (folder / "2.png").write_bytes(encode(np.full((40, 40, 3), 200, np.uint8), "PNG"))
    run(folder, results, "--resume")
    changed = rows(results)[str(folder / "2.png")]
    assert (changed["brightness.mean"], changed["contrast.mean"]) == (200, None), "scores of the old content are gone"
    assert changed["weights"] == "brightness=none"


def test_new_weights_score_again(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(FILES)
    results = tmp_path / "s.db"
    run(folder, results)
    with sqlite3.connect(results) as connection:
        connection.execute("UPDATE scores SET weights = 'brightness=old', \"brightness.mean\" = -1")
    connection.close()
    run(folder, results, "--resume")
    assert all(row["brightness.mean"] > 0 and row["weights"] == "brightness=none" for row in rows(results).values())


def test_names_of_metrics(make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_folder(FILES)
    assert run(folder, tmp_path / "s.db", metric="jpeg_qualty") == 2
    assert "did you mean jpeg_quality" in capsys.readouterr().err
    assert run(folder, tmp_path / "s.db", metric="grepq.quality") == 2
    assert "grepq is the metric, quality would be its field" in capsys.readouterr().err
    assert run(folder, tmp_path / "s.db", metric="jpeg") == 2
    assert "did you mean jpeg_quality or jpeg_qf?" in capsys.readouterr().err
    assert run(folder, tmp_path / "s.db", "--checkpoint", "x", metric=f"{BRIGHTNESS},{__name__}:Contrast") == 2
    assert not (tmp_path / "s.db").exists()
    assert run(folder, tmp_path / "s.db", metric=f"{BRIGHTNESS},{__name__}:Contrast") == 0


@pytest.mark.parametrize("suffix", [".db", ".csv", ".jsonl", ".parquet"])
def test_killed_and_resumed_is_as_if_nothing_had_happened(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03d}.png").write_bytes(encode(np.full((40, 40, 3), number, np.uint8), "PNG"))
        if number % 25 == 0:
            (folder / f"{number:03d}.jpg").write_bytes(b"broken")
    calm, hurt = tmp_path / f"calm{suffix}", tmp_path / f"hurt{suffix}"
    command = [sys.executable, "-m", "cliqa.score", "-i", str(folder), "-g", "-1", "--workers", "0", "--metrics",
               f"{__name__}:Slow", "--results"]  # fmt: skip
    rng = random.Random(suffix)
    kills = 0
    for _ in range(3):
        process = subprocess.Popen([*command, str(hurt), "--resume"], stderr=subprocess.DEVNULL)
        while process.poll() is None and not any(tmp_path.glob(f"hurt{suffix}*")):
            time.sleep(0.01)
        time.sleep(rng.uniform(0.05, 0.25))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert kills > 0
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    assert subprocess.run([*command, str(hurt), "--resume"], stderr=subprocess.DEVNULL).returncode == 0
    assert subprocess.run([*command, str(calm)], stderr=subprocess.DEVNULL).returncode == 0
    assert content(hurt) == content(calm)
    assert len(content(hurt)[0]) == 149 and len(content(hurt)[1]) == 7


class Slow(Brightness):
    name = "slow"

    @classmethod
    def observe(cls, view: View) -> Observation:
        time.sleep(0.003)
        return super().observe(view)


def test_damaged_data_are_an_issue_or_scored_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    whole = encode(np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8), "JPEG")
    (folder / "whole.jpg").write_bytes(whole)
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    (folder / "a.NEF").write_bytes(b"II*\0")
    words = ["-i", str(folder), "-g", "-1", "--workers", "0", "--metrics", BRIGHTNESS]
    assert score([*words, "--results", str(tmp_path / "a.db"), "--strict"]) == 3
    assert "1 image scored; 1 with issues; 1 RAW file left out" in capsys.readouterr().err
    assert content(tmp_path / "a.db")[1][0][3].startswith("damaged image data: ")
    assert score([*words, "--results", str(tmp_path / "b.db"), "--strict", "--damaged", "score"]) == 0
    half = rows(tmp_path / "b.db")[str(folder / "half.jpg")]
    assert half["notes"].startswith("damaged image data: ") and half["content_box"] in (None, "")


@pytest.mark.parametrize("kind", ["db", "csv"])
def test_a_resumed_run_takes_scores_of_damaged_data_only_where_it_would_give_them(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = encode(np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8), "JPEG")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "whole.jpg").write_bytes(whole)
    (tmp_path / "in" / "half.jpg").write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    saved = tmp_path / f"r.{kind}"
    words = ["-i", str(tmp_path / "in"), "-g", "-1", "--workers", "0", "--metrics", BRIGHTNESS, "--results", str(saved)]

    def told(*more: str) -> str:
        assert score([*words, "--resume", *more]) == 0
        return capsys.readouterr().err

    assert "1 image scored; 1 with issues" in told()
    assert "1 image scored; 1 unchanged since an earlier run" in told("--damaged", "score")
    assert "0 images scored; 2 unchanged since an earlier run" in told("--damaged", "score")
    assert "0 images scored; 1 unchanged since an earlier run; 1 with issues" in told()
    assert list(rows(saved)) == [str(tmp_path / "in" / "whole.jpg")]

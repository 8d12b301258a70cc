"""The clock, other programs and the database: what lies around a run and isn't ours."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa import score
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed
from cliqa.records import Issue, Source
from cliqa.results.predictions import free_path
from cliqa.results.store import Store
from tests import toy_filter
from tests.reliability.commands import TOY
from tests.reliability.touching_metric import Touching


def scored(root: Path, results: Path, *more: str) -> int:
    return score.main(
        ["-i", str(root), "--metrics", TOY, "--results", str(results), "--workers", "0", "--quiet", *more]
    )


@pytest.mark.parametrize("kind", ["csv", "db"])
def test_times_in_the_future_and_clocks_that_go_back(
    kind: str, make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root, results = make_folder({f"{n}.png": 50 + n for n in range(5)}), tmp_path / f"r.{kind}"
    for number, seconds in enumerate((4_102_444_800, 0, -86_400, 1, 2**33)):
        with contextlib.suppress(OSError):  # file systems that hold no such time
            os.utime(root / f"{number}.png", (seconds, seconds))
    clock = iter(range(10**9, 0, -1000))
    with mock.patch("time.time", lambda: next(clock)), mock.patch("time.time_ns", lambda: next(clock) * 10**9):
        assert scored(root, results) == 0
        with mock.patch("tests.toy_metric.Brightness.score", side_effect=AssertionError("scored again")):
            assert scored(root, results, "--resume") == 0
    os.utime(root / "0.png", (1, 1))  # older than before, and another file for all that is known
    with mock.patch("tests.toy_metric.Brightness.score", return_value={"mean": 7.0, "label": "dark"}) as again:
        assert scored(root, results, "--resume") == 0
        assert again.call_count == 1


def test_a_clock_that_stands_still_takes_no_name_twice(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    with mock.patch("time.strftime", return_value="20200101_000000"):
        for _ in range(5):
            Path(free_path(str(path))).touch(exist_ok=False)
    assert len(os.listdir(tmp_path)) == 5


def test_a_database_that_another_program_locks_is_waited_for(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root, store = make_folder({"a.png": 50, "b.png": 60}), tmp_path / "s.db"
    assert scored(root, store) == 0
    make_folder({"c.png": 70})
    other = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(1.0, lambda: other.execute("COMMIT"))
    release.start()
    assert scored(root, store, "--resume") == 0
    release.join()
    other.close()
    with Store(str(store)) as found:
        assert found.count() == 3


def test_a_database_that_stays_locked_or_may_not_be_written_is_told(
    make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, store = make_folder({"a.png": 50}), tmp_path / "s.db"
    assert scored(root, store) == 0
    before = store.read_bytes()
    real = sqlite3.connect
    with contextlib.closing(real(store, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with mock.patch(
            "sqlite3.connect", lambda *arguments, **options: real(*arguments, **options | {"timeout": 0.1})
        ):
            assert scored(root, store, "--resume") == 1
    assert "locked" in capsys.readouterr().err
    assert store.read_bytes() == before
    with mock.patch("sqlite3.connect", lambda path, **options: real(f"file:{path}?mode=ro", uri=True, **options)):
        assert scored(root, store, "--resume") == 1
    assert "readonly" in capsys.readouterr().err
    assert store.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_workers_that_are_stopped_killed_and_continued_lose_nothing(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n:02d}.png": 40 + n for n in range(40)})
    answers: dict[int, Observed | Issue] = {}
    waiting = list(enumerate(sorted(root.iterdir())))
    with WorkerPool([Touching({}, {})], PipelineSettings(2)) as pool:
        turn = 0
        while waiting or pool.busy:
            while waiting and pool.room() > 0:
                number, path = waiting.pop(0)
                pool.submit(number, Source(str(path)))
            answers.update(pool.results(0.2))
            turn += 1
            if len(answers) > 5 and turn % 4 == 0 and turn < 20:
                pid = pool._workers[turn % 2].process.pid or 0
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.05)
                os.kill(pid, signal.SIGCONT if turn % 8 else signal.SIGKILL)
    assert sorted(answers) == list(range(40))
    lost = [answer for answer in answers.values() if isinstance(answer, Issue)]
    assert all("twice" in issue.message for issue in lost) and len(lost) <= 1


def test_standard_input_that_is_no_list_of_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    for data in (b"\0\0\0", b"\xff" * 5000 + b"\n", os.urandom(3000), b"a\0b\nc\n", b"\n\n\n", b"x" * 40_000 + b"\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert toy_filter.COMMAND.main(["-i", "-", "--dry-run", "--workers", "0", "--gpu", "-1"]) == 0
        assert "internal error" not in capsys.readouterr().err

"""Workers that die, hang, can't start or can't answer; and what they inherit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import RunError
from cliqa.inputs.contents import content_sha256
from cliqa.pipeline import pool as workers
from cliqa.pipeline.observe import Observed, observe_file
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.toy_metric import Brightness, Deadly, Endless, Greedy, Slow, Unpicklable, Unsendable

TOY = "tests.toy_metric:"
needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def picture(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    return encode(Image.new("RGB", (40, 40), colour), "PNG")


RED, GREEN, GREY = picture((255, 0, 0)), picture((0, 255, 0)), picture((90, 90, 90))


def drain(pool: WorkerPool, paths: list[Path]) -> dict[int, Observed | Issue]:
    """Hand out all files as room allows; results by number."""
    answers: dict[int, Observed | Issue] = {}
    waiting = list(enumerate(paths))
    while waiting or pool.busy:
        while waiting and pool.room() > 0:
            number, path = waiting.pop(0)
            pool.submit(number, Source(str(path)))
        answers.update(pool.results())
    return answers


@needs_signals
def test_a_file_that_kills_is_tried_once_more_and_its_neighbours_are_scored(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": RED if n == 2 else GREY for n in range(6)})
    with WorkerPool([Deadly({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    assert sorted(answers) == list(range(6))
    assert [number for number, answer in answers.items() if isinstance(answer, Issue)] == [2]
    issue = answers[2]
    assert isinstance(issue, Issue) and issue.kind == "error" and "died on this file, twice" in issue.message


@needs_signals
def test_a_worker_killed_from_outside_loses_nothing(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n:02d}.png": GREY for n in range(20)})
    with WorkerPool([Brightness({}, {})], PipelineSettings(1)) as pool:
        killed = False
        answers: dict[int, Observed | Issue] = {}
        waiting = list(enumerate(sorted(root.iterdir())))
        while waiting or pool.busy:
            while waiting and pool.room() > 0:
                number, path = waiting.pop(0)
                pool.submit(number, Source(str(path)))
            answers.update(pool.results())
            if answers and not killed:
                os.kill(pool._workers[0].process.pid or 0, signal.SIGKILL)
                killed = True
    assert len(answers) == 20 and all(isinstance(answer, Observed) for answer in answers.values())


def test_a_worker_that_hangs_is_replaced(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": GREY, "1.png": RED, "2.png": GREY})
    with mock.patch.object(workers, "STALL_SECONDS", 1.0), WorkerPool([Slow({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    assert isinstance(answers[0], Observed) and isinstance(answers[2], Observed)
    assert isinstance(answers[1], Issue) and "longer than 1 seconds, twice" in answers[1].message


@needs_signals
def test_a_file_that_burns_its_processor_time_is_given_up_at_once(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": RED if n == 1 else GREY for n in range(4)})
    started = time.monotonic()
    with WorkerPool([Endless({}, {})], PipelineSettings(1, file_seconds=0.2)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    assert [number for number, answer in sorted(answers.items()) if isinstance(answer, Issue)] == [1]
    issue = answers[1]
    assert isinstance(issue, Issue) and issue.message == "its decoding took too much processor time"
    assert time.monotonic() - started < 30  # the metric would take minutes, and no timer but the processor's runs here


@needs_signals
def test_no_workers_with_a_limit_on_time_decode_where_it_holds(
    make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cliqa.score import main

    root = make_folder({f"{n}.png": RED if n == 1 else GREY for n in range(3)})
    monkeypatch.chdir(root.parent)
    given = ["-i", str(root), "--metrics", TOY + "Endless", "-g", "-1", "--workers", "0", "--file-seconds", "0.2"]
    assert main([*given, "--results", "r.jsonl"]) == 0  # the metric would take minutes in this process
    assert "its decoding took too much processor time" in capsys.readouterr().err
    assert len(Path("r.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's data")
def test_a_file_that_takes_too_much_memory_is_an_issue(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": RED if n == 1 else GREY for n in range(4)})
    with WorkerPool([Greedy({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
        first = pool._workers[0].process.pid
    assert [number for number, answer in sorted(answers.items()) if isinstance(answer, Issue)] == [1]
    assert isinstance(answers[1], Issue) and answers[1].message == "not enough memory" and first


def test_answers_that_cannot_be_sent_are_issues(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": RED, "1.png": GREEN, "2.png": GREY})
    with WorkerPool([Unsendable({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    for number in (0, 1):
        answer = answers[number]
        assert isinstance(answer, Issue), answer
    assert isinstance(answers[0], Issue) and "can't be sent between processes" in answers[0].message
    assert isinstance(answers[2], Observed)


def test_workers_that_cannot_start_end_the_run(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": GREY})
    with (
        mock.patch.object(Brightness, "target", "no.such.module:Metric"),
        pytest.raises(RunError, match="do not start"),
        WorkerPool([Brightness({}, {})], PipelineSettings(1)) as pool,
    ):
        drain(pool, [root / "0.png"])
    with (
        mock.patch(
            "multiprocessing.process.BaseProcess.start", side_effect=OSError(11, "Resource temporarily unavailable")
        ),
        pytest.raises(RunError, match="can't be started: Resource"),
        WorkerPool([], PipelineSettings(2)),
    ):
        pass


def test_a_metric_that_cannot_be_sent_ends_the_run() -> None:
    with pytest.raises(RunError, match="a metric can't be sent to a decode worker: TypeError"):
        WorkerPool([Unpicklable({}, {})], PipelineSettings(1)).__enter__()


def test_an_interrupt_while_starting_leaves_no_worker() -> None:
    pool = WorkerPool([Brightness({}, {})], PipelineSettings(3))
    real, calls = pool._start, []

    def start() -> None:
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        real()

    with mock.patch.object(pool, "_start", start), pytest.raises(KeyboardInterrupt):
        pool.__enter__()
    assert pool._workers == []


def test_the_callers_script_is_not_imported_again(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder({"0.png": GREY})
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import sys\nprint('imported', flush=True)\n"
        "from cliqa.pipeline.pool import WorkerPool\nfrom cliqa.pipeline.settings import PipelineSettings\n"
        "from cliqa.records import Source\nfrom tests.toy_metric import Noisy\n"
        "with WorkerPool([Noisy({}, {})], PipelineSettings(1)) as pool:\n"
        f"    pool.submit(0, Source({str(root / '0.png')!r}))\n"
        "    print(len(list(pool.results())))\n"
    )
    here = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": str(here)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "imported\n1\n", done.stderr  # and the decoder's own chatter went nowhere


@needs_signals
def test_workers_end_when_their_parent_is_killed(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder({"0.png": GREY})
    code = (
        "import os, sys\nfrom cliqa.pipeline.pool import WorkerPool\nfrom cliqa.pipeline.settings import PipelineSettings\n"
        "from cliqa.records import Source\nfrom tests.toy_metric import Brightness\n"
        "pool = WorkerPool([Brightness({}, {})], PipelineSettings(2)).__enter__()\n"
        f"pool.submit(0, Source({str(root / '0.png')!r}))\nlist(pool.results())\n"
        "print(*[worker.process.pid for worker in pool._workers], flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    here = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(here)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2, done.stderr
    end = time.monotonic() + 10
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < end, "a worker outlived its parent"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:  # a zombie that nobody waits for is dead enough
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_facts_and_hash_of_an_observed_file(make_folder: Callable[..., Path]) -> None:
    path = make_folder({"0.png": GREY}) / "0.png"
    found = observe_file(Source(str(path)), PipelineSettings(content_hash=True), [Brightness])
    assert isinstance(found, Observed)
    assert found.facts["size"] == len(GREY) and found.facts["sha256"] == content_sha256(str(path))
    assert found.facts["format"] == "PNG" and found.facts["width"] == 40
    assert float(found.observations["brightness"]["mean"]) == 90  # type: ignore[index]


@needs_signals
def test_a_pipe_is_neither_hashed_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    found = observe_file(Source(str(tmp_path / "pipe.jpg")), PipelineSettings(content_hash=True), [Brightness])
    assert isinstance(found, Issue) and found.message == "not a regular file"


def test_what_the_metric_says_and_what_it_does_not(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"black.png": 0, "gone.png": 9})
    (root / "gone.png").unlink()
    black = observe_file(Source(str(root / "black.png")), PipelineSettings(), [Brightness])
    gone = observe_file(Source(str(root / "gone.png")), PipelineSettings(), [Brightness])
    assert isinstance(black, Issue) and (black.kind, black.message) == ("skipped", "a black picture")
    assert isinstance(gone, Issue) and (gone.kind, gone.message) == ("error", "no such file")
    zero = observe_file(Source("zero\0byte"), PipelineSettings(), [Brightness])
    assert isinstance(zero, Issue)
    with mock.patch("cliqa.pipeline.observe.load_image", side_effect=MemoryError):
        short = observe_file(Source(str(root / "black.png")), PipelineSettings(), [Brightness])
    assert isinstance(short, Issue) and short.message == "not enough memory"

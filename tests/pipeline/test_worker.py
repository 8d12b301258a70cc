"""One file observed, its budget of time and memory; what a decode worker inherits, and when it ends."""

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

from cliqa.inputs.contents import content_sha256
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, FILE_SECONDS
from cliqa.pipeline import worker
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import FileBudget, Observed, observe_file
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.toy_metric import Brightness

needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def picture(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    return encode(Image.new("RGB", (40, 40), colour), "PNG")


RED, GREEN, GREY = picture((255, 0, 0)), picture((0, 255, 0)), picture((90, 90, 90))


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
    with mock.patch("cliqa.pipeline.worker.load_image", side_effect=MemoryError):
        short = observe_file(Source(str(root / "black.png")), PipelineSettings(), [Brightness])
    assert isinstance(short, Issue) and short.message == "not enough memory"


LARGE = 1 << 30  # bytes


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What was last set, in place of the limits of the process that runs the tests."""
    found: dict[str, float] = {}
    monkeypatch.setattr(worker, "_set_memory", lambda limit: found.update(bytes=limit))
    monkeypatch.setattr(FileBudget, "_set_timer", lambda self, seconds: found.update(seconds=seconds))
    return found


@pytest.mark.parametrize(
    ("pixels", "seconds"), [(0, 10), (1_000_000, 10), (12_000_000, 16), (DEFAULT_MAX_IMAGE_PIXELS, 99)]
)
def test_time_grows_with_what_the_header_declares(given: dict[str, float], pixels: int, seconds: int) -> None:
    FileBudget(FILE_SECONDS).allow(LARGE, pixels)
    assert round(given["seconds"]) == seconds


def test_memory_grows_with_what_the_header_declares(given: dict[str, float]) -> None:
    budget = FileBudget(FILE_SECONDS)
    budget.allow()
    assert given["bytes"] == 1 << 30
    budget.allow(LARGE, 40_000_000)
    assert given["bytes"] == 1 << 30
    budget.allow(LARGE, DEFAULT_MAX_IMAGE_PIXELS)
    assert 1 << 30 < given["bytes"] < 3 << 30


def test_few_bytes_make_few_pixels_credible(given: dict[str, float]) -> None:
    budget = FileBudget(FILE_SECONDS)
    budget.allow(4_000_000, 12_000_000)
    assert round(given["seconds"]) == 16
    budget.allow(2000, DEFAULT_MAX_IMAGE_PIXELS)
    assert round(given["seconds"]) == 10 and given["bytes"] == 1 << 30


def test_no_limit_of_time_is_none_whatever_is_declared(given: dict[str, float]) -> None:
    FileBudget(0).allow(LARGE, DEFAULT_MAX_IMAGE_PIXELS)
    assert given["seconds"] == 0


@pytest.mark.skipif(worker.TIMER_SIGNAL is None, reason="POSIX timers")
def test_the_timer_runs_until_the_end() -> None:
    budget = FileBudget(100.0)
    budget._set_timer(100.0)
    assert 99 < signal.getitimer(signal.ITIMER_PROF)[0] < 101
    budget.end()
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


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

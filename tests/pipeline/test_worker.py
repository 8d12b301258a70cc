"""What a decode worker inherits of the process that starts it, and when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import encode

needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def picture(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    return encode(Image.new("RGB", (40, 40), colour), "PNG")


RED, GREEN, GREY = picture((255, 0, 0)), picture((0, 255, 0)), picture((90, 90, 90))


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

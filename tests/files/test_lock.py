"""One writer at a time, and no lock that outlives its run."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import ResultsError
from cliqa.files.lock import RunLock

HERE = Path(__file__).parent.parent.parent


def test_a_second_run_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = str(tmp_path / "scores.csv")
    lock = RunLock(path)
    with pytest.raises(ResultsError, match=rf"another run \(process {os.getpid()} on"):
        RunLock(path)
    lock.release()
    lock.release()
    RunLock(path).release()
    assert os.listdir(tmp_path) == []


def test_the_lock_of_a_killed_run_locks_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "scores.csv")
    code = f"import os\nfrom cliqa.files.lock import RunLock\nlock = RunLock({path!r})\nos.kill(os.getpid(), {int(signal.SIGTERM)})"
    subprocess.run([sys.executable, "-c", code], cwd=HERE, env=os.environ | {"PYTHONPATH": str(HERE)}, timeout=60)
    assert os.listdir(tmp_path) == [".scores.csv.cliqa-lock"]
    RunLock(path).release()
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_a_lock_that_was_removed_meanwhile_is_made_anew(tmp_path: Path) -> None:
    """The holder ends between our opening and our locking: what we have locked then is no longer there."""
    import fcntl

    path, real, calls = str(tmp_path / "scores.csv"), fcntl.flock, []

    def flock(descriptor: int, how: int) -> None:
        if not calls:
            os.unlink(tmp_path / ".scores.csv.cliqa-lock")
        calls.append(descriptor)
        real(descriptor, how)

    with mock.patch("fcntl.flock", flock):
        lock = RunLock(path)
    assert len(calls) == 2 and os.path.samestat(os.stat(lock.path), os.fstat(calls[1]))
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_file_systems_without_locks_and_links_in_their_place(tmp_path: Path) -> None:
    with mock.patch("fcntl.flock", side_effect=OSError(errno.ENOLCK, "No locks available")):
        RunLock(str(tmp_path / "a.csv")).release()
    (tmp_path / "precious").write_text("mine")
    (tmp_path / ".b.csv.cliqa-lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        RunLock(str(tmp_path / "b.csv"))
    assert (tmp_path / "precious").read_text() == "mine"

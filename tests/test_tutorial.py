"""Every command of the tutorial runs as printed, and prints what the page says; numbers may differ."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(shutil.which("bash") is None, reason="the tutorial is written for bash")
def test_the_commands_of_the_tutorial_run_and_print_what_it_says() -> None:
    pytest.importorskip("pdqhash")
    pytest.importorskip("matplotlib")
    command = [sys.executable, str(ROOT / "docs" / "make_tutorial.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run python docs/make_tutorial.py\n{done.stdout}{done.stderr}"

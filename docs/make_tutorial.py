"""Runs the commands of docs/tutorial.md in order, and writes what they print below them: python docs/make_tutorial.py [--check].

A block of `bash` is run; the block of `text` that follows it is what it printed, messages and all. With --check nothing is written: the
words have to be the same, numbers may differ (a metric's new weights move them).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).parent / "tutorial.md"
BLOCK = re.compile(r"```bash\n(?P<command>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
NUMBER = re.compile(r"\d[\d.,]*")
BAR = re.compile(r"[^\n]*\r")  # of a progress bar only the last line stays


def run(command: str, folder: Path) -> str:
    """What a block prints, standard output and messages together. Raises RuntimeError where it fails."""
    programs = folder / ".programs"
    if not programs.exists():
        programs.mkdir()
        for name, words in (("cliqa", "-m cliqa "), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
            (programs / name).chmod(0o755)
        (folder / "examples").symlink_to(ROOT / "examples")
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command}\nended with {done.returncode}:\n{done.stdout}")
    lines = BAR.sub("", done.stdout).replace(str(folder), "~").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def same(one: str, other: str) -> bool:
    """Whether two outputs have the same words."""
    return NUMBER.sub("#", one).split() == NUMBER.sub("#", other).split()


def main(arguments: list[str] | None = None) -> int:
    """Run all blocks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs")
    given = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    folder = Path(tempfile.mkdtemp())
    differs = 0

    def renewed(match: re.Match[str]) -> str:
        nonlocal differs
        output = run(match["command"], folder)
        shown = match["output"] is not None
        if shown and not same(output, match["output"]):
            differs += 1
            print(f"{match['command']}prints now:\n{output}", file=sys.stderr)
        return f"```bash\n{match['command']}```\n" + (f"\n```text\n{output}```\n" if shown else "")

    try:
        text = BLOCK.sub(renewed, page)
    finally:
        shutil.rmtree(folder)
    if given.check:
        return int(differs > 0)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Compiling the routines: whole or not at all, with the compiler that is named, and a reason where it can't be done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cliqa.compiled import build


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in build.FOLDER.glob("*.[ch]"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "LIBRARY", tmp_path / build.LIBRARY.name)
    return tmp_path


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_the_routines_are_compiled_without_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "cc -Wall -Wextra -Werror")
    assert build.build().stat().st_size > 1000
    assert not list(folder.glob(".build*"))


def test_without_a_compiler_the_reason_is_said_and_nothing_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(OSError, match=r"no C compiler .no-such-compiler"):
        build.build()
    assert not build.LIBRARY.exists()


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_a_compiler_that_fails_leaves_the_library_of_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.LIBRARY.write_bytes(b"of before")
    (folder / "wrong.c").write_text("this is no C", encoding="utf-8")
    with pytest.raises(OSError, match=r"failed: .*wrong\.c"):
        build.build()
    assert build.LIBRARY.read_bytes() == b"of before"
    assert not list(folder.glob(".build*"))


def test_it_runs_before_anything_is_installed(tmp_path: Path) -> None:
    code = f"import runpy; runpy.run_path({str(Path(build.__file__))!r}, run_name='build')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=tmp_path)

"""Which compiled library is called: one of these sources, where it is wanted; never one that can't be."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cliqa.compiled import build, library


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    library.compiled.cache_clear()
    yield
    library.compiled.cache_clear()


def test_it_was_compiled_where_it_can_be() -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    if not build.LIBRARY.is_file() and not os.environ.get("CI"):
        pytest.skip("not compiled yet: python -m cliqa.compiled.build")
    assert library.compiled() is not None


def test_it_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIQA_COMPILED", "0")
    assert library.compiled() is None


def test_what_is_no_library_of_this_machine_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "routines.so")
    assert library.compiled() is None
    (tmp_path / "routines.so").write_bytes(b"\x7fELF of another machine")
    assert library.compiled() is None


def test_a_library_of_other_sources_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "sources", lambda: build.sources() + 1)
    assert library.compiled() is None


def test_an_array_that_a_routine_would_misread_is_refused() -> None:
    routines = library.compiled()
    if routines is None:
        pytest.skip("nothing is compiled here")
    pixels, grey = np.full((4, 6, 3), 200, np.uint8), np.zeros((4, 6), np.uint8)
    assert routines.grey_levels(pixels, 18, 4, 6, grey) == 0
    assert (grey == 200).all()
    for wrong in (grey.astype(np.float32), np.zeros((4, 12), np.uint8)[:, ::2]):
        with pytest.raises(ctypes.ArgumentError, match="C-contiguous array of uint8"):
            routines.grey_levels(pixels, 18, 4, 6, wrong)


def test_every_routine_says_what_it_takes() -> None:
    routines = library.compiled()
    if routines is None:
        pytest.skip("nothing is compiled here")
    for path in build.FOLDER.glob("*.c"):
        for line in path.read_text().splitlines():
            if line.startswith("ROUTINE"):
                assert getattr(routines, line.split("(")[0].split()[-1]).argtypes, line

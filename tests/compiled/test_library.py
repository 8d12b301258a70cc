"""Which compiled library is called: one of these sources, where it is wanted; never one that can't be."""

from __future__ import annotations

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
    array = np.zeros((4, 6), np.uint8)
    assert library.pointer(array, np.uint8).value == array.ctypes.data
    with pytest.raises(ValueError, match="C-contiguous array of float32, not uint8"):
        library.pointer(array, np.float32)
    with pytest.raises(ValueError, match="C-contiguous"):
        library.pointer(array[:, ::2], np.uint8)

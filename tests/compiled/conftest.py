"""Things done twice: in NumPy, and with the compiled routines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cliqa.compiled import library


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """What something gives in NumPy, and what it gives with the compiled routines. Skips where nothing is compiled."""
    if library.compiled() is None:
        pytest.skip("nothing is compiled here")

    def ask(action: Callable[[], Any]) -> list[Any]:
        found = []
        for wanted in ("0", "1"):
            monkeypatch.setenv("CLIQA_COMPILED", wanted)
            library.compiled.cache_clear()
            assert (library.compiled() is None) == (wanted == "0")
            found.append(action())
        return found

    yield ask
    monkeypatch.undo()
    library.compiled.cache_clear()

"""The examples in the docstrings of `cliqa.signal`."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from cliqa import signal

MODULES = [module.name for module in pkgutil.walk_packages(signal.__path__, "cliqa.signal.") if not module.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [case for name in MODULES for case in finder.find(importlib.import_module(name)) if case.examples]
    assert len(found) >= 12

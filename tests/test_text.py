"""Words for messages."""

from __future__ import annotations

from cliqa.text import counted, describe, described, display, reason


def test_paths_are_printable() -> None:
    assert display("a b/é日.jpg") == "a b/é日.jpg"
    assert display("a\n\x1b[31m\udcff.jpg") == r"a\n\x1b[31m\xff.jpg"


def test_exceptions_are_one_line() -> None:
    assert describe(ValueError("a\n  b")) == "a b" and len(describe(ValueError("x" * 999))) == 200
    assert describe(KeyError()) == described(KeyError()) == "KeyError"
    assert described(ValueError("a\nb")) == "ValueError: a b"
    assert reason(FileNotFoundError(2, "No such file")) == "No such file" and reason(ValueError("odd")) == "odd"


def test_counts() -> None:
    assert (counted(1), counted(0), counted(2, "sample")) == ("1 image", "0 images", "2 samples")

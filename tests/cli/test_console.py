"""Messages on standard error, data on standard output."""

from __future__ import annotations

import io

import pytest

from cliqa.cli.console import Console, PathPrinter, standard_output
from cliqa.errors import RunError
from cliqa.records import Issue, Source


def test_quiet_leaves_errors_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        console = Console("score", quiet)
        console.say("hello")
        console.issue(Issue(Source("a.jpg"), "error", "damaged"))
        console.error("no such folder")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "hello", "error: a.jpg: damaged", "score: no such folder", "score: no such folder",
    ]  # fmt: skip


def test_foreign_names_cannot_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Console("score").say("x\x1b[2J\ny")
    assert "\x1b" not in capsys.readouterr().err


def test_paths_are_written_byte_for_byte() -> None:
    stream = io.BytesIO()
    for null in (False, True):
        PathPrinter(null, stream)("caf\udce9.jpg")
    assert stream.getvalue() == b"caf\xe9.jpg\ncaf\xe9.jpg\0"


def test_a_full_standard_output_is_told_and_a_closed_pipe_is_not() -> None:
    with pytest.raises(RunError, match="No space left"), standard_output():
        raise OSError(28, "No space left on device")
    with pytest.raises(BrokenPipeError), standard_output():
        raise BrokenPipeError


def test_no_bar_where_nobody_watches() -> None:
    console = Console("score")
    assert not console.terminal
    items = iter("abc")
    assert console.watched(items, 3) is items
    console.more(2)

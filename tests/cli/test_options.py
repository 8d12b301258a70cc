"""Options that commands share: what is taken, what is refused in one line, how `-0` and defaults are shown."""

from __future__ import annotations

import argparse

import pytest

from cliqa.cli.options import Parser, add_input, bounded, called, new_parser, positive


def parser() -> Parser:
    made = new_parser("toy", "A toy.", "-i INPUT")
    add_input(made)
    made.add_argument("--gpu", type=int, default=0, help="ids")
    assert isinstance(made, Parser)
    return made


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def test_zero_bytes_and_negative_numbers_live_together() -> None:
    options = parser().parse_args(["-i", "a", "b", "-0", "--gpu", "-1"])
    assert options.null and options.gpu == -1 and options.input == ["a", "b"]


def test_what_is_mistyped_is_named_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean --recursive?" in refused(["-i", "a", "--recursiv"], capsys)
    assert "files go right behind -i" in refused(["-i", "a", "--gpu", "0", "b.jpg"], capsys)
    assert "the following arguments are required: --input" in refused([], capsys)


def test_numbers_within_bounds() -> None:
    assert positive(int)("3") == 3 and positive(int, zero=True)("0") == 0 and bounded(0, 100)("99.5") == 99.5
    for kind, word in ((positive(int), "0"), (positive(int), "x"), (bounded(0, 100), "101"), (bounded(0, 100), "nan")):
        with pytest.raises((ValueError, argparse.ArgumentTypeError)):
            kind(word)


def test_a_command_is_named_as_it_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/cliqa"])
    assert called("score") == "cliqa score"
    monkeypatch.setattr("sys.argv", ["-m"])
    assert called("score") == "python -m cliqa.score"


def test_defaults_are_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = parser().format_help()
    assert text.count("(default: 0)") == 1 and "(default: None)" not in text and "(default: False)" not in text

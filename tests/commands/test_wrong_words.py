"""Wrong words on a command line, and a standard output that takes nothing: one line each, and the right exit status."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cliqa.apply import main as apply
from cliqa.grepq.__main__ import main as grepq
from tests.toy_filter import COMMAND


@pytest.mark.parametrize(
    "words, said",
    [
        (["--pirnt", "-i", "x"], "there is no option --pirnt, did you mean --print?"),
        (["--utterly-wrong=5", "-i", "x"], "there is no option --utterly-wrong;"),
        (["-i", "a.png", "--quiet", "b.png"], "b.png: one word too many; files go right behind -i"),
        (["-i", "a", "--quiet", "b", "c", "d", "e"], "b c d ...: 4 words too many"),
        (["-i", "x", "--mean", "300"], "argument --mean: must be from 0 to 255, not 300"),
        (["-i", "x"], "nothing to do: give --output"),
        ([], "the following arguments are required: --input/-i"),
        (["-i", "x", "--quiet", "\x1b[31mred"], "\\x1b[31mred: one word too many"),
    ],
)
def test_a_wrong_command_line_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        COMMAND.main(words)
    message = capsys.readouterr().err
    assert ended.value.code == 2 and message.startswith("toy_filter: ") and message.count("\n") == 1
    assert said in message and "--help" in message


def test_sub_commands_too(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["nonsense"], ["fit"], ["fit", "--nonsense"], []):
        with pytest.raises(SystemExit):
            grepq(words)
        message = capsys.readouterr().err
        assert message.startswith("grepq") and message.count("\n") == 1


def test_help_begins_with_what_is_typed_at_the_least(capsys: pytest.CaptureFixture[str]) -> None:
    for main, usage in ((COMMAND.main, "-i INPUT [-o OUTPUT] [options]"), (apply, "STORE [--where CONDITION]")):
        with pytest.raises(SystemExit):
            main(["--help"])
        assert usage in capsys.readouterr().out.splitlines()[0]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_standard_output_that_is_full_is_said_in_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cliqa", "metrics", "--no-speed", "jpeg_quality"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
    assert (
        done.returncode == 1 and done.stderr == "metrics: standard output can't be written: No space left on device\n"
    )

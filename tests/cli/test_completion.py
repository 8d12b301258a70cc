"""Scripts for the shells' completion know every command and option."""

import shutil
import subprocess

import pytest

from cliqa.__main__ import COMMANDS, MODULES
from cliqa.cli.completion import SHELLS, completion
from cliqa.errors import UsageError


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_completed(shell: str) -> None:
    script = completion(shell, COMMANDS, MODULES)
    for word in (*COMMANDS, "--score-prefix", "--where", "--filter-420"):
        assert word.lstrip("-") in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_takes_its_script() -> None:
    script = completion("bash", COMMANDS, MODULES)
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_another_shell_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="bash, zsh, tcsh, not 'fish'"):
        completion("fish", COMMANDS, MODULES)

"""`cliqa completion SHELL`: a script that completes commands and options, by the package `shtab`.

bash: `cliqa completion bash > ~/.local/share/bash-completion/completions/cliqa`; zsh: into a file `_cliqa` on the `fpath`.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

from cliqa.errors import UsageError

SHELLS = ("bash", "zsh", "tcsh")


def command_parser(module: str) -> argparse.ArgumentParser:
    """The parser of a command's module: its `parser()`, or that of its `COMMAND`."""
    found = importlib.import_module(module)
    make = getattr(found, "parser", None) or found.COMMAND.parser
    parser: argparse.ArgumentParser = make()
    return parser


def completion(shell: str, commands: Mapping[str, str], modules: Mapping[str, str]) -> str:
    """The script for a shell.

    Args:
        shell: one of SHELLS.
        commands: name -> summary.
        modules: name -> module, where it is not `cliqa.<name>`.

    Raises:
        UsageError: another shell, or the package is missing.
    """
    if shell not in SHELLS:
        raise UsageError(f"completion is for {', '.join(SHELLS)}, not {shell!r}")
    try:
        import shtab
    except ImportError as error:
        raise UsageError("completion needs the package shtab: pip install 'cliqa[completion]'") from error
    whole = argparse.ArgumentParser(prog="cliqa")
    parts = whole.add_subparsers()
    for name, summary in commands.items():
        parser = command_parser(modules.get(name, f"cliqa.{name}"))
        parts.add_parser(name, help=summary, parents=[parser], add_help=False, conflict_handler="resolve")
    return str(shtab.complete(whole, shell))

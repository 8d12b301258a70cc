"""Writes `docs/commands.md` from the commands' own parsers: python docs/make_commands.py [--check]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from cliqa.__main__ import COMMANDS, MODULES
from cliqa.cli.completion import command_parser

PAGE = Path(__file__).parent / "commands.md"
HEAD = """# Commands and options

Made from the commands' own help by `python docs/make_commands.py`. `cliqa NAME` is the same as `python -m cliqa.NAME`.

**Exit status**: 0 done; 1 could not run, or lost its output; 2 wrong usage; 3 done, but some files had issues and `--strict` was given;
130 or 143 stopped by Ctrl-C or SIGTERM (what was done is kept, `--resume` goes on). Standard output carries data only; everything
for people goes to standard error.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, summary in COMMANDS.items():
        parts += [f"\n## {name}\n\n{_sentence(summary)}\n"]
        parts += _described(command_parser(MODULES.get(name, f"cliqa.{name}")))
    return "\n".join(parts).rstrip() + "\n"


def _described(parser: argparse.ArgumentParser) -> Iterator[str]:
    sub_parsers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not sub_parsers:
        yield _usage(parser)
        yield from _tables(parser)
    for action in sub_parsers:
        for name, child in action.choices.items():
            yield f"### {parser.prog.split()[-1].split('.')[-1]} {name}\n\n{child.description or ''}\n"
            yield from _tables(child)


def _usage(parser: argparse.ArgumentParser) -> str:
    words = (parser.usage or "%(prog)s [options]").replace(
        "%(prog)s", "cliqa " + parser.prog.split(".")[-1].split()[-1]
    )
    description = " ".join((parser.description or "").split())
    return f"```\n{words}\n```\n\n{description}\n"


def _tables(parser: argparse.ArgumentParser) -> Iterator[str]:
    rows = [_row(parser, action) for group in parser._action_groups for action in group._group_actions]
    shown = [row for row in rows if row]
    if shown:
        yield "\n".join(["| option | default | meaning |", "|---|---|---|", *shown]) + "\n"


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if isinstance(action, (argparse._HelpAction, argparse._VersionAction)) or action.help == argparse.SUPPRESS:
        return ""
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
    if action.choices and not isinstance(action, argparse._SubParsersAction):
        names += " " + " ".join(str(choice) for choice in action.choices)
    default = "required" if action.required and action.option_strings else _default(action.default)
    text = " ".join((action.help or "").replace("%%", "%").split()).replace("|", "\\|")
    return f"| {names} | {default} | {text} |"


def _default(value: object) -> str:
    if value is None or value is False or value == argparse.SUPPRESS or value == "":
        return ""
    if isinstance(value, (list, tuple)):
        return " ".join(str(part) for part in value)
    return str(value)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def main() -> int:
    """Write the page, or with --check say whether it is current."""
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

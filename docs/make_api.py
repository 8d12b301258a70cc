"""Writes docs/api.md from the docstrings of what `import cliqa` gives: python docs/make_api.py [--check]."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
import cliqa

PAGE = Path(__file__).parent / "api.md"
ORDER = (
    "load_metric",
    "list_metrics",
    "score_folder",
    "score_images",
    "ImageScorer",
    "FolderScores",
    "Record",
    "Issue",
)
SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Attributes|Args and raises|Class attributes):(.*)$")


def prose(docstring: str) -> str:
    """A docstring in this project's style as Markdown: its sections become lists."""
    lines: list[str] = []
    inside = False
    for line in inspect.cleandoc(docstring).splitlines():
        section = SECTION.match(line)
        if section:
            inside = True
            lines += ["", f"**{section[1]}**{':' if section[2] else ''}{section[2]}", ""]
        elif inside and line.startswith("    "):
            name, colon, rest = line.strip().partition(": ")
            entry = not line.startswith("     ") and colon and re.fullmatch(r"[\w, \[\]|.]+", name)
            lines.append(
                f"- `{name}`: {rest}"
                if entry
                else f"  {line.strip()}"
                if lines[-1].startswith(("- ", "  "))
                else line.strip()
            )
        else:
            inside = inside and not line
            lines.append(line)
    return "\n".join(lines).strip()


def signature(thing: Any) -> str:
    """Name and parameters, an argument a line where they are many."""
    try:
        text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(thing)))  # annotations are kept as text
    except ValueError:
        return ""
    text = re.sub(r"(?<=[=(, ])\w+(?:\.\w+)+\.(\w+)", r"\1", text)
    if len(text) <= 90:
        return text
    inner, _, back = text[1:].rpartition(")")
    parts = re.split(r", (?![^\[]*\])", inner)
    return "(\n" + "".join(f"    {part},\n" for part in parts) + ")" + back


def entry(name: str) -> str:
    """A function or class with its public methods."""
    thing = getattr(cliqa, name)
    lines = [f"## {name}", "", "```python", f"cliqa.{name}{signature(thing)}", "```", "", prose(thing.__doc__ or "")]
    if inspect.isclass(thing) and not issubclass(thing, Exception):
        for method, found in vars(thing).items():
            if method.startswith("_") or not (inspect.isfunction(found) or isinstance(found, property)):
                continue
            shown = (
                "" if isinstance(found, property) else signature(found).replace("(self, ", "(").replace("(self)", "()")
            )
            lines += [
                "",
                f"### {name}.{method}",
                "",
                "```python",
                f"{method}{shown}",
                "```",
                "",
                prose(found.__doc__ or ""),
            ]
    return "\n".join(lines)


def tree(cls: type[BaseException], depth: int = 0) -> list[str]:
    """The exceptions, each with its first line."""
    first = (inspect.getdoc(cls) or "").splitlines()[0]
    return [
        f"{'    ' * depth}- `{cls.__name__}`: {first}",
        *(line for child in cls.__subclasses__() for line in tree(child, depth + 1)),
    ]


def page() -> str:
    """The whole page."""
    public = [child for child in tree(cliqa.CliqaError) if re.search(r"`(\w+)`", child)[1] in cliqa.__all__]  # type: ignore[index]
    head = textwrap.dedent("""\
        # API

        What `import cliqa` gives; [From Python](python.md) has examples. Made from the docstrings by `python docs/make_api.py`.
        """)
    return "\n".join([head, *(entry(name) + "\n" for name in ORDER), "## Exceptions", "", *public, ""])


if __name__ == "__main__":
    text = page()
    if "--check" in sys.argv:
        sys.exit(text != PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")

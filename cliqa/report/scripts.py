"""The page's scripts: ES modules, served one by one by the viewer, joined into one text for a page that is a single file."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources

_IMPORT = re.compile(r"^import \{[^}]*\} from '\./(?P<name>\w+)\.js';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|let|function|async function|class) )", re.MULTILINE)


def asset(name: str) -> str:
    """The text of one file of the page."""
    return resources.files("cliqa.report").joinpath(f"page/{name}").read_text(encoding="utf-8")


def bundle(entry: str = "main", read: Callable[[str], str] = asset) -> str:
    """All modules that `entry` needs, in the order of their imports, each once, as the text of one script.

    Imports must be of names in braces from `./module.js`, exports must stand before what they declare. All top-level names of the
    modules share one scope, so they have to differ.

    Raises:
        ValueError: a module is written in another way.
    """
    order: list[str] = []
    texts: dict[str, str] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"the scripts import each other in a circle: {' -> '.join((*above, name))}")
        if name in texts:
            return
        text = read(f"{name}.js")
        for match in _IMPORT.finditer(text):
            visit(match["name"], (*above, name))
        texts[name] = _EXPORT.sub("", _IMPORT.sub("", text)).strip()
        if re.search(r"^(?:import|export)\b", texts[name], re.MULTILINE):
            raise ValueError(f"{name}.js has an import or export that can't be joined")
        order.append(name)

    visit(entry, ())
    return "(() => {\n'use strict';\n" + "\n\n".join(texts[name] for name in order) + "\n})();\n"

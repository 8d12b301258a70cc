"""What the docs site has beside this folder's pages: the model cards, CONTRIBUTING and CHANGELOG; links to them are turned there.

A hook of mkdocs (`hooks` in mkdocs.yml). A link to a file that is no page of the site, such as a script, becomes its name.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|`[^`]*`)*)\]\(([^)#\s]*)(#[^)]*)?\)")
BESIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.md": "index.md"}


def pages() -> dict[str, str]:
    """Where each page lies in the project -> in the site."""
    cards = {
        f"pretrained_models/{path.name}": f"cards/{path.name}" for path in (ROOT / "pretrained_models").glob("*.md")
    }
    own = {
        f"docs/{path.name}": path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".jpg", ".png")
    }
    return own | cards | BESIDE


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside the folder."""
    for given, shown in pages().items():
        if not given.startswith("docs/") and given != "README.md":
            files.append(File.generated(config, shown, content=(ROOT / given).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the project into links between pages of the site."""
    there = pages()
    shown = page.file.src_uri
    given = next((one for one, name in there.items() if name == shown and one != "README.md"), f"docs/{shown}")

    def turned(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        if "://" in target or target.startswith("mailto:") or not target:
            return match[0]
        name = posixpath.normpath(posixpath.join(posixpath.dirname(given), target))
        if name in there:
            return f"[{words}]({posixpath.relpath(there[name], posixpath.dirname(shown) or '.')}{anchor})"
        return words if (ROOT / name).exists() else match[0]

    return LINK.sub(turned, markdown)

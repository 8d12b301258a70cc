"""The docs site builds without a warning or a network; its links lead somewhere, and its pages ask for nothing elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parent.parent


class _Links(HTMLParser):
    """The addresses, what the page loads, and the anchors of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("img", "script", "iframe") and "src" in given:
            self.loaded.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.loaded.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    built = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(built)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return built


def test_every_link_of_the_site_resolves(site: Path) -> None:
    pages = {path: _Links(path) for path in site.rglob("*.html")}
    broken = []
    for path, found in pages.items():
        for link in [*found.links, *found.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (
                parts.fragment and target in pages and parts.fragment not in pages[target].anchors | {"__skip"}
            ):
                broken.append((path.name, link))
    assert not broken


def test_the_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = {address for path in site.rglob("*.html") for address in _Links(path).loaded}
    assert loaded and not [address for address in loaded if re.match(r"(https?:)?//", address)]


@pytest.mark.parametrize(
    "name",
    [
        "index",
        "tutorial",
        "thresholds",
        "metrics",
        "formats",
        "scaling",
        "reliability",
        "accuracy",
        "comparison",
        "api",
        "contributing",
    ],
)
def test_the_site_has_its_pages(site: Path, name: str) -> None:
    assert (site / f"{name}.html").stat().st_size > 5000


def test_the_page_of_the_api_is_what_the_docstrings_say() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_api.py"), "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0, "run python docs/make_api.py"

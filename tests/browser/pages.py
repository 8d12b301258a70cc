"""What the tests of the viewer and of the report ask of a page in the browser."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

from cliqa.results.store import Store

REPORTED = 400  # rows of the store whose report is looked at
UNTRUSTED = "photos/<img src=x onerror=document.title='owned'>.jpg"


def opened(context: Any, address: str) -> Any:
    view = context.new_page()
    view.goto(address)
    view.wait_for_selector("html[data-ready=true]", timeout=30_000)
    return view


def until(view: Any, expression: str, timeout: int = 30_000) -> None:
    """Wait until an expression is true. Playwright's own way would need a policy that lets text be run."""
    asked = f"(async () => Boolean(await ({expression})))()"
    end = time.monotonic() + timeout / 1000
    while not view.evaluate(asked):
        assert time.monotonic() < end, expression
        view.wait_for_timeout(50)


def marks_in(folder: Path) -> dict[str, tuple[str | None, int]]:
    connection = sqlite3.connect(folder / "scores.db")
    rows = connection.execute("SELECT real_path, flag, stars FROM marks").fetchall()
    connection.close()
    return {os.path.basename(path): (flag, stars) for path, flag, stars in rows}


def wait_for_marks(view: Any) -> None:
    until(view, "import('/page/view/marks.js').then(({ marks }) => !marks.waiting.length)")


def active(view: Any) -> str:
    return str(view.locator(".tile.active .file").inner_text())


def number(view: Any, selector: str) -> int:
    return int(view.locator(selector).inner_text().replace(",", ""))


def open_page(view: Any, store_path: Path) -> None:
    view.goto(store_path.with_name("report.html").as_uri())
    view.wait_for_selector("html[data-ready=true]", timeout=20_000)


def settle(view: Any) -> None:
    """Until what changed is drawn: values may have to be read first, and drawing waits for a frame."""
    frames = "new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 40))"
    view.evaluate(frames)  # what comes into view asks for its values
    view.wait_for_selector("html[aria-busy=false]")
    view.evaluate(frames)


def slider(view: Any, name: str) -> Any:
    return view.locator(f'input[type=range][aria-label="{name}"]')


def drag(view: Any, name: str, share: float) -> None:
    slider(view, name).scroll_into_view_if_needed()
    settle(view)
    box = slider(view, name).bounding_box()
    middle = box["y"] + box["height"] / 2
    view.mouse.move(box["x"] + box["width"] / 2, middle)
    view.mouse.down()
    view.mouse.move(box["x"] + box["width"] * share, middle, steps=5)
    view.mouse.up()
    settle(view)


def condition(view: Any) -> str:
    found = re.search(r'--where "(.*)" -o kept$', view.locator("#command").inner_text())
    assert found is not None
    return found[1]


def kept_by_store(store_path: Path, where: str) -> int:
    with Store(str(store_path)) as store:
        return store.count(where)

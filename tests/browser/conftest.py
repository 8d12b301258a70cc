"""A browser, and the page of a store in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa.report.__main__ import main as report
from tests.browser.pages import REPORTED, UNTRUSTED, open_page, opened, settle
from tests.conftest import make_pixels
from tests.synthetic_store import make_store
from tests.viewer import HOSTILE, make_pictures, viewing

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROWS = 300


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; tests that want one are skipped where there is none, but in continuous integration (CI is set)."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if not os.environ.get("CI"):
        pytest.importorskip("playwright.sync_api")
        if program is None:
            pytest.skip("there is no Chromium; `make browser` installs it")
    import playwright.sync_api as playwright

    assert program, "continuous integration needs a Chromium: `make browser` installs it"
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "state"))
    make_pictures(tmp_path, ROWS, (HOSTILE,), pictures=ROWS)
    Image.fromarray(make_pixels(1600, 1200)).save(tmp_path / "photos/0000/IMG_0000001.jpg", quality=90)
    return tmp_path


@pytest.fixture
def page(browser: Any, folder: Path) -> Iterator[Any]:
    """The page of a store; fails the test when it asks for anything elsewhere or logs an error."""
    with viewing(folder / "scores.db", "-o", str(folder / "kept")) as viewer:
        context = browser.new_context(viewport={"width": 1300, "height": 850})
        trouble: list[str] = []
        own = f"http://127.0.0.1:{viewer.serving.port}/"
        context.on(
            "request",
            lambda request: None if request.url.startswith((own, "data:", "blob:")) else trouble.append(request.url),
        )
        context.on(
            "console",
            lambda message: (
                trouble.append(message.text)
                if message.type in ("error", "warning") and "404" not in message.text
                else None
            ),
        )
        context.on("weberror", lambda error: trouble.append(str(error.error)))
        yield opened(context, viewer.serving.address)
        context.close()
        assert trouble == []


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    make_store(folder / "scores.db", REPORTED, issues=3, names=[UNTRUSTED])
    (folder / "photos/0000").mkdir(parents=True)
    for number in range(REPORTED):
        shade = np.linspace(0, 255, 120).astype(np.uint8)
        pixels = np.stack([np.tile(shade, (90, 1))] * 2 + [np.full((90, 120), number % 256, np.uint8)], axis=2)
        name = UNTRUSTED if number == 0 else f"photos/0000/IMG_{number:07d}.jpg"
        Image.fromarray(pixels).save(folder / name)
    assert report([str(folder / "scores.db"), "-o", str(folder / "report.html"), "--quiet", "--thumbnails", "300"]) == 0
    return folder / "scores.db"


@pytest.fixture
def begun(browser: Any, store_path: Path) -> Iterator[Any]:
    """The page as it opens, offline; fails the test when the page asks for anything or logs an error."""
    context = browser.new_context(viewport={"width": 1300, "height": 850}, offline=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    view = context.new_page()
    trouble: list[str] = []
    view.on(
        "request", lambda request: None if request.url.startswith(("file:", "blob:")) else trouble.append(request.url)
    )
    view.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    view.on("pageerror", lambda error: trouble.append(str(error)))
    open_page(view, store_path)
    yield view
    context.close()
    assert trouble == []


@pytest.fixture
def cleared(begun: Any) -> Any:
    """The page without any condition."""
    begun.locator(".field.used input[aria-label^=use]").evaluate_all("boxes => boxes.forEach((box) => box.click())")
    settle(begun)
    assert begun.locator(".field.used").count() == 0
    return begun

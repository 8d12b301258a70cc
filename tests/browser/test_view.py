"""The viewer in a real, headless Chromium: looked at, marked, zoomed, acted on; by mouse, by keyboard, on a phone, after crashes.

Skipped where there is no browser, except in continuous integration (CI is set): there its absence is a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa import score
from tests.conftest import make_pixels
from tests.signal.copies.scenes import scene
from tests.viewer import HOSTILE, make_pictures, viewing

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
if os.environ.get("CI"):
    import playwright.sync_api as playwright

    assert BROWSER, "continuous integration needs a Chromium: `make browser` installs it"
else:
    playwright = pytest.importorskip("playwright.sync_api")
    pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium; `make browser` installs it")

ROWS = 300
_AXE = find_spec("axe_playwright_python")  # a package that brings axe-core along: the tests fetch nothing
AXE = Path(str(_AXE.origin)).parent / "axe.min.js" if _AXE is not None else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "state"))
    make_pictures(tmp_path, ROWS, (HOSTILE,), pictures=ROWS)
    Image.fromarray(make_pixels(1600, 1200)).save(tmp_path / "photos/0000/IMG_0000001.jpg", quality=90)
    return tmp_path


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three copies of one picture and another picture, its fingerprints in a store."""
    pytest.importorskip("pdqhash")
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "state"))
    root = tmp_path / "in"
    root.mkdir()
    image = scene(1).convert("RGB").resize((640, 480), Image.Resampling.BICUBIC)
    image.save(root / "original.png")
    image.save(root / "low.jpg", quality=40)
    image.resize((320, 240), Image.Resampling.LANCZOS).save(root / "small.png")
    scene(9).convert("RGB").save(root / "other.png")
    words = ["-g", "-1", "--workers", "0", "--quiet", "--metrics", "fingerprint", "jpeg_quality"]
    assert score.main(["-i", str(root), "--results", str(tmp_path / "copies.db"), *words]) == 0
    return root


def opened(context: Any, address: str) -> Any:
    view = context.new_page()
    view.goto(address)
    view.wait_for_selector("html[data-ready=true]", timeout=30_000)
    return view


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


def test_it_opens_with_the_filters_thresholds_and_the_faults_in_words(page: Any, folder: Path) -> None:
    assert page.title() == "photos · cliqa"
    assert page.locator(".field.used").count() >= 3
    chips = page.locator(".fault").all_inner_texts()
    assert any(text.endswith("were JPEGs below 90") for text in chips) and any(
        text.endswith("are noisy") for text in chips
    )
    kept = number(page, "#kept")
    assert kept < ROWS and kept + number(page, "#dropped") == ROWS
    assert "JPEG quality in its past" in page.locator(".field").first.inner_text()
    until(page, "document.querySelectorAll('.tile img.there').length > 5")
    assert page.locator(".tile").first.evaluate("tile => getComputedStyle(tile).opacity") == "1"


def test_a_click_on_a_fault_shows_its_files(page: Any) -> None:
    chip = page.locator(".fault", has_text="are noisy")
    count = int(chip.locator("b").inner_text())
    chip.click()
    until(page, f"document.querySelector('#position').textContent.startsWith('{count} of')")
    assert all("noisy" in text for text in page.locator(".tile .note").all_inner_texts())
    chip.click()
    until(page, "document.querySelector('#position').textContent.startsWith('302')")


def test_marks_by_keyboard_are_saved_at_once_and_undone(page: Any, folder: Path) -> None:
    page.locator("#gallery-list").focus()
    first = active(page)
    for key in ("k", "d", "4", "p", "x"):
        page.keyboard.press(key)
    wait_for_marks(page)
    found = marks_in(folder)
    assert sorted(found.values(), key=str) == [("drop", 0), ("drop", 0), ("keep", 0), ("keep", 0), (None, 4)]
    assert found[first] == ("keep", 0) and active(page) == "IMG_0000005.jpg"
    page.keyboard.press("u")
    until(page, "document.querySelector('.tile.active .file').textContent === 'IMG_0000004.jpg'")
    wait_for_marks(page)
    assert len(marks_in(folder)) == 4
    page.reload()
    page.wait_for_selector("html[data-ready=true]")
    assert page.locator(".tile .mark:not([hidden])").all_inner_texts() == ["keep", "drop", "keep"]


def test_many_are_selected_and_marked_together(page: Any, folder: Path) -> None:
    page.fill("#find", "IMG_000000")
    page.locator("#gallery-list").focus()
    page.keyboard.press("Control+a")
    until(page, "document.querySelector('#position').textContent.startsWith('9 selected')")
    page.keyboard.press("d")
    wait_for_marks(page)
    assert len(marks_in(folder)) == 9 and set(marks_in(folder).values()) == {("drop", 0)}
    page.keyboard.press("Escape")
    page.fill("#find", "")
    page.select_option("#show", "marked")
    until(page, "document.querySelector('#position').textContent.startsWith('9 of')")
    page.locator("#gallery-list").focus()
    page.keyboard.press("u")
    until(page, "document.querySelector('#position').textContent.startsWith('0 of')")
    assert marks_in(folder) == {}


def test_a_mark_decides_over_the_scores(page: Any) -> None:
    page.select_option("#show", "dropped")
    kept = number(page, "#kept")
    page.locator("#gallery-list").focus()
    page.keyboard.press("k")
    until(page, f"document.querySelector('#kept').textContent === '{kept + 1}'")
    page.uncheck("#marks-decide")
    until(page, f"document.querySelector('#kept').textContent === '{kept}'")


def test_the_picture_is_zoomed_to_the_place_that_decided(page: Any) -> None:
    page.locator("#gallery-list").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#picture[open]").wait_for()
    page.locator("#reasons .reason").first.wait_for()
    image = page.locator("#stage-a img")
    until(page, "document.querySelector('#stage-a img').naturalWidth === 1600")
    scale = "image => new DOMMatrix(getComputedStyle(image).transform).a"
    assert image.evaluate(scale) < 1
    page.keyboard.press("z")
    assert image.evaluate(scale) == 1
    inside = """() => {
      const [place, stage] = ['.place', '#stage-a'].map((one) => document.querySelector(one).getBoundingClientRect());
      return place.width > 50 && place.left < stage.right && place.right > stage.left
        && place.top < stage.bottom && place.bottom > stage.top;
    }"""
    assert page.evaluate(inside)
    page.keyboard.press("z")
    assert image.evaluate(scale) == 2 and page.evaluate(inside)
    before = image.evaluate("image => image.style.transform")
    page.keyboard.press("Shift+ArrowLeft")
    assert image.evaluate("image => image.style.transform") != before
    page.mouse.move(400, 400)
    page.mouse.wheel(0, -300)
    assert image.evaluate(scale) > 2
    page.keyboard.press("f")
    assert image.evaluate(scale) < 1
    page.keyboard.press("ArrowRight")
    assert page.locator("#picture-name").inner_text() == "IMG_0000002.jpg"
    page.keyboard.press("k")
    assert page.locator("#picture-name").inner_text() == "IMG_0000003.jpg", "it goes on after a mark"
    page.keyboard.press("Escape")
    page.locator("#picture").wait_for(state="hidden")
    assert active(page) == "IMG_0000003.jpg"


def test_two_pictures_zoom_and_move_together(page: Any) -> None:
    page.locator("#gallery-list").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    page.locator("#stage-b:not([hidden])").wait_for()
    until(page, "['a', 'b'].every((side) => document.querySelector(`#stage-${side} img.there`))")
    transforms = "['a', 'b'].map((side) => document.querySelector(`#stage-${side} img`).style.transform)"
    box = page.locator("#stage-a").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    for _ in range(6):
        page.mouse.wheel(0, -200)
    one, other = page.evaluate(transforms)
    assert one == other and "scale" in one
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 160, steps=4)
    page.mouse.up()
    moved = page.evaluate(transforms)
    assert moved[0] == moved[1] != one
    page.locator("#stage-b").focus()
    assert page.locator("#picture-name").inner_text() == "IMG_0000003.jpg"


def test_the_map_of_sharpness_stands_beside_the_picture(browser: Any, tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    blocks = np.random.default_rng(3).integers(0, 256, (40, 54, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((648, 480), Image.Resampling.NEAREST).save(root / "a.png")
    words = ["-g", "-1", "--workers", "0", "--quiet", "--metrics", "sharpness"]
    assert score.main(["-i", str(root), "--results", str(tmp_path / "scores.db"), *words]) == 0
    with viewing(tmp_path / "scores.db", "-o", str(tmp_path / "kept")) as viewer:
        context = browser.new_context(viewport={"width": 1300, "height": 850})
        page = opened(context, viewer.serving.address)
        page.click(".tile")
        page.locator("#reasons .sharp-map").wait_for()
        size = page.locator(".sharp-map").evaluate("canvas => [canvas.width, canvas.height]")
        assert size == [10, 7]  # a cell for 64 x 64 pixels
        assert "hatched can't be told" in str(page.locator(".sharp-map").get_attribute("aria-label"))
        assert axe(page) == []
        context.close()


def test_copies_stand_by_group_and_are_compared_at_the_same_zoom(browser: Any, copied: Path) -> None:
    with viewing(
        copied, "--no-score", "--store", str(copied.parent / "copies.db"), "-o", str(copied.parent / "kept")
    ) as viewer:
        context = browser.new_context(viewport={"width": 1300, "height": 850})
        page = opened(context, viewer.serving.address)
        page.select_option("#show", "copies")
        until(page, "document.querySelectorAll('.tile').length === 3")
        assert axe(page) == []
        assert page.locator('.tile[aria-posinset="1"] .file').inner_text() == "original.png"
        assert page.locator(".tile.best").count() == 1
        assert any("fewer pixels" in text for text in page.locator(".tile .note").all_inner_texts())
        page.click(".tile.best")
        page.keyboard.press("c")
        until(page, "document.querySelectorAll('.stage img.there').length === 2")
        assert "the same picture" in page.locator("#picture-copies").inner_text()
        widths = page.evaluate(
            "[...document.querySelectorAll('.stage img')].map((one) => one.getBoundingClientRect().width)"
        )
        assert axe(page) == []
        assert abs(widths[0] - widths[1]) <= 2  # the smaller copy is shown as large
        page.keyboard.press("Escape")
        page.click("#act-open")
        page.select_option("#act-which", "copies")
        page.select_option("#act-way", "move")
        until(page, "document.querySelector('#act-summary').textContent.startsWith('2 files would be moved')")
        if os.environ.get("CLIQA_SCREENSHOTS"):
            page.click("#act-close")
            page.screenshot(path=os.path.join(os.environ["CLIQA_SCREENSHOTS"], "copies.png"))
            page.click(".tile.best")
            page.keyboard.press("c")
            until(page, "document.querySelectorAll('.stage img.there').length === 2")
            page.screenshot(path=os.path.join(os.environ["CLIQA_SCREENSHOTS"], "compare.png"))
        context.close()


def test_sorting_and_filtering(page: Any) -> None:
    page.select_option("#sort", "grain_noise.psnr")
    place, note = "Number(tile.getAttribute('aria-posinset'))", "parseFloat(tile.querySelector('.note').textContent)"
    value = f"[...document.querySelectorAll('.tile')].map((tile) => [{place}, {note}])"
    until(page, f"{value}.length > 5 && {value}.every(([, one]) => one === one)")
    rising = [one for _, one in sorted(page.evaluate(value))]
    assert rising == sorted(rising), "the worst first"
    page.click("#turn")
    until(page, f"{value}.find(([place]) => place === 1)[1] > {rising[-1]}")
    page.fill("#find", "onerror")
    assert page.locator(".tile .file").all_inner_texts() == [HOSTILE.split("/")[-1]]
    assert page.title() == "photos · cliqa" and page.locator("img[src=x]").count() == 0


def test_a_floor_keeps_some_of_each_folder(page: Any) -> None:
    box = page.locator('input[aria-label="threshold of grain_noise.psnr"]')
    box.fill("49.99")
    box.press("Enter")
    few = number(page, "#kept")
    page.fill("#floor", "20")
    until(page, f"Number(document.querySelector('#kept').textContent) > {few}")
    assert number(page, "#kept") == 20 + 1, "twenty of 0000, and the only scored one at the top"


def test_what_is_kept_is_placed_and_taken_back(page: Any, folder: Path) -> None:
    page.click("#combine-any")
    page.fill("#floor", "5")
    page.click("#act-open")
    until(page, "!document.querySelector('#act-go').disabled")
    kept = number(page, "#kept")  # by now the floor counts
    assert kept > 0
    assert page.locator("#act-summary").inner_text().startswith(f"{kept} files would be copied into {folder / 'kept'}")
    assert "--where" in page.locator("#command").inner_text() and not (folder / "kept").exists()
    page.click("#act-go")
    until(
        page,
        "document.querySelector('#act-summary').textContent.includes('copied into')  && !document.querySelector('#act-undo').disabled",
    )
    assert len(list((folder / "kept").rglob("*.jpg"))) == kept
    page.click("#act-undo")
    until(page, "document.querySelector('#act-summary').textContent.includes('taken back')")
    assert not list((folder / "kept").rglob("*.jpg"))


def test_thresholds_learned_from_marks_move_on_request(page: Any) -> None:
    page.click("#learn")
    page.locator("#learning-text", has_text="mark at least").wait_for()
    page.keyboard.press("Escape")
    page.select_option("#sort", "grain_noise.psnr")
    for end, key in (("Home", "d"), ("End", "k")):
        page.locator("#gallery-list").focus()
        page.keyboard.press(end)
        for _ in range(11):
            page.keyboard.press("Shift+ArrowRight" if end == "Home" else "Shift+ArrowLeft")
        page.keyboard.press(key)
        page.keyboard.press("Escape")
    wait_for_marks(page)
    page.click("#learn")
    until(page, "!document.querySelector('#learning-apply').disabled", timeout=60_000)
    page.click("#learning-apply")
    until(page, "document.querySelectorAll('.field.used').length < 4")
    assert page.locator(".field.used").count() >= 1


def test_marks_outlive_a_crash_of_the_server_and_of_the_browser(browser: Any, folder: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cliqa.view", str(folder / "scores.db"), "--no-browser", "--port", str(port), "--quiet"],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    port = 0
    process, address = start()
    port = int(address.split(":")[2].split("/")[0])
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    view = opened(context, address)
    view.locator("#gallery-list").focus()
    view.keyboard.press("k")
    view.keyboard.press("d")
    wait_for_marks(view)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    assert sorted(marks_in(folder).values()) == [("drop", 0), ("keep", 0)]
    view.keyboard.press("3")  # nobody is there to hear it
    view.locator("#notice:not([hidden])").wait_for()
    assert "1 mark is kept in this browser" in view.locator("#notice").inner_text()
    view.close()
    process, address = start()
    try:
        view = opened(context, address)
        wait_for_marks(view)
        assert sorted(marks_in(folder).values(), key=str) == [("drop", 0), ("keep", 0), (None, 3)]
    finally:
        process.terminate()
        process.wait(30)
    context.close()


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1300, 850, "light"), (1300, 850, "dark"), (390, 844, "light")]
)
def test_it_fits_and_has_no_accessibility_findings(
    browser: Any, folder: Path, width: int, height: int, scheme: str
) -> None:
    with viewing(folder / "scores.db", "-o", str(folder / "kept")) as viewer:
        phone = width < 500
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=phone, is_mobile=phone
        )
        view = opened(context, viewer.serving.address)
        if phone:
            view.click("#tab-gallery")
        until(view, "document.querySelectorAll('.tile img.there').length > 3")
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        found = axe(view)
        view.locator("#gallery-list").focus()
        if phone:
            view.locator(".tile").nth(1).tap()
        else:
            view.keyboard.press("Enter")
        view.locator("#reasons .reason").first.wait_for()
        assert view.locator("#mark-keep").is_visible() and view.locator("#stage-a").is_visible()
        assert view.evaluate("document.querySelector('#picture').scrollWidth") <= width
        found += axe(view)
        if phone:
            view.locator("#mark-keep").tap()
            wait_for_marks(view)
            assert list(marks_in(folder).values()) == [("keep", 0)]
        view.locator("#close").click()
        view.evaluate("document.querySelector('#combine-any').click()")
        view.click("#act-open")
        until(view, "!document.querySelector('#act-go').disabled")
        found += axe(view)
        context.close()
        assert found == []
        if AXE is None:
            pytest.skip("axe-core is not here: pip install axe-playwright-python")


def axe(view: Any) -> list[str]:
    """What axe-core finds, each as its rule and elements; nothing where it isn't here."""
    if AXE is None:
        return []
    view.evaluate(AXE.read_text(encoding="utf-8"))
    found = view.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found]


def test_it_fills_while_files_are_scored(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "state"))
    (tmp_path / "in").mkdir()
    for name in range(6):
        Image.fromarray(make_pixels(200, 160, name)).save(tmp_path / f"in/{name}.jpg", quality=60)
    with viewing(tmp_path / "in", "--workers", "1") as viewer:
        context = browser.new_context(viewport={"width": 1300, "height": 850})
        view = opened(context, viewer.serving.address)
        assert view.locator(".tile").count() == 6
        until(
            view, "document.querySelector('#progress-text').textContent.includes('6 files · 6 scored')", timeout=180_000
        )
        until(
            view,
            "[...document.querySelectorAll('.tile .note')].every((note) => note.textContent !== 'not scored yet')",
            timeout=20_000,
        )
        assert view.locator("#progress").is_hidden()
        assert number(view, "#kept") + number(view, "#dropped") == 6
        context.close()

"""Pictures in the viewer, in a real, headless Chromium: zoomed, compared, on a phone, and for all to use."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa import score
from tests.browser.pages import active, marks_in, opened, until, wait_for_marks
from tests.signal.copies.scenes import scene
from tests.viewer import viewing

_AXE = find_spec("axe_playwright_python")  # a package that brings axe-core along: the tests fetch nothing
AXE = Path(str(_AXE.origin)).parent / "axe.min.js" if _AXE is not None else None


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


def test_what_was_said_of_one_picture_is_not_said_of_the_next(page: Any) -> None:
    held: list[Any] = []
    page.locator("#gallery-list").focus()
    page.keyboard.press("Enter")
    page.locator("#picture[open]").wait_for()
    page.locator("#reasons .reason").first.wait_for()
    page.route("**/api/reasons/*", lambda route: held.append(route))
    page.keyboard.press("ArrowRight")
    first = page.locator("#picture-name").inner_text()
    assert "Looking for the place" in page.locator("#reasons").inner_text()
    assert page.locator("#reasons .reason").count() == 0 and page.locator("#stage-a .place").is_hidden()
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('#picture-name').textContent !== '{first}'")
    page.wait_for_timeout(100)
    assert len(held) == 2
    late = {
        "reasons": [{"column": "a", "title": "Of the one before", "fault": True, "sentence": "", "box": [0, 0, 9, 9]}]
    }
    held[0].fulfill(json=late)
    page.wait_for_timeout(300)
    assert "Looking for the place" in page.locator("#reasons").inner_text() and page.locator(".place").first.is_hidden()
    held[1].continue_()
    page.locator("#reasons .reason").first.wait_for()
    assert "Of the one before" not in page.locator("#reasons").inner_text()


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
        held: list[Any] = []
        page.route("**/api/copies", lambda route: held.append(route))
        page.select_option("#show", "copies")
        page.locator("#searching").wait_for()
        until(page, "/Looking for copies.* 1 s$/.test(document.querySelector('#nothing-text').textContent)")
        held[0].continue_()
        until(page, "document.querySelectorAll('.tile').length === 3")
        assert page.locator("#nothing").is_hidden()
        assert page.locator(".group-head").all_inner_texts() == ["Group 1: the same picture, 3 files"]
        cut = (
            "notes => notes.filter((note) => note.scrollHeight > note.clientHeight + 1).map((note) => note.textContent)"
        )
        assert page.locator(".tile .note").evaluate_all(cut) == [], "reasons are read whole"
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
        command = page.locator("#command").inner_text()
        assert command.startswith("cliqa duplicates ") and " --keep rest -o " in command and command.endswith(" --move")
        if os.environ.get("CLIQA_SCREENSHOTS"):
            page.click("#act-close")
            page.screenshot(path=os.path.join(os.environ["CLIQA_SCREENSHOTS"], "copies.png"))
            page.click(".tile.best")
            page.keyboard.press("c")
            until(page, "document.querySelectorAll('.stage img.there').length === 2")
            page.screenshot(path=os.path.join(os.environ["CLIQA_SCREENSHOTS"], "compare.png"))
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
        until(view, "document.querySelectorAll('.tile img.there').length > 3")
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        found = axe(view)
        box = view.locator("#sort").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, "sorting is within reach"
        if phone:
            view.locator("#tab-thresholds").tap()
            assert view.locator("#learn-narrow").is_visible()
            found += axe(view)
            view.locator("#tab-gallery").tap()
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

"""Groups of copies in the report: by group, and side by side at one zoom."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cliqa import score
from cliqa.report.__main__ import main as report
from tests.browser.pages import open_page, settle
from tests.signal.copies.scenes import scene


def test_copies_stand_by_group(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("pdqhash")
    (tmp_path / "in").mkdir()
    image = scene(1).convert("RGB").resize((400, 300), Image.Resampling.BICUBIC)
    image.save(tmp_path / "in/original.png")
    image.resize((200, 150), Image.Resampling.LANCZOS).save(tmp_path / "in/small.png")
    scene(9).convert("RGB").save(tmp_path / "in/other.png")
    words = ["-g", "-1", "--workers", "0", "--quiet", "--metrics", "fingerprint", "jpeg_quality"]
    assert score.main(["-i", str(tmp_path / "in"), "--results", str(tmp_path / "scores.db"), *words]) == 0
    assert report([str(tmp_path / "scores.db"), "-o", str(tmp_path / "report.html"), "--quiet"]) == 0
    context = browser.new_context(viewport={"width": 1300, "height": 850}, offline=True)
    view = context.new_page()
    open_page(view, tmp_path / "scores.db")
    view.click("#show-copies")
    settle(view)
    cards = view.locator(".card").all_inner_texts()
    assert view.locator(".card.begins").count() == 1
    assert len(cards) == 2 and "original.png" in cards[0] and "best copy" in cards[0] and "fewer pixels" in cards[1]
    if os.environ.get("CLIQA_SCREENSHOTS"):
        view.screenshot(path=os.path.join(os.environ["CLIQA_SCREENSHOTS"], "report-copies.png"))
    context.close()


def test_a_group_is_compared_at_one_zoom(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("pdqhash")
    folder = tmp_path / "photos"
    folder.mkdir()
    scene(1).convert("RGB").save(folder / "a.png")
    scene(1).convert("RGB").resize((600, 600), Image.Resampling.BICUBIC).save(folder / "large.jpg", quality=60)
    scene(2).convert("RGB").save(folder / "other.png")
    store = tmp_path / "scores.db"
    common = ["-g", "-1", "--workers", "0", "--quiet"]
    assert score.main(["-i", str(folder), "--results", str(store), "--metrics", "fingerprint", *common]) == 0
    assert report([str(store), "-o", str(tmp_path / "report.html"), "--quiet"]) == 0
    view = browser.new_page(viewport={"width": 1300, "height": 850}, offline=True)
    open_page(view, store)
    view.click("#show-copies")
    view.locator(".card").first.click()
    view.click("#compare")
    panes = view.locator("#beside .pane")
    assert panes.count() == 2

    def shown() -> list[tuple[float, ...]]:
        """Where each picture lies in its pane, and how large it is on the screen."""
        measure = (
            "one => { const image = one.firstChild.getBoundingClientRect(), pane = one.getBoundingClientRect(); "
            "return [image.x - pane.x, image.y - pane.y, image.width, image.height]; }"
        )
        return [tuple(round(value, 1) for value in panes.nth(n).evaluate(measure)) for n in range(2)]

    whole = shown()
    assert whole[0] == pytest.approx(whole[1], abs=1)
    box = panes.first.bounding_box()
    view.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    for _ in range(5):
        view.mouse.wheel(0, -100)
    view.wait_for_function("document.querySelector('#beside-zoom').textContent !== '100 %'")
    zoomed = shown()
    assert zoomed[0][2] > 1.15 * whole[0][2] and zoomed[0] == pytest.approx(zoomed[1], abs=1)
    view.keyboard.press("+")
    before = shown()
    view.mouse.down()
    view.mouse.move(box["x"] + box["width"] / 3 - 40, box["y"] + box["height"] / 3 - 20, steps=4)
    view.mouse.up()
    moved = shown()
    assert moved[0] == pytest.approx(moved[1], abs=1)
    assert moved[0][0] == pytest.approx(before[0][0] - 40, abs=2) and moved[0][1] == pytest.approx(
        before[0][1] - 20, abs=2
    )
    if os.environ.get("CLIQA_SCREENSHOTS"):
        view.screenshot(path=os.path.join(os.environ["CLIQA_SCREENSHOTS"], "report-beside.png"))
    view.keyboard.press("0")
    assert shown() == whole
    view.close()

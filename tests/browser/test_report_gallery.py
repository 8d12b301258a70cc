"""The pictures of a report in a real Chromium: in order, marked, one by one, as points and with what gave no score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import UNTRUSTED, condition, drag, settle


@pytest.fixture
def page(cleared: Any) -> Any:
    return cleared


def scores(view: Any) -> list[float]:
    return [float(text) for text in view.locator(".card .score").all_inner_texts()]


def test_the_gallery_begins_at_the_threshold(page: Any) -> None:
    drag(page, "grain_noise.psnr", 0.55)
    value = float(condition(page).rsplit(" ", 1)[1])
    assert page.locator("#sort").input_value() == "grain_noise.psnr"
    found = scores(page)
    assert found == sorted(found)
    above = page.locator(".divider").evaluate("line => [...line.parentNode.children].indexOf(line)")
    assert 0 < above < len(found)
    assert all(score < value for score in found[:above]) and all(score >= value for score in found[above:])
    assert set(page.locator(".card .status").all_inner_texts()[:above]) == {"✕ dropped"}


def test_sorting_paging_and_choosing_files(page: Any) -> None:
    page.select_option("#sort", "scale_factor.scale")  # lower is better: the worst come first
    page.click("[data-show=all]")
    settle(page)
    first = scores(page)
    assert first == sorted(first, reverse=True) and page.locator("#earlier").is_disabled()
    page.click("#later")
    settle(page)
    assert max(scores(page)) <= min(first)
    drag(page, "jpeg_quality.quality", 0.6)
    for show, status in (("kept", "✓ kept"), ("dropped", "✕ dropped")):
        page.click(f"[data-show={show}]")
        settle(page)
        assert set(page.locator(".card .status").all_inner_texts()) == {status}
    page.uncheck("#pictured")
    settle(page)
    assert "with a picture" not in page.locator("#position").inner_text()


def test_a_hostile_name_is_text(page: Any) -> None:
    page.uncheck("#pictured")
    page.click("[data-show=all]")
    settle(page)
    while page.locator(".card", has_text="onerror").count() == 0:
        assert page.locator("#later").is_enabled()
        page.click("#later")
        settle(page)
    page.locator(".card", has_text="onerror").click()
    page.locator("#detail[open]").wait_for()  # it opens once the values of all columns have been read
    assert page.locator("#detail-path").inner_text() == UNTRUSTED
    assert page.title() == "photos · cliqa" and page.locator("img[src=x]").count() == 0
    page.keyboard.press("Escape")
    page.locator("#detail").wait_for(state="hidden")


def test_files_are_marked_and_the_marks_saved(page: Any) -> None:
    page.locator(".card").first.focus()
    page.keyboard.press("k")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    settle(page)
    with page.expect_download() as waiting:
        page.click("#labels")
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "path,label" and [line.rsplit(",", 1)[1] for line in lines[1:]] == ["keep", "drop"]


def test_scatter_and_issues(page: Any) -> None:
    page.locator("#tab-gallery").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    pixels = "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer"
    painted = f"canvas => new Set(new Uint32Array({pixels})).size"
    assert page.locator("#scatter-canvas").evaluate(painted) > 3
    page.select_option("#scatter-x", "grepq.q")
    page.locator("#scatter-canvas").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert ".jpg: " in page.locator("#scatter-note").inner_text()
    page.click("#tab-issues")
    assert page.locator("#issues-table tbody tr").count() == 3
    page.fill("#issue-find", "truncated")
    assert page.locator("#issues-table tbody tr").count() == 2

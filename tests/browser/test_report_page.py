"""The report in a real, headless Chromium: opened from disk, dragged, filtered, sorted, copied from.

Skipped where there is no browser, except in continuous integration (CI is set): there its absence is a failure.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import REPORTED, condition, drag, kept_by_store, number, open_page, settle, slider


@pytest.fixture
def page(cleared: Any) -> Any:
    return cleared


def test_it_opens_with_the_filters_thresholds_and_the_faults_in_words(begun: Any, store_path: Path) -> None:
    terms = condition(begun).split(" and ")
    assert {"jpeg_quality.quality >= 90", "exposure.too_dark_level <= 2"} <= set(terms)
    assert number(begun, "#kept") == kept_by_store(store_path, condition(begun)) < REPORTED
    assert begun.locator(".field.used").count() == len(terms)
    shown = begun.locator(".field.used").evaluate_all("cards => cards.every((card) => card.checkVisibility())")
    assert shown, "what drops files is to be seen"
    chip = begun.locator(".fault", has_text="were JPEGs below 90")
    count = int(chip.locator("b").inner_text())
    assert count == kept_by_store(store_path, "jpeg_quality.quality < 90")
    begun.uncheck("#pictured")
    chip.click()
    settle(begun)
    assert begun.locator("#position").inner_text().endswith(f"of {count}")
    assert set(begun.locator(".card .status").all_inner_texts()) == {"✕ dropped"}
    chip.click()
    begun.locator(".fault-pair", has_text="would be rated low").get_by_role("button", name="Drop those").click()
    begun.locator(".fault-pair", has_text="would be rated low").wait_for(state="detached")
    assert "grepq.quality >= 50" in condition(begun)
    assert number(begun, "#kept") == kept_by_store(store_path, condition(begun))
    begun.click("#reset")
    begun.locator(".fault-pair", has_text="would be rated low").wait_for()
    assert condition(begun).split(" and ") == terms


def test_a_condition_in_use_is_never_hidden(page: Any) -> None:
    more = page.locator(".metric", has=page.locator("h3", has_text="scale_factor")).locator("details")
    assert not page.locator('input[aria-label="use scale_factor.scale"]').is_visible()
    more.locator("summary").click()
    page.check('input[aria-label="use scale_factor.scale"]')
    settle(page)
    more.locator("summary").click()
    page.locator('input[aria-label="use scale_factor.scale"]').wait_for()  # `toggle` comes after the click
    assert not page.locator('input[aria-label="use scale_factor.scale_x"]').is_visible()
    assert more.locator("summary").inner_text() == "more: scale_x, scale_y"


def test_it_opens_with_everything_kept(page: Any) -> None:
    assert number(page, "#kept") == REPORTED and number(page, "#dropped") == 0
    assert page.locator("#metrics .metric").count() == 8
    assert page.locator(".card").count() > 10
    assert page.locator(".card img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert page.locator("#issue-count").inner_text() == "3"


def test_dragging_counts_what_the_command_would_keep(page: Any, store_path: Path) -> None:
    drag(page, "jpeg_quality.quality", 0.6)
    first = number(page, "#kept")
    assert 0 < first < REPORTED and first == kept_by_store(store_path, condition(page))
    drag(page, "grain_noise.psnr", 0.45)
    both = number(page, "#kept")
    assert both < first and both == kept_by_store(store_path, condition(page))
    assert condition(page).count(" and ") == 1
    assert both + number(page, "#dropped") == REPORTED
    page.click("#combine-any")
    settle(page)
    assert number(page, "#kept") > first
    assert number(page, "#kept") == kept_by_store(store_path, condition(page)) and " or " in condition(page)
    page.click("#reset")
    settle(page)
    assert "jpeg_quality.quality >= 90 and grain_noise.psnr >= 40" in condition(page), "as it began"
    assert page.locator("#combine-all").get_attribute("aria-pressed") == "true"


def test_thresholds_by_keyboard_number_and_direction(page: Any, store_path: Path) -> None:
    slider(page, "grain_noise.psnr").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert number(page, "#kept") == kept_by_store(store_path, condition(page)) < REPORTED
    box = page.locator('input[aria-label="threshold of grain_noise.psnr"]')
    box.fill("31.25")
    box.press("Enter")
    settle(page)
    assert condition(page) == "grain_noise.psnr >= 31.25"
    more = number(page, "#kept")
    page.locator(".field", has=box).get_by_role("button").click()
    settle(page)
    assert condition(page) == "grain_noise.psnr <= 31.25"
    assert number(page, "#kept") == kept_by_store(store_path, condition(page))
    assert number(page, "#kept") + more >= REPORTED


def test_labels_whole_numbers_and_missing_values(page: Any, store_path: Path) -> None:
    page.locator(".choice", has_text="rejected").locator("input").uncheck()
    settle(page)
    assert "aesthetic.label in (" in condition(page)
    assert number(page, "#kept") == kept_by_store(store_path, condition(page))
    page.locator("summary", has_text="qf_header").click()
    settle(page)
    drag(page, "jpeg_quality.qf_header", 0.6)
    without = number(page, "#kept")
    assert without == kept_by_store(store_path, condition(page))
    page.locator(".missing").first.locator("input").check()
    settle(page)
    assert "is null)" in condition(page)
    assert without < number(page, "#kept") == kept_by_store(store_path, condition(page))
    drag(page, "exposure.too_dark_level", 0.4)
    assert re.search(r"exposure\.too_dark_level <= [23]\b", condition(page))
    assert number(page, "#kept") == kept_by_store(store_path, condition(page))


def test_the_command_is_copied(page: Any) -> None:
    drag(page, "jpeg_quality.quality", 0.7)
    page.click("#copy")
    page.locator("#copy", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#command").inner_text()
    assert copied.startswith("cliqa apply ") and "--where" in copied


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1300, 850, "light"), (1300, 850, "dark"), (390, 844, "light")]
)
def test_nothing_moves_and_nothing_overflows(
    browser: Any, store_path: Path, width: int, height: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
    view = context.new_page()
    view.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => { for (const entry of list.getEntries()) window.shift += entry.value; })"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    open_page(view, store_path)
    if width < 500:
        assert view.locator(".card").first.is_visible() and not view.locator("#metrics").is_visible()
        view.click("#tab-thresholds")
    drag(view, "jpeg_quality.quality", 0.6)
    assert view.evaluate("window.shift") < 0.02
    assert view.evaluate("document.documentElement.scrollWidth") == width
    page_colour = view.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", page_colour)[:3]))
    assert brightness < 200 if scheme == "dark" else brightness > 600
    if width < 500:
        view.click("#tab-gallery")
        settle(view)
        assert view.locator(".card").first.is_visible() and not view.locator("#metrics").is_visible()
    context.close()

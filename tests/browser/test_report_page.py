"""The report in a real, headless Chromium: opened from disk, dragged, filtered, sorted, copied from.

Skipped where there is no browser, except in continuous integration (CI is set): there its absence is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa.report.__main__ import main as report
from cliqa.results.store import Store
from tests.browser.pages import open_page, settle
from tests.synthetic_store import make_store

HOSTILE = "photos/<img src=x onerror=document.title='owned'>.jpg"
ROWS = 400


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    make_store(folder / "scores.db", ROWS, issues=3, names=[HOSTILE])
    (folder / "photos/0000").mkdir(parents=True)
    for number in range(ROWS):
        shade = np.linspace(0, 255, 120).astype(np.uint8)
        pixels = np.stack([np.tile(shade, (90, 1))] * 2 + [np.full((90, 120), number % 256, np.uint8)], axis=2)
        name = HOSTILE if number == 0 else f"photos/0000/IMG_{number:07d}.jpg"
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
def page(begun: Any) -> Any:
    """The page without any condition."""
    begun.locator(".field.used input[aria-label^=use]").evaluate_all("boxes => boxes.forEach((box) => box.click())")
    settle(begun)
    assert begun.locator(".field.used").count() == 0
    return begun


def number(view: Any, selector: str) -> int:
    return int(view.locator(selector).inner_text().replace(",", ""))


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


def test_it_opens_with_the_filters_thresholds_and_the_faults_in_words(begun: Any, store_path: Path) -> None:
    terms = condition(begun).split(" and ")
    assert {"jpeg_quality.quality >= 90", "exposure.too_dark_level <= 2"} <= set(terms)
    assert number(begun, "#kept") == kept_by_store(store_path, condition(begun)) < ROWS
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
    assert number(page, "#kept") == ROWS and number(page, "#dropped") == 0
    assert page.locator("#metrics .metric").count() == 8
    assert page.locator(".card").count() > 10
    assert page.locator(".card img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert page.locator("#issue-count").inner_text() == "3"


def test_dragging_counts_what_the_command_would_keep(page: Any, store_path: Path) -> None:
    drag(page, "jpeg_quality.quality", 0.6)
    first = number(page, "#kept")
    assert 0 < first < ROWS and first == kept_by_store(store_path, condition(page))
    drag(page, "grain_noise.psnr", 0.45)
    both = number(page, "#kept")
    assert both < first and both == kept_by_store(store_path, condition(page))
    assert condition(page).count(" and ") == 1
    assert both + number(page, "#dropped") == ROWS
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
    assert number(page, "#kept") == kept_by_store(store_path, condition(page)) < ROWS
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
    assert number(page, "#kept") + more >= ROWS


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


def test_the_command_is_copied(page: Any) -> None:
    drag(page, "jpeg_quality.quality", 0.7)
    page.click("#copy")
    page.locator("#copy", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#command").inner_text()
    assert copied.startswith("cliqa apply ") and "--where" in copied


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
    assert page.locator("#detail-path").inner_text() == HOSTILE
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

"""The viewer in a real, headless Chromium: marked, sorted, acted on; by mouse and by keyboard, after crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import ROWS
from tests.browser.pages import active, marks_in, number, opened, until, wait_for_marks
from tests.conftest import make_pixels
from tests.viewer import HOSTILE, viewing


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


def test_taste_is_no_condition_until_it_is_asked_for(page: Any) -> None:
    pair = page.locator(".fault-pair", has_text="would be rated low")
    assert "Taste, not among the conditions:" in page.locator("#faults").inner_text()
    count = int(pair.locator("b").inner_text())
    kept = number(page, "#kept")
    pair.get_by_role("button", name="Drop those").click()
    pair.wait_for(state="detached")
    assert number(page, "#kept") <= kept
    chip = page.locator(".fault", has_text="would be rated low")
    assert int(chip.locator("b").inner_text()) == count
    chip.click()
    until(page, f"document.querySelector('#position').textContent.startsWith('{count} of')")
    assert set(page.locator(".tile .status .hidden-text").all_inner_texts()) == {"dropped"}
    page.locator('input[aria-label="threshold of jpeg_quality.quality"]').fill("12")
    page.locator('input[aria-label="threshold of jpeg_quality.quality"]').press("Enter")
    page.uncheck('input[aria-label="use jpeg_quality.quality"]')
    page.click("#reset")
    pair.wait_for()
    assert page.locator('input[aria-label="threshold of jpeg_quality.quality"]').input_value() == "90"
    assert number(page, "#kept") == kept


def test_faults_are_not_cut_off_and_what_finds_nothing_says_so(page: Any) -> None:
    assert page.locator("#faults").evaluate("box => box.scrollHeight <= box.clientHeight")
    page.fill("#find", "no such name")
    page.locator("#nothing").wait_for()
    assert page.locator("#nothing-text").inner_text() == "No name with “no such name”."
    page.select_option("#show", "marked")
    page.fill("#find", "")
    until(page, "document.querySelector('#nothing-text').textContent === 'No file is marked.'")
    page.click("#show-everything")
    page.locator("#nothing").wait_for(state="hidden")
    assert page.locator("#show").input_value() == "all" and page.locator(".tile").count() > 5


def test_the_command_is_that_of_the_choice(page: Any) -> None:
    page.click("#act-open")
    assert (
        " --where " in page.locator("#command").inner_text() and "--invert" not in page.locator("#command").inner_text()
    )
    page.select_option("#act-which", "dropped")
    until(page, "!document.querySelector('#act-go').disabled")
    assert page.locator("#act-go").inner_text() == f"Do it: {number(page, '#dropped')} files"
    assert "--invert -o" in page.locator("#command").inner_text()
    page.route("**/api/preview", lambda route: None)  # no answer
    page.select_option("#act-which", "selected")
    assert page.locator("#act-go").inner_text() == "Do it"
    assert not page.locator("#command").is_visible()
    assert "No command does the same" in page.locator("#command-words").inner_text()


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
    until(page, "document.querySelectorAll('.tile').length === 1")
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

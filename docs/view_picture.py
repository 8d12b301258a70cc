"""Makes the pictures of the viewer in the README and docs: scores `examples/photos`, opens the viewer in Chromium and photographs it.

    python docs/view_picture.py [--folder examples/photos] [--out docs]

Needs the extras `view` and `test` (Playwright) and a Chromium.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 1320, 800
QUALITY = 80  # of the JPEG: small, and text stays legible


def main() -> int:
    """Write `view.jpg` (the gallery) and `view_place.jpg` (a picture at the place that decided)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "examples/photos")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        command = [sys.executable, "-m", "cliqa.view", str(options.folder), "--no-browser", "--quiet", "--port", "0"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"CLIQA_STATE": state}
        ) as viewer:
            assert viewer.stdout is not None
            try:
                photograph(viewer.stdout.readline().strip(), options.out)
            finally:
                viewer.terminate()
    return 0


def photograph(address: str, out: Path) -> None:
    """Open the viewer, wait until all is scored, and save the two pictures."""
    with sync_playwright() as running:
        found = next(
            (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
        )
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(address)
        page.wait_for_selector("html[data-ready=true]", timeout=60_000)
        page.locator("#progress[hidden]").wait_for(state="attached", timeout=600_000)
        page.wait_for_timeout(6000)  # the last values, and every thumbnail
        page.locator("#gallery-list").focus()
        mark(page, "facade.jpg", "k")
        mark(page, "garden_dark.jpg", "d")
        mark(page, "lake.jpg", "4")
        page.wait_for_timeout(500)
        save(page.screenshot(), out / "view.jpg")
        mark(page, "hike_noisy.jpg", "Enter")
        page.locator("#reasons .reason").first.wait_for()
        page.wait_for_timeout(500)
        page.keyboard.press("z")
        page.wait_for_timeout(700)
        save(page.screenshot(), out / "view_place.jpg")
        browser.close()


def mark(page: Page, name: str, key: str) -> None:
    """Go to a picture with the arrow keys and press a key."""
    page.keyboard.press("Home")
    page.wait_for_timeout(100)  # drawn
    for _ in range(200):
        if page.locator(".tile.active .file").inner_text() == name:
            break
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(80)
    page.keyboard.press(key)


def save(screenshot: bytes, path: Path) -> None:
    """A screenshot as a JPEG."""
    Image.open(io.BytesIO(screenshot)).convert("RGB").save(path, quality=QUALITY, subsampling=0, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())

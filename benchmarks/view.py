"""How quick the viewer is: the first view of many scored files, scrolling, a threshold dragged, and a folder that is not scored.

    python benchmarks/view.py [--files 20000] [--unscored 1000] [--workers 1]

Scores are made up, pictures are copies of one small JPEG each (linked, so that disk space does not matter); the browser is a headless
Chromium. Times are of this machine as it is: say how busy it was.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.synthetic_store import make_store

FRAMES = """async (seconds) => {
  const box = document.querySelector('#gallery-list');
  const times = [];
  const end = performance.now() + 1000 * seconds;
  let last = performance.now();
  return new Promise((done) => {
    const step = (now) => {
      times.push(now - last);
      last = now;
      box.scrollTop += 40;
      if (now < end) requestAnimationFrame(step); else done(times.slice(1));
    };
    requestAnimationFrame(step);
  });
}"""
DRAG = """async (steps) => {
  const slider = document.querySelector('input[type=range][aria-label="grain_noise.psnr"]');
  const times = [];
  for (let step = 0; step < steps; step++) {
    slider.value = Number(slider.min) + (Number(slider.max) - Number(slider.min)) * (step + 1) / (steps + 2);
    const start = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return times;
}"""


def main() -> int:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--unscored", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as running:
        found = next((path for each in ("chromium", "google-chrome") if (path := shutil.which(each))), None)
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        root = Path(name)
        os.environ["CLIQA_STATE"] = str(root / "state")
        if options.files:
            scored(browser, root, options.files)
        if options.unscored:
            unscored(browser, root, options.unscored, options.workers)
        browser.close()
    return 0


def start(*arguments: str) -> tuple[subprocess.Popen[str], str, float]:
    """A viewer: the process, the address that it printed, and when it was called."""
    called = time.monotonic()
    command = [sys.executable, "-m", "cliqa.view", *arguments, "--no-browser", "--quiet", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip(), called


def scored(browser: Any, root: Path, files: int) -> None:
    """A store of scored files: opened, scrolled, a threshold dragged."""
    make_store(root / "scores.db", files)
    picture(root / "one.jpg", 0)
    for number in range(files):
        if number % 50_000 == 49_999:
            picture(root / f"one-{number}.jpg", 0)  # a file has 65,000 names at most
            os.replace(root / f"one-{number}.jpg", root / "one.jpg")
        target = root / f"photos/{number // 1000:04d}/IMG_{number:07d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(root / "one.jpg", target)
    process, address, called = start(str(root / "scores.db"))
    serving = time.monotonic() - called
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    begun = time.monotonic()
    page.goto(address)
    page.wait_for_selector(".tile img.there")
    first = time.monotonic() - begun
    page.wait_for_selector("html[data-ready=true]")
    ready = time.monotonic() - begun
    print(f"{files} scored files: serving {serving:.2f} s after the command")
    print(f"first picture {first:.2f} s after the page was asked for, all ready {ready:.2f} s")
    frames = page.evaluate(FRAMES, 5)
    within = np.percentile(frames, 95)
    print(f"scrolling: {1000 / statistics.mean(frames):.0f} frames/s, 95 % of the frames within {within:.0f} ms")
    drags = page.evaluate(DRAG, 60)
    typical, most = statistics.median(drags), np.percentile(drags, 95)
    print(f"a threshold dragged: the next frame after {typical:.0f} ms (median), 95 % within {most:.0f} ms")
    page.close()
    process.terminate()
    process.wait(60)


def unscored(browser: Any, root: Path, files: int, workers: int) -> None:
    """A folder that was never scored: when its first picture is seen, and when the first score is."""
    folder = root / "unscored"
    folder.mkdir()
    for number in range(files):
        if number < 20:
            picture(folder / f"{number:05d}.jpg", number, (1600, 1200))
        else:
            shutil.copy(folder / f"{number % 20:05d}.jpg", folder / f"{number:05d}.jpg")
    process, address, called = start(str(folder), "--workers", str(workers))
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    page.wait_for_selector(".tile img.there", timeout=120_000)
    seen = time.monotonic() - called
    page.wait_for_selector(".tile .status.in-text, .tile .status.out-text", timeout=300_000)
    print(
        f"{files} unscored files: first picture {seen:.1f} s after the command, first verdict {time.monotonic() - called:.1f} s"
    )
    page.close()
    process.terminate()
    process.wait(60)


def picture(path: Path, seed: int, size: tuple[int, int] = (800, 600)) -> None:
    """A JPEG with some texture."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(coarse).astype(int) + rng.integers(-9, 10, (size[1], size[0], 3))
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=85)


if __name__ == "__main__":
    sys.exit(main())

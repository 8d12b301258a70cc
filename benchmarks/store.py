"""The bars of the store: one pass against the commands one after another, kills, a million rows, the report.

    python benchmarks/store.py pass --data photos/     all metrics at once against each alone, 12-megapixel JPEG
    python benchmarks/store.py kill                    SIGKILL at 20 random moments, per format, and resumed
    python benchmarks/store.py apply                   a condition on two metrics over 1,000,000 rows
    python benchmarks/store.py report                  the page of 100,000 rows in a headless Chromium

Each prints a table of what was measured and the bar, and ends with status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.synthetic_store import make_store

ROOT = Path(__file__).parent.parent
SUFFIXES = (".db", ".csv", ".jsonl", ".parquet")
Row = tuple[str, str, str, bool]


def main() -> int:
    """Run one part; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--data", help="a folder of photographs, for `pass`")
    parser.add_argument("--metrics", nargs="+", default=["all"], help="which metrics, for `pass`")
    parser.add_argument("--images", type=int, default=48, help="how many images, for `pass`")
    parser.add_argument("--kills", type=int, default=20, help="how many runs are killed, for `kill`")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cliqa-bench-") as folder:
        rows = PARTS[options.part](options, Path(folder))
    print("| condition | measured | bar | |\n|---|---|---|---|")
    for name, measured, bar, reached in rows:
        print(f"| {name} | {measured} | {bar} | {'reached' if reached else 'MISSED'} |")
    return 0 if all(reached for *_, reached in rows) else 1


def one_pass(options: argparse.Namespace, folder: Path) -> list[Row]:
    """All metrics in one pass, and the sum of the runs of each alone; the same command, the same files."""
    from cliqa.cli.scoring import metric_names

    photos = folder / "photos"
    make_photos(Path(options.data), photos, options.images)
    names = metric_names(options.metrics)
    score(photos, names, folder / "warm.db")
    together, apart = [], []
    for _ in range(3):
        together.append(score(photos, names, folder / "all.db"))
        apart.append(sum(score(photos, [name], folder / "one.db") for name in names))
    pass_seconds, sum_seconds = statistics.median(together), statistics.median(apart)
    rate, gain = options.images / pass_seconds, sum_seconds / pass_seconds
    return [
        (f"{len(names)} metrics, one pass, 12 megapixels", f"{rate:.1f} images/s", ">= 4 images/s", rate >= 4),
        ("against one command after another", f"{gain:.2f} times faster", ">= 1.8 times", gain >= 1.8),
    ]


def make_photos(source: Path, target: Path, count: int) -> None:
    """12-megapixel JPEG files, quality 92, 4:2:0, from photographs enlarged and mirrored out to 4000x3000."""
    target.mkdir()
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for number in range(count):
        with Image.open(files[number % len(files)]) as image:
            pixels = np.asarray(image.convert("RGB"))
        repeats = (-(-3000 // pixels.shape[0]), -(-4000 // pixels.shape[1]))
        tiled = np.concatenate([pixels, pixels[:, ::-1]], axis=1) if repeats[1] > 1 else pixels
        tiled = np.concatenate([tiled, tiled[::-1]], axis=0) if repeats[0] > 1 else tiled
        tiled = np.tile(tiled, (repeats[0], repeats[1], 1))[:3000, :4000]
        Image.fromarray(np.roll(tiled, 8 * number, axis=1)).save(target / f"{number:04d}.jpg", quality=92)


def score(photos: Path, names: Sequence[str], results: Path) -> float:
    """Wall time of one `cliqa.score` run in a process of its own, in seconds."""
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "cliqa.score", "-i", str(photos), "-g", "-1", "--quiet", "--results", str(results)]
    start = time.perf_counter()
    subprocess.run([*command, "--metrics", *names], cwd=ROOT, check=True)
    return time.perf_counter() - start


def kill(options: argparse.Namespace, folder: Path) -> list[Row]:
    """Kill a run at a random moment, resume it, and compare every row with those of an uninterrupted run."""
    rng = random.Random(1)
    photos = folder / "photos"
    make_mixed(photos, 150)
    rows: list[Row] = []
    for suffix in SUFFIXES:
        calm = folder / f"calm{suffix}"
        start = time.perf_counter()
        scoring(photos, calm).wait()
        seconds = time.perf_counter() - start
        expected, equal, early = content(calm), 0, 0
        for number in range(options.kills):
            hurt = folder / f"hurt{number}{suffix}"
            process = scoring(photos, hurt)
            time.sleep(rng.uniform(0.1, seconds))
            early += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            scoring(photos, hurt, "--resume").wait()
            equal += content(hurt) == expected
        rows.append(
            (f"{suffix}: killed ({early} in mid-run) and resumed", f"{equal} of {options.kills} equal", "all",
             equal == options.kills)
        )  # fmt: skip
    return rows


def make_mixed(target: Path, count: int) -> None:
    """Small pictures, by turns JPEG and PNG, of which every tenth has a broken neighbour."""
    target.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 1 + number % 256, (20, 30, 3)).astype(np.uint8))
        picture = coarse.resize((300, 200), Image.Resampling.BICUBIC)
        if number % 2:
            picture.save(target / f"{number:04d}.jpg", quality=30 + number % 70)
        else:
            picture.save(target / f"{number:04d}.png")
    for number in range(0, count, 10):
        (target / f"{number:04d}-broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(number))


def scoring(photos: Path, results: Path, *more: str) -> subprocess.Popen[bytes]:
    """A run of `cliqa.score` with two quick metrics."""
    command = [sys.executable, "-m", "cliqa.score", "-i", str(photos), "--metrics", "jpeg_quality", "exposure"]
    return subprocess.Popen([*command, "--results", str(results), "-g", "-1", "--quiet", *more], cwd=ROOT)


def content(results: Path) -> list[list[tuple[object, ...]]]:
    """Every row of scores and issues, in order."""
    from cliqa.results import ISSUE_COLUMNS
    from cliqa.results.store import Store

    with Store(str(results)) as store:
        return [list(store.rows(store.columns)), list(store.issues(ISSUE_COLUMNS))]


def million(options: argparse.Namespace, folder: Path) -> list[Row]:
    """`apply --print` over a million rows with the fields of all metrics."""
    make_store(folder / "scores.db", 1_000_000)
    command = [sys.executable, "-m", "cliqa.apply", str(folder / "scores.db"), "--print", "--quiet"]
    condition = "jpeg_quality.quality >= 90 and grain_noise.psnr >= 30"
    seconds = []
    for _ in range(3):
        with open(folder / "paths.txt", "wb") as stream:
            start = time.perf_counter()
            subprocess.run([*command, "--where", condition], stdout=stream, check=True, cwd=ROOT)
            seconds.append(time.perf_counter() - start)
    kept = (folder / "paths.txt").read_bytes().count(b"\n")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    middle = statistics.median(seconds)
    return [
        (f"1,000,000 rows, {kept:,} printed", f"{middle:.2f} s", "<= 5 s", middle <= 5),
        ("peak memory", f"{peak:.0f} MB", "< 500 MB", peak < 500),
    ]


def report(options: argparse.Namespace, folder: Path) -> list[Row]:
    """Build the page of 100,000 rows, open it, drag thresholds in it, with every histogram of the first view on it."""
    from playwright.sync_api import sync_playwright

    make_store(folder / "scores.db", 100_000, issues=500)
    make_links(folder, 100_000)
    page, bare = folder / "report.html", folder / "bare.html"
    command = [sys.executable, "-m", "cliqa.report", str(folder / "scores.db"), "--quiet"]
    seconds = []
    for arguments in (["-o", str(bare), "--thumbnails", "0"], ["-o", str(page)]):
        start = time.perf_counter()
        subprocess.run([*command, *arguments], check=True, cwd=ROOT)
        seconds.append(time.perf_counter() - start)
    views, drags = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(5):
            view = browser.new_page(viewport={"width": 1440, "height": 900})
            view.goto(page.as_uri())
            view.wait_for_selector("html[data-ready=true]")
            views.append(view.evaluate("performance.getEntriesByName('ready')[0].startTime") / 1000)
            box = view.locator("input[type=range]").first.bounding_box()
            assert box is not None
            middle = box["y"] + box["height"] / 2
            view.mouse.move(box["x"] + 0.2 * box["width"], middle)
            view.mouse.down()
            for step in range(40):
                view.mouse.move(box["x"] + (0.2 + 0.015 * step) * box["width"], middle)
                view.wait_for_timeout(60)
                drags.append(view.evaluate("performance.getEntriesByName('redraw')[0].duration"))
            view.mouse.up()
            view.close()
        browser.close()
    size = page.stat().st_size / 1e6
    first, drag, worst = statistics.median(views), statistics.median(drags), float(np.quantile(drags, 0.95))
    return [
        ("100,000 rows, built without pictures", f"{seconds[0]:.1f} s", "<= 60 s", seconds[0] <= 60),
        ("built with 1,500 pictures", f"{seconds[1]:.1f} s, {size:.1f} MB", "< 40 MB", size < 40),
        (
            "first view, all data read and drawn",
            f"{first:.2f} s (slowest of 5: {max(views):.2f} s)",
            "<= 2 s",
            first <= 2,
        ),
        ("a drag redraws in, median", f"{drag:.1f} ms", "<= 50 ms", drag <= 50),
        ("95 of 100 drags redraw in", f"{worst:.1f} ms", "<= 50 ms", worst <= 50),
    ]


def make_links(folder: Path, rows: int) -> None:
    """A picture for every row of the store: a few of them, under many names."""
    rng = np.random.default_rng(0)
    kinds = []
    for number in range(64):
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        kinds.append(folder / f"{number}.jpg")
        coarse.resize((1200, 900), Image.Resampling.BICUBIC).save(kinds[-1], quality=90)
    for row in range(rows):
        name = folder / f"photos/{row // 1000:04d}/IMG_{row:07d}.jpg"
        if row % 1000 == 0:
            name.parent.mkdir(parents=True)
        name.hardlink_to(kinds[row % len(kinds)])


PARTS: dict[str, Callable[[argparse.Namespace, Path], list[Row]]] = {
    "pass": one_pass,
    "kill": kill,
    "apply": million,
    "report": report,
}

if __name__ == "__main__":
    sys.exit(main())

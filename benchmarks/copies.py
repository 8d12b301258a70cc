"""Copies of photographs, made in many ways: how many are found, what else is called a copy, and whether the best one is named.

Frames of one scene that tell no time are among what is none: they are simulated (`burst_frames.py`).

    python benchmarks/copies.py --data photos/ [--split test] [--tables frames]
    python benchmarks/copies.py --fingerprints 1000000

Only test photographs by default: thresholds were chosen on the others. Copies are made by Pillow, into a temporary folder. The second
form groups made-up fingerprints, a tenth of them copies, and tells time and memory.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import multiprocessing
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from burst_frames import MOTIONS, frames

from cliqa.duplicates.best import judge
from cliqa.duplicates.decoding import Decoded
from cliqa.duplicates.grouping import COPIES, Group, find_groups
from cliqa.duplicates.keeping import superfluous
from cliqa.duplicates.pictures import CLOSER, Picture, Prints, closer_of, read_pictures
from cliqa.metrics.fingerprint import CLOSER_QUALITY
from cliqa.results.store import Store
from cliqa.signal.copies.alignment import SIDE
from cliqa.signal.copies.motion import SIDE as CLOSER_SIDE
from cliqa.training.photos import read_photos

METRICS = "fingerprint,jpeg_quality,scale_factor,grain_noise,compression"
PIXELS = "fingerprint,jpeg_quality,compression"  # what tells copies from shots
Rng = np.random.Generator
Copy = Callable[[Image.Image, Path, Rng], None]


def _resized(image: Image.Image, factor: float, kernel: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    return image.resize((max(33, round(image.width * factor)), max(33, round(image.height * factor))), kernel)


def _resize(image: Image.Image, path: Path, rng: Rng) -> None:
    _resized(image, float(rng.uniform(0.3, 2.0))).save(path.with_suffix(".png"))


def _jpeg(image: Image.Image, path: Path, rng: Rng) -> None:
    image.save(path.with_suffix(".jpg"), quality=int(rng.integers(30, 96)))


def _webp(image: Image.Image, path: Path, rng: Rng) -> None:
    image.save(path.with_suffix(".webp"), quality=int(rng.integers(30, 96)))


def _grey(image: Image.Image, path: Path, rng: Rng) -> None:
    image.convert("L").save(path.with_suffix(".png"))


def _toned(image: Image.Image, path: Path, rng: Rng) -> None:
    bright = ImageEnhance.Brightness(image).enhance(float(rng.uniform(0.7, 1.35)))
    ImageEnhance.Contrast(bright).enhance(float(rng.uniform(0.7, 1.4))).save(path.with_suffix(".png"))


def _cropped(image: Image.Image, path: Path, rng: Rng) -> None:
    left, top, right, bottom = rng.uniform(0, 0.08, 4)
    width, height = image.size
    image.crop((int(left * width), int(top * height), int(width - right * width), int(height - bottom * height))).save(
        path.with_suffix(".png")
    )


def _framed(image: Image.Image, path: Path, rng: Rng) -> None:
    border = int(min(image.size) * rng.uniform(0.02, 0.1))
    ImageOps.expand(image, border, fill="white" if rng.random() < 0.5 else "black").save(path.with_suffix(".png"))


def _watermarked(image: Image.Image, path: Path, rng: Rng) -> None:
    marked = image.copy()
    draw = ImageDraw.Draw(marked, "RGBA")
    font = ImageFont.load_default(size=max(12, image.height // 12))
    place = (float(rng.uniform(0, 0.5)) * image.width, float(rng.uniform(0, 0.85)) * image.height)
    draw.text(place, "© Photographer", font=font, fill=(255, 255, 255, int(rng.uniform(90, 230))))
    marked.save(path.with_suffix(".jpg"), quality=90)


FOUND: dict[str, Copy] = {
    "resized 0.3-2": _resize, "JPEG 30-95": _jpeg, "WebP 30-95": _webp, "grey": _grey, "toned": _toned,
    "cropped 0-8 %": _cropped, "framed": _framed, "watermarked": _watermarked,
}  # fmt: skip


def _best_group(image: Image.Image, folder: Path, name: str, rng: Rng) -> None:
    """An original and worse copies of it; the original's name begins with `best`."""
    if rng.random() < 0.5:
        original = folder / f"best-{name}.jpg"
        image.save(original, quality=int(rng.integers(85, 97)))
    else:
        original = folder / f"best-{name}.png"
        image.save(original)
    opened = Image.open(original).convert("RGB")
    low = folder / f"low-{name}.jpg"
    opened.save(low, quality=int(rng.integers(40, 80)))
    lossy = Image.open(low).convert("RGB")
    lossy.save(folder / f"again-{name}.jpg", quality=int(rng.integers(90, 98)))
    lossy.save(folder / f"png-{name}.png")
    _resized(opened, float(rng.uniform(1.3, 2.0)), Image.Resampling.LANCZOS).save(folder / f"enlarged-{name}.png")
    _resized(opened, float(rng.uniform(0.4, 0.8)), Image.Resampling.LANCZOS).save(folder / f"reduced-{name}.png")


def _scored(folder: Path, metrics: str = METRICS) -> Store:
    store = folder / "scores.db"
    command = [sys.executable, "-m", "cliqa.score", "-i", str(folder), "-g", "-1", "--results", str(store)]
    subprocess.run([*command, "--metrics", metrics, "--quiet"], check=True)
    return Store(str(store))


def _grouped(scored: Store) -> tuple[list[Picture], list[Group]]:
    with scored as store:
        pictures, prints = read_pictures(store)
        with Decoded(store, pictures) as look:
            return pictures, find_groups(pictures, prints, look=look)


def main() -> None:
    """Make the copies, score them, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--fingerprints", type=int, metavar="N", help="group N made-up fingerprints instead")
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    options = parser.parse_args()
    if options.fingerprints:
        grouping(options.fingerprints)
        return
    if not options.data:
        parser.error("give --data or --fingerprints")
    photos = [photo for photo in read_photos(options.data, options.split) if photo.kind != "drawn"][: options.limit]
    for name in options.tables:
        TABLES[name](photos)


def found_table(photos: list) -> None:  # type: ignore[type-arg]
    """How many copies of each kind are in the group of their photograph, and how many groups join different ones."""
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        for number, photo in enumerate(photos):
            image = Image.fromarray(photo.pixels())
            image.save(folder / f"{number:04d}-original.png")
            for place, copy in enumerate(FOUND.values()):
                copy(image, folder / f"{number:04d}-{place}", np.random.default_rng([number, place]))
        pictures, groups = _grouped(_scored(folder))
        group_of: dict[str, int] = {}
        wrong: set[str] = set()
        for index, group in enumerate(groups):
            if group.kind not in COPIES:
                continue
            names = [Path(pictures[member].path).name for member in group.members]
            owners = Counter(name.split("-")[0] for name in names)
            wrong |= {name for name in names if name.split("-")[0] != owners.most_common(1)[0][0]}
            group_of |= dict.fromkeys(names, index)
        hits: dict[int, list[bool]] = defaultdict(list)
        for picture in pictures:
            name = Path(picture.path).name
            owner, kind = name.split("-", 1)
            if not kind.startswith("original"):
                own = group_of.get(f"{owner}-original.png")
                hits[int(kind.split(".")[0])].append(own is not None and group_of.get(name) == own)
        print(f"| copies of {len(photos)} photographs | found |\n|---|---|")
        for place, name in enumerate(FOUND):
            print(f"| {name} | {100 * np.mean(hits[place]):.1f} % |")
        print(f"| of {len(pictures)} pictures in another one's group | {100 * len(wrong) / len(pictures):.3f} % |\n")


def best_table(photos: list) -> None:  # type: ignore[type-arg]
    """How often the original is named the best of its copies."""
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        for number, photo in enumerate(photos):
            _best_group(Image.fromarray(photo.pixels()), folder, f"{number:04d}", np.random.default_rng([7, number]))
        pictures, groups = _grouped(_scored(folder))
        right: list[bool] = []
        instead: Counter[str] = Counter()
        for group in groups:
            if group.kind in COPIES and len(group.members) >= 4:
                best, _ = judge(group, pictures)
                name = Path(pictures[best].path).name
                right.append(name.startswith("best-"))
                if not right[-1]:
                    instead[name.split("-")[0]] += 1
        print(f"best copy right in {len(right)} groups: {100 * np.mean(right):.1f} % (named instead: {dict(instead)})")


def frames_table(photos: list) -> None:  # type: ignore[type-arg]
    """How many frames of each kind of burst are in one group of copies with the frame before, or in one burst."""
    photos = [photo for photo in photos if photo.kind == "lossless"]
    print(
        f"\n| two frames of {len(photos)} scenes, without a time | copies | a burst or bracket | proposed for removal |"
    )
    print("|---|---|---|---|")
    for kind, motion in MOTIONS.items():
        with tempfile.TemporaryDirectory() as given:
            for number, photo in enumerate(photos):
                rng = np.random.default_rng([11, number, list(MOTIONS).index(kind)])
                for frame, taken in enumerate(frames(Image.fromarray(photo.pixels()), motion, rng)):
                    (Path(given) / f"{number:04d}-{frame}.jpg").write_bytes(taken)
            pictures, groups = _grouped(_scored(Path(given), PIXELS))
        copies, shots = (
            {index for group in groups if group.kind in kinds for index in group.members}
            for kinds in (COPIES, ("burst", "bracket"))
        )
        rest = superfluous([(group, *judge(group, pictures)) for group in groups], groups)
        shares = " | ".join(f"{100 * len(some) / len(pictures):.1f} %" for some in (copies, shots, rest))
        print(f"| {kind} | {shares} |")


TABLES: dict[str, Callable[[list], None]] = {"found": found_table, "best": best_table, "frames": frames_table}  # type: ignore[type-arg]


def grouping(count: int) -> None:
    """Time and memory of grouping: hashes of noise, a tenth of them copies with a twentieth of the bits turned.

    The closer pictures are read from a store, as they are where the files themselves are not at hand.
    """
    rng = np.random.default_rng(0)
    whole, inside = (rng.integers(0, 256, (count, 32), dtype=np.uint8) for _ in range(2))
    thumbnails = rng.integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
    copies = count // 10
    turned = np.packbits(rng.integers(0, 20, (copies, 256), np.uint8) == 0, axis=1)
    whole[:copies] = whole[-copies:] ^ turned
    for start in range(0, copies, 1000):  # a little at a time, so that the memory told is that of grouping
        some = thumbnails[count - copies + start : count - copies + start + min(1000, copies - start)].astype(np.int16)
        thumbnails[start : start + len(some)] = np.clip(some + rng.integers(-9, 10, some.shape, np.int16), 0, 255)
    nothing: dict[str, object] = {}
    pictures = [Picture(f"photos/{number:07d}.jpg", nothing) for number in range(count)]
    no_frames = (np.zeros((0, 32), np.uint8), np.zeros(0, np.int64))
    with tempfile.TemporaryDirectory() as folder:
        prints = Prints(
            whole,
            inside,
            np.full(count, 100, np.int32),
            thumbnails,
            [""] * count,
            *no_frames,
            _closer(folder, count, rng),
        )
        _group(pictures, prints, copies)


def _closer(folder: str, count: int, rng: Rng) -> Callable[[Sequence[int]], dict[int, str]]:
    """Closer pictures in a store: one of 64 for each, the same for both of a pair."""
    texts = []
    for _ in range(64):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 24), np.uint8))
        stream = io.BytesIO()
        coarse.resize((CLOSER_SIDE, CLOSER_SIDE), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=CLOSER_QUALITY)
        texts.append(base64.b64encode(stream.getvalue()).decode())
    name, first = os.path.join(folder, "scores.db"), count - count // 10
    with contextlib.closing(sqlite3.connect(name)) as database:
        for table in ("scores", "issues"):
            database.execute(f'CREATE TABLE {table} (id INTEGER PRIMARY KEY, path TEXT, "{CLOSER}" TEXT)')
        database.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        rows = ((number + 1, str(number), texts[number % first % len(texts)]) for number in range(count))
        database.executemany("INSERT INTO scores VALUES (?, ?, ?)", rows)
        database.commit()
    return closer_of(Store(name), range(1, count + 1))


def _group(pictures: Sequence[Picture], prints: Prints, copies: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started, used = time.monotonic(), os.times()
    peaks: dict[int, int] = {}
    done = threading.Event()
    watch = threading.Thread(target=_watch_processes, args=(peaks, done))
    watch.start()
    groups = find_groups(pictures, prints)
    seconds, processor = time.monotonic() - started, sum(os.times()[:4]) - sum(used[:4])
    done.set()
    watch.join()
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + sum(peaks.values())) / 2**20
    found = f"{len(pictures)} fingerprints: {len(groups)} groups of {copies} pairs"
    print(f"{found} in {seconds:.0f} s ({processor:.0f} s of a processor), {memory:.2f} GiB, {before:.2f} of it before")


def _watch_processes(peaks: dict[int, int], done: threading.Event) -> None:
    """The peak memory of each process that was started, in KiB; what `getrusage` tells of them holds their parent's."""
    while not done.wait(0.5):
        for process in multiprocessing.active_children():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peaks[process.pid or 0] = int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    main()

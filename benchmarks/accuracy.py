"""Accuracy of the metrics: a folder of pristine photographs in, a table per metric and condition out.

    python benchmarks/accuracy.py --data photos/ --metrics jpeg_quality

Every condition makes its images from the photographs with a known truth (`conditions_<metric>.py`) and scores them with the
product's own metric. A folder with a manifest is read as in training, and only its test photographs are used; of any other folder, all
are. With `--wild` the pictures have the histories of the web (`conditions_wild.py`), and the table has a column for each metric.
Writes `<metric>.md` (`wild.md`) and a plot of prediction against truth per condition into `--out`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))

from conditions import Condition, Scored, Truth
from conditions_wild import HISTORIES, JUDGES

from cliqa.errors import ImageSkipped
from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import Value, View, load_metric
from cliqa.training.photos import Photo, read_photos

WildScored = tuple[Truth, dict[str, dict[str, Value]]]
METRICS = ("jpeg_quality", "grain_noise", "scale_factor", "jpeg_qf", "exposure", "grepq", "sharpness", "compression")


def conditions_of(metric: str) -> list[Condition]:
    """The conditions of one metric."""
    found: list[Condition] = importlib.import_module(f"conditions_{metric}").CONDITIONS
    return found


def score_photo(metric: str, number: int, index: int, photo: Photo, seed: int) -> list[Scored]:
    """All images that condition `number` makes from one photograph, scored. Runs in a worker process."""
    condition = conditions_of(metric)[number]
    loaded = load_metric(metric)
    scored: list[Scored] = []
    for repeat in range(condition.repeats):
        rng = np.random.default_rng([seed, number, index, repeat])
        made = condition.make(rng, photo)
        if made is not None:
            image, truth = made
            try:
                scored.append((truth, loaded.score_view(View(image))))
            except ImageSkipped:  # the metric's own limits: counted, not scored
                scored.append((truth, {}))
    return scored


def run_condition(
    pool: ProcessPoolExecutor, metric: str, number: int, photos: Sequence[Photo], seed: int
) -> tuple[list[Scored], int]:
    """Score one condition over all photographs of its kinds; also how many images the metric skipped."""
    condition = conditions_of(metric)[number]
    fitting = [photo for photo in photos if photo.kind in condition.kinds]
    tasks = [pool.submit(score_photo, metric, number, index, photo, seed) for index, photo in enumerate(fitting)]
    found: list[Scored] = []
    skipped = 0
    for task in tqdm(tasks, desc=condition.name[:40], unit="photo", leave=False):
        found += [pair for pair in task.result() if pair[1]]
        skipped += sum(not fields for _, fields in task.result())
    return found, skipped


def rows_of(condition: Condition, scored: list[Scored], skipped: int) -> list[str]:
    """The table's rows of one condition: its figures, then the first of them per group of each breakdown."""
    figures = condition.summarise(scored)
    text = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
    count = f"{len(scored)}" + (f" ({skipped} skipped)" if skipped else "")
    rows = [f"| {condition.name} | {condition.bar} | {count} | {text} |"]
    first = next(iter(figures), None)
    for key in condition.breakdown:
        groups = sorted({str(truth[key]) for truth, _ in scored if key in truth})
        for group in groups:
            members = [(truth, fields) for truth, fields in scored if str(truth.get(key)) == group]
            part = condition.summarise(members)
            if first is not None and first in part:
                rows.append(f"| &nbsp;&nbsp;{key} = {group} | | {len(members)} | {first} {part[first]:.4g} |")
    return rows


def score_wild(
    metrics: Sequence[str], number: int, index: int, photos: Sequence[Photo], seed: int, draw: int = 0
) -> WildScored | None:
    """One photograph through history `number`, scored by all metrics from one decode; None where the history can't be made here."""
    history = HISTORIES[number]
    key = [seed, crc32(history.name.encode()), index]  # other rows change nothing, nor do more draws
    rng = np.random.default_rng([*key, draw] if draw else key)
    lossless = [photo for photo in photos if photo.kind == "lossless"]
    try:
        made, truth = history.make(rng, photos[index].pixels(), lossless)
    except (ImportError, FileNotFoundError):  # an encoder that this machine has not
        return None
    view = View(load_image(made) if isinstance(made, bytes) else LoadedImage.from_array(np.ascontiguousarray(made)))
    fields: dict[str, dict[str, Value]] = {}
    for metric in metrics:
        with contextlib.suppress(ImageSkipped):
            fields[metric] = load_metric(metric).score_view(view)
    return truth, fields


def wild_table(
    pool: ProcessPoolExecutor,
    metrics: Sequence[str],
    photos: Sequence[Photo],
    seed: int,
    only: str | None,
    most: int | None,
    draws: int = 1,
) -> list[str]:
    """Histories down, metrics across: the lines of a Markdown table. Each photograph goes through each history `draws` times."""
    lines = ["| history | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1) + "|"]
    for number, history in enumerate(HISTORIES):
        if only and only.lower() not in history.name.lower():
            continue
        members = [index for index, photo in enumerate(photos) if photo.kind in history.kinds]
        members = members[:: max(1, len(members) // most)][:most] if most else members
        first = pool.submit(score_wild, metrics, number, members[0], photos, seed).result() if members else None
        if first is not None and len(first[1]) == len(metrics) and not any(judged(metrics, [first], {})):
            continue  # a row that none of these metrics is asked of
        tasks = [
            pool.submit(score_wild, metrics, number, index, photos, seed, draw)
            for draw in range(draws)
            for index in members
        ]
        scored = [found for task in tqdm(tasks, desc=history.name, leave=False) if (found := task.result()) is not None]
        cells = judged(metrics, scored, history.bars)
        lines.append(f"| {history.name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return lines


def judged(metrics: Sequence[str], scored: Sequence[WildScored], bars: Mapping[str, str]) -> list[str]:
    """What each metric's judge says of the pictures of one row, "" where it was not asked or has no answer."""
    cells = []
    for metric in metrics:
        pairs = [(truth, fields[metric]) for truth, fields in scored if metric in fields]
        said = JUDGES[metric](pairs) if pairs else ""
        cells.append(f"{said} (bar: {bars[metric]})" if said and metric in bars else said)
    return cells


def plot(condition: Condition, scored: list[Scored], path: Path) -> None:
    """Prediction against truth as PNG."""
    if condition.plot is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    truth_key, field = condition.plot
    pairs = [(truth[truth_key], fields[field]) for truth, fields in scored if truth_key in truth]
    truth_values, predictions = zip(*[pair for pair in pairs if pair[1] is not None], strict=True)
    figure, axes = pyplot.subplots(figsize=(5, 5), layout="constrained")
    axes.scatter(truth_values, predictions, s=6, alpha=0.4, linewidths=0)
    ends = (min(truth_values), max(truth_values))
    axes.plot(ends, ends, color="0.5", linewidth=0.8)
    axes.set(xlabel=f"true {truth_key}", ylabel=f"predicted {field}", title=condition.name)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of pristine photographs")
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS))
    parser.add_argument("--wild", action="store_true", help="the table of histories and metrics instead")
    parser.add_argument("--most", type=int, help="at most so many photographs for each row of the table of histories")
    parser.add_argument("--draws", type=int, default=1, help="how often each photograph goes through each history")
    parser.add_argument("--only", help="run the conditions whose name contains this text")
    parser.add_argument("--split", choices=("train", "val", "test", "all"), default=None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=12345)
    given = parser.parse_args(arguments)

    split: str = given.split or ("test" if (Path(given.data) / "manifest.csv").is_file() else "all")
    photos = [photo for photo in read_photos(given.data) if split in ("all", photo.split)]
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        if given.wild:
            metrics = [metric for metric in given.metrics if metric in JUDGES]
            lines = wild_table(pool, metrics, photos, given.seed, given.only, given.most, given.draws)
            (given.out / "wild.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
            return 0
        for metric in given.metrics:
            table = [f"## {metric}", "", f"{len(photos)} photographs ({split})", "",
                     "| condition | bar | images | measured |", "|---|---|---|---|"]  # fmt: skip
            for number, condition in enumerate(conditions_of(metric)):
                if given.only and given.only.lower() not in condition.name.lower():
                    continue
                scored, skipped = run_condition(pool, metric, number, photos, given.seed)
                if not scored:
                    continue
                table += rows_of(condition, scored, skipped)
                name = re.sub(r"[^a-z0-9]+", "_", condition.name.lower()).strip("_")
                plot(condition, scored, given.out / f"{metric}-{name[:60]}.png")
            text = "\n".join(table)
            print(text, end="\n\n", flush=True)
            if not given.only:
                (given.out / f"{metric}.md").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

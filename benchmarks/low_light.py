"""Photographs taken in too little light: how many the metric `exposure` calls too dark.

    python benchmarks/low_light.py FOLDER [FOLDER ...]

Every image below each folder counts, and none is left out: a folder should hold low-light photographs only. Public ones: the low halves
of LOL (C. Wei, W. Wang, W. Yang, J. Liu, 2018), the test inputs that low-light enhancement publishes (LIME, NPE, VV, the dark ones of
DICM), ExDark (Y. P. Loh, C. S. Chan, 2019) and the inputs that come with the code of SCI (L. Ma and others, 2022).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from cliqa.errors import CliqaError
from cliqa.images.loading import load_image
from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.metrics import Metric, View, load_metric
from cliqa.signal.exposure.schema import LABELS


def levels_of(metric: Metric, folder: Path) -> tuple[list[Path], np.ndarray]:
    """Images below a folder, and their levels, int64 (images, labels); what can't be decoded is named and left out."""
    paths, levels = [], []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()):
        try:
            fields = metric.score_view(View(load_image(path)))
        except CliqaError as error:
            print(error, file=sys.stderr)
            continue
        paths.append(path)
        levels.append([fields[f"{label}_level"] for label in LABELS])
    return paths, np.array(levels, dtype=np.int64).reshape(-1, len(LABELS))


def row(name: str, levels: np.ndarray) -> str:
    """One row of the table."""
    dark = levels[:, LABELS.index("too_dark")]
    shares = [f"{100 * np.mean(dark >= level):.0f} %" for level in (2, 3, 4)]
    return f"| {name} | {len(levels)} | {' | '.join(shares)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="low-light photographs")
    parser.add_argument("--checkpoint", help="other weights of the metric")
    parser.add_argument("--missed", action="store_true", help="name the photographs that are not called too dark")
    given = parser.parse_args()
    metric = load_metric("exposure", given.checkpoint)
    found = {folder: levels_of(metric, folder) for folder in given.folders}
    if not sum(len(paths) for paths, _ in found.values()):
        print(f"no images in {', '.join(str(folder) for folder in given.folders)}", file=sys.stderr)
        return 1
    print("| photographs | number | too dark >= 2 (bar: 80 %) | >= 3 | 4 |\n|---|---|---|---|---|")
    for folder, (paths, levels) in found.items():
        if len(paths):
            print(row(folder.name, levels))
    if len(found) > 1:
        print(row("all", np.concatenate([levels for _, levels in found.values()])))
    if given.missed:
        for paths, levels in found.values():
            print(
                *(path for path, level in zip(paths, levels, strict=True) if level[LABELS.index("too_dark")] < 2),
                sep="\n",
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

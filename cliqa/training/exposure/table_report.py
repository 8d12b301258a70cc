"""What is told of a fit from a table of labels: how many pictures have which issue, how often the fit is right, and every answer.

Beside the weights `mine.safetensors` lie `mine.md` (the two tables) and `mine.predictions.csv` (all rows, levels said and true).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.exposure.labels import LABELS
from cliqa.training.card import write_new_card

SETS = ("train", "validation", "test")


def write_report(
    weights: Path,
    names: Sequence[str],
    split: NDArray[np.str_],
    levels: NDArray[np.int64],
    scored: Sequence[Mapping[str, Any]],
) -> None:
    """Write both files. `levels` (n, 6) in the order of `LABELS`, 0 not judged; `scored`: the metric's fields of each picture."""
    said = np.array([[int(fields[f"{label}_level"]) for label in LABELS] for fields in scored])
    with open(weights.with_suffix(".predictions.csv"), "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "split", *(f"{label}{kind}" for label in LABELS for kind in ("", "_true"))])
        for name, part, answer, truth in zip(names, split, said, levels, strict=True):
            pairs = [cell for one, other in zip(answer, truth, strict=True) for cell in (one, other or "")]
            writer.writerow([name, part, *pairs])
    write_new_card(
        weights,
        "exposure, from a table of labels",
        "Made by `python -m cliqa.training.exposure.table`; used by `cliqa filter_bad_exposure --checkpoint`.",
        *counts(split, levels),
        "",
        *accuracies(split, levels, said),
    )


def counts(split: NDArray[np.str_], levels: NDArray[np.int64]) -> list[str]:
    """Pictures, those with an issue (level 2 or more), and those with each, by set: lines of Markdown."""
    rows = [
        "| set | pictures | with an issue | without | " + " | ".join(LABELS) + " |",
        "|---" * (4 + len(LABELS)) + "|",
    ]
    for name in ("all", *SETS):
        found = levels[(split == name) | (name == "all")] >= 2
        issue = int(found.any(axis=1).sum())
        rows.append(
            f"| {name} | {len(found)} | {issue} | {len(found) - issue} | " + " | ".join(map(str, found.sum(0))) + " |"
        )
    return rows


def accuracies(split: NDArray[np.str_], levels: NDArray[np.int64], said: NDArray[np.int64]) -> list[str]:
    """Share of judged cells that are right, by set and label: whether there is the issue, and its very level. Lines of Markdown."""
    rows = ["| accuracy | " + " | ".join(LABELS) + " | total |", "|---" * (2 + len(LABELS)) + "|"]
    for name in SETS:
        judged = (levels > 0) & (split == name)[:, None]
        if not judged.any():
            continue
        for title, right in (("issue or none", (said >= 2) == (levels >= 2)), ("level", said == levels)):
            cells = [_share(right[:, column], judged[:, column]) for column in range(len(LABELS))]
            rows.append(f"| {name}, {title} | " + " | ".join([*cells, _share(right, judged)]) + " |")
    return rows


def _share(right: NDArray[np.bool_], judged: NDArray[np.bool_]) -> str:
    return f"{right[judged].mean():.4f}" if judged.any() else ""

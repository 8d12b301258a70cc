"""Scores that a person gave to images: read from a table, matched with files, and what more of them would bring."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence

from cliqa.errors import UsageError


def read_labels(path: str) -> list[tuple[str, float]]:
    """Rows (path, score) of a CSV. Raises UsageError for a file, column or number that can't be used."""
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            reader = csv.DictReader(stream)
            if not {"path", "score"} <= set(reader.fieldnames or ()):
                raise UsageError(f"{path} must have the columns path and score")
            rows = [(row["path"], row["score"]) for row in reader]
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    found = []
    for name, text in rows:
        try:
            value = float(text)
        except (TypeError, ValueError):
            raise UsageError(f"{path}: the score of {name} is no number: {text!r}") from None
        if not math.isfinite(value):
            raise UsageError(f"{path}: the score of {name} is {text}")
        found.append((name, value))
    if len(found) < 3:
        raise UsageError(f"{path} holds {len(found)} labels; at least three are needed, fifty are a good start")
    return found


def match_labels(
    paths: Sequence[str], labels: Sequence[tuple[str, float]], table: str
) -> tuple[list[int], list[float]]:
    """Positions in `paths` and scores; a label matches by whole path, by its end, or by file name where that is unique."""
    ends: dict[str, list[int]] = {}
    for number, path in enumerate(paths):
        words = path.replace("\\", "/").split("/")
        for start in range(len(words)):
            ends.setdefault("/".join(words[start:]), []).append(number)
    rows, targets, lost = [], [], []
    for name, score in labels:
        key = name.replace("\\", "/").removeprefix("./")
        found = ends.get(key) or ends.get(key.split("/")[-1]) or []
        if len(found) > 1:
            raise UsageError(
                f"{table}: {name} could be {' or '.join(paths[i] for i in found[:2])}; give more of the path"
            )
        if not found:
            lost.append(name)
            continue
        rows.append(found[0])
        targets.append(score)
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise UsageError(f"{table}: no image matches {', '.join(lost[:3])}{more}")
    return rows, targets


def more_labels(curve: Sequence[tuple[int, float]]) -> str:
    """What the growth so far says of further labels, in words."""
    if len(curve) < 2:
        return "too few labels to say how much more of them would help"
    steps = ", ".join(f"{value:.3f} with {count}" for count, value in curve)
    gain = curve[-1][1] - curve[-2][1]
    verdict = f"twice as many may add about {max(gain * 0.7, 0.0):.2f}" if gain > 0.01 else "more would help little"
    return f"SRCC on held-out labels: {steps}; {verdict}"

"""Labels from a table: `path, keep` or `path, drop`, or `path, rating`; matched with the files of a store."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cliqa.errors import ResultsError, UsageError
from cliqa.text import display

_KEEP = frozenset({"keep", "kept", "k", "yes", "y", "true", "good", "accept", "accepted", "pick", "+"})
_DROP = frozenset({"drop", "dropped", "d", "no", "n", "false", "bad", "reject", "rejected", "-"})
_PATH_NAMES = ("path", "file", "filename", "image")
_LABEL_NAMES = ("label", "keep", "rating", "score", "mos")


@dataclass
class Labels:
    """What a table of labels says.

    Attributes:
        good: path as written -> whether to keep the file.
        rated_from: where the labels are ratings, the lowest rating that means keep; None where they are words.
        repeated: paths that were labelled more than once; the last label counts.
    """

    good: dict[str, bool]
    rated_from: float | None = None
    repeated: list[str] = field(default_factory=list)


def read_labels(name: str, keep_from: float | None = None) -> Labels:
    """Read a .csv of labels (comma, semicolon or tab; with or without a line of names).

    Args:
        name: the file.
        keep_from: for ratings, the lowest that means keep; None takes the middle between the lowest and the highest.

    Raises:
        ResultsError: the file can't be read.
        UsageError: it holds no labels, or a label that is neither keep/drop nor a number.
    """
    try:
        with open(name, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            head = stream.readline()
            stream.seek(0)
            delimiter = max(",;\t", key=head.count)
            rows = [row for row in csv.reader(stream, delimiter=delimiter) if row and row[0].strip()]
    except (OSError, csv.Error) as error:
        raise ResultsError(f"{display(name)} can't be read: {getattr(error, 'strerror', None) or error}") from error
    path_at, label_at = 0, 1
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    if any(word in _PATH_NAMES for word in names):
        path_at = next(names.index(word) for word in _PATH_NAMES if word in names)
        label_at = next((names.index(word) for word in _LABEL_NAMES if word in names), 1)
        rows = rows[1:]
    words: dict[str, str] = {}
    repeated = []
    for row in rows:
        if len(row) <= max(path_at, label_at) or not row[label_at].strip():
            continue
        if row[path_at] in words:
            repeated.append(row[path_at])
        words[row[path_at]] = row[label_at].strip().lower()
    if not words:
        raise UsageError(f"{display(name)} holds no labels; each line is a path and keep, drop or a rating")
    return _judge(words, repeated, keep_from)


def _judge(words: Mapping[str, str], repeated: list[str], keep_from: float | None) -> Labels:
    if all(word in _KEEP | _DROP for word in words.values()):
        return Labels({path: word in _KEEP for path, word in words.items()}, None, repeated)
    try:
        ratings = {path: float(word) for path, word in words.items()}
    except ValueError:
        odd = next(word for word in words.values() if word not in _KEEP | _DROP and not _is_number(word))
        raise UsageError(f"a label is keep, drop or a rating, not {display(odd)!r}") from None
    if any(rating != rating for rating in ratings.values()):
        raise UsageError("a rating is a number, not NaN")
    lowest, highest = min(ratings.values()), max(ratings.values())
    edge = (lowest + highest) / 2 if keep_from is None else keep_from
    return Labels({path: rating >= edge for path, rating in ratings.items()}, edge, repeated)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def match_paths(wanted: Iterable[str], saved: Iterable[str], base: str = "") -> dict[str, str]:
    """Which saved path each wanted one means: the same text, the same place, or the only file of that name.

    Args:
        wanted: paths as the labels have them.
        saved: paths as the store has them.
        base: the folder that relative saved paths hold from.

    Returns:
        wanted -> saved, without those that match nothing or more than one.
    """
    names = list(dict.fromkeys(wanted))
    exact = set(names)
    places = {os.path.abspath(name): name for name in names}
    short: dict[str, list[str]] = {}
    for name in names:
        short.setdefault(os.path.basename(name), []).append(name)
    found: dict[str, str] = {}
    by_name: dict[str, list[str]] = {}
    for path in saved:
        printed = display(path)
        if path in exact or printed in exact:
            found[path if path in exact else printed] = path
            continue
        place = places.get(os.path.normpath(os.path.join(base or os.getcwd(), path)))
        if place is not None:
            found.setdefault(place, path)
        elif os.path.basename(path) in short:
            by_name.setdefault(os.path.basename(path), []).append(path)
    for name, paths in by_name.items():
        left = [label for label in short[name] if label not in found]
        if len(paths) == 1 and len(left) == 1:
            found[left[0]] = paths[0]
    return found

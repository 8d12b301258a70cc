"""Labels that a person gave, from a table: `path, keep` or `path, drop`, or `path, rating`; matched with the paths of files."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cliqa.errors import ResultsError, UsageError
from cliqa.records import real_path
from cliqa.results.faces import csv_cells
from cliqa.text import display, reason

_KEEP = frozenset({"keep", "kept", "k", "yes", "y", "true", "good", "accept", "accepted", "pick", "+"})
_DROP = frozenset({"drop", "dropped", "d", "no", "n", "false", "bad", "reject", "rejected", "-"})
_NAMED = 3  # paths in a message; chosen by hand
_PATH_NAMES = ("path", "file", "filename", "image")
_LABEL_NAMES = ("label", "keep", "rating", "score", "mos")


@dataclass
class Labels:
    """What a table of labels says.

    Attributes:
        ratings: path as written -> rating; 1 and 0 where the labels are words for keep and drop.
        rated: whether they are ratings.
        repeated: paths that were labelled more than once; the last label counts.
    """

    ratings: dict[str, float]
    rated: bool
    repeated: list[str] = field(default_factory=list)

    def keep_from(self, given: float | None = None) -> float:
        """The lowest rating that means keep: the one given, or the middle between the lowest and the highest."""
        if not self.rated:
            return 1.0
        return (min(self.ratings.values()) + max(self.ratings.values())) / 2 if given is None else given


def read_labels(name: str) -> Labels:
    """Read a table of labels (comma, semicolon or tab; with or without a line of names).

    Raises:
        ResultsError: the file can't be read.
        UsageError: it holds no labels, or a label that is neither keep or drop nor a finite number.
    """
    try:
        rows = [row for row in csv_cells(name) if row and row[0].strip()]
    except (OSError, csv.Error) as error:
        raise ResultsError(f"{display(name)} can't be read: {reason(error)}") from error
    path_at, label_at = 0, 1
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    if any(word in _PATH_NAMES for word in names):
        path_at = next(names.index(word) for word in _PATH_NAMES if word in names)
        label_at = next((names.index(word) for word in _LABEL_NAMES if word in names), 1)
        rows = rows[1:]
    words: dict[str, str] = {}
    repeated = []
    for row in rows:
        if len(row) > max(path_at, label_at) and row[label_at].strip():
            if row[path_at] in words:
                repeated.append(row[path_at])
            words[row[path_at]] = row[label_at].strip().lower()
    if not words:
        raise UsageError(f"{display(name)} holds no labels; each line is a path and keep, drop or a rating")
    rated = not all(word in _KEEP | _DROP for word in words.values())
    if not rated:
        return Labels({path: float(word in _KEEP) for path, word in words.items()}, rated, repeated)
    strangest_first = sorted(words, key=lambda path: words[path] in _KEEP | _DROP)
    ratings = {path: _rating(name, path, words[path]) for path in strangest_first}
    return Labels({path: ratings[path] for path in words}, rated, repeated)


def _rating(name: str, path: str, word: str) -> float:
    try:
        rating = float(word)
    except ValueError:
        what = "is no number, as other labels are" if word in _KEEP | _DROP else "is neither keep, drop nor a rating"
        raise UsageError(f"{display(name)}: the label of {display(path)} {what}: {display(word)!r}") from None
    if not math.isfinite(rating):
        raise UsageError(f"{display(name)}: the rating of {display(path)} is {word}")
    return rating


def match_paths(
    wanted: Iterable[str], saved: Iterable[str], base: str = ""
) -> tuple[dict[str, str], dict[str, Sequence[str]]]:
    """Which saved path each wanted one means: the same text, the same place, or the only one with the longest common end.

    `y/a.jpg` means `/data/y/a.jpg`, and the other way round; a file name alone means the only file of that name.

    Args:
        wanted: paths as the labels have them.
        saved: paths as the files have them.
        base: the folder that relative saved paths hold from.

    Returns:
        wanted -> saved; and of those that could mean several files, or one that another label means as well: wanted -> these files.
    """
    names = list(dict.fromkeys(wanted))
    texts = set(names)
    places = {real_path(name): name for name in names}
    by_name: dict[str, list[str]] = {_words(name)[-1]: [] for name in names}
    found: dict[str, str] = {}
    for path in saved:
        printed = display(path)
        place = places.get(real_path(os.path.join(base, path)))
        if path in texts or printed in texts:
            found[path if path in texts else printed] = path
        elif place is not None and place not in found:
            found[place] = path
        elif (alike := by_name.get(_words(path)[-1])) is not None:
            alike.append(path)
    unclear: dict[str, Sequence[str]] = {}
    taken: dict[str, str] = {}
    for name in (name for name in names if name not in found):
        alike = by_name[_words(name)[-1]]
        lengths = [_common_end(name, path) for path in alike]
        best = [path for path, length in zip(alike, lengths, strict=True) if length == max(lengths)]
        if len(best) == 1 and best[0] not in taken:
            taken[best[0]] = name
        elif best:
            unclear[name] = best
            if best[0] in taken:
                unclear[taken[best[0]]] = best
    return found | {name: path for path, name in taken.items() if name not in unclear}, unclear


def told_missing(wanted: Sequence[str], matched: Iterable[str], where: str) -> str:
    """Of which labelled paths `match_paths` found no file, or no single one, as a message; "" where it found all."""
    known = set(matched)
    lost = [name for name in wanted if name not in known]
    if not lost:
        return ""
    names = ", ".join(display(name) for name in lost[:_NAMED])
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    verb = "is" if len(lost) == 1 else "are"
    return f"{len(lost)} of {len(wanted)} labelled paths {verb} not in {where} (or not the only file of that name): {names}{more}"


def _words(path: str) -> list[str]:
    return [word for word in path.replace("\\", "/").split("/") if word not in ("", ".")] or [""]


def _common_end(one: str, other: str) -> int:
    """How many names at the end of two paths are the same."""
    pairs = zip(reversed(_words(one)), reversed(_words(other)), strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(_words(one)), len(_words(other))))

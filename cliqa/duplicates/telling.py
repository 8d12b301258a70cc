"""Groups as a page shows them: rows, the best copy's first, with why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cliqa.duplicates.best import judge
from cliqa.duplicates.decoding import Decoded
from cliqa.duplicates.grouping import COPIES, find_groups
from cliqa.duplicates.keeping import superfluous
from cliqa.duplicates.pictures import PRINTS, read_pictures
from cliqa.results.store import Store
from cliqa.text import display


@dataclass(frozen=True)
class ToldGroups:
    """`groups`: (kind, rows, the best one's row or None, why by row); `rest`: rows of copies that are not the best."""

    groups: list[tuple[str, list[int], int | None, dict[str, str]]]
    rest: list[int]


def told_groups(store: Store, row_of: Callable[[str], int | None], most: int | None = None) -> ToldGroups | None:
    """The groups among the rows that are shown; None for a store without fingerprints. `most`: see `find_groups`."""
    if not set(PRINTS) <= set(store.columns):
        return None
    pictures, prints = read_pictures(store)
    rows = [row_of(picture.path) for picture in pictures]
    with Decoded(store, pictures) as look:
        found = find_groups(pictures, prints, look=look, most=most)
    judged = [(group, *judge(group, pictures)) for group in found]
    told: list[tuple[str, list[int], int | None, dict[str, str]]] = []
    for group, best, reasons in judged:
        copies = group.kind in COPIES
        members = sorted(group.members, key=lambda index, best=best, copies=copies: copies and index != best)  # type: ignore[misc]
        shown = [row for index in members if (row := rows[index]) is not None]
        if len(shown) > 1:
            why = {str(rows[index]): display(reasons[index]) for index in members} if copies else {}
            told.append((group.kind, shown, rows[best] if copies else None, why))
    rest = sorted(row for index in superfluous(judged, found) if (row := rows[index]) is not None)
    return ToldGroups(told, rest)

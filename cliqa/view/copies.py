"""Groups of copies, bursts and brackets among the files of a table, for the page: worked out when asked for, then remembered."""

from __future__ import annotations

import threading
from typing import Any

from cliqa.copies.best import judge
from cliqa.copies.grouping import COPIES, find_groups
from cliqa.copies.pictures import read_pictures
from cliqa.copies.taking import superfluous
from cliqa.errors import UsageError
from cliqa.results.store import Store
from cliqa.text import display
from cliqa.view.table import FileTable


class CopyGroups:
    """Finds the groups of a table; may be called from any thread."""

    def __init__(self, table: FileTable) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._remembered: tuple[int, dict[str, Any]] | None = None

    def found(self) -> dict[str, Any]:
        """`groups`: (kind, rows, the best one's row or None, why by row); `rest`: rows of copies that are not the best.

        Without fingerprints `message` says what is lacking.
        """
        with self._lock:
            version = self._table.version
            if self._remembered is None or self._remembered[0] != version:
                self._remembered = version, self._find()
            return self._remembered[1]

    def _find(self) -> dict[str, Any]:
        with Store(self._table.database) as store:
            try:
                pictures, prints = read_pictures(store)
            except UsageError:
                return {
                    "groups": [],
                    "rest": [],
                    "message": "There are no fingerprints here: score with the metric fingerprint.",
                }
            rows = [self._table.row_of(picture.path, store) for picture in pictures]
        groups = find_groups(pictures, prints)
        judged = [(group, *judge(group, pictures)) for group in groups]
        told = []
        for group, best, reasons in judged:
            members = [index for index in group.members if rows[index] is not None]
            copies = group.kind in COPIES
            members.sort(key=lambda index: (index != best) if copies else 0)
            if len(members) > 1:
                why = {str(rows[index]): display(reasons[index]) for index in members} if copies else {}
                told.append((group.kind, [rows[index] for index in members], rows[best] if copies else None, why))
        rest = sorted(row for index in superfluous(judged, groups) if (row := rows[index]) is not None)
        return {"groups": told, "rest": rest}

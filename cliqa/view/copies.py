"""Groups of copies, bursts and brackets among the files of a table, for the page: worked out when asked for, then remembered."""

from __future__ import annotations

import threading
from typing import Any

from cliqa.duplicates.telling import told_groups
from cliqa.results.store import Store
from cliqa.view.table import FileTable

# Pairs whose files are read before the groups are shown: a minute; the others go by their fingerprints
MOST_COMPARED = 200


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
            told = told_groups(store, lambda path: self._table.row_of(path, store), MOST_COMPARED)
        if told is None:
            return {
                "groups": [],
                "rest": [],
                "message": "There are no fingerprints here: score with the metric fingerprint.",
            }
        return {"groups": told.groups, "rest": told.rest}

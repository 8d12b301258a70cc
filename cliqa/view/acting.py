"""Acting on files from the page: a preview, copies or links into the one output folder, a journal, and a way back."""

from __future__ import annotations

from typing import Any

from cliqa.view.table import FileTable


class Actor:
    """To come."""

    def __init__(self, table: FileTable, output: str, journal: str, sidecars: bool = False) -> None:
        self.table, self.output = table, output

    def ways(self) -> list[str]:
        return []

    def preview(self, rows: list[int], way: str) -> dict[str, Any]:
        return {}

    def act(self, rows: list[int], way: str) -> dict[str, Any]:
        return {}

    def withdraw(self) -> dict[str, Any]:
        return {}

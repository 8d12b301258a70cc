"""Runs of the toy filter in this process, and what they left."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from tests import toy_filter


def filter_(*arguments: str | Path, metric: str = "Brightness") -> int:
    command = replace(toy_filter.COMMAND, metric=f"tests.toy_metric:{metric}")
    return command.main(["--workers", "0", "--gpu", "-1", *map(str, arguments)])


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def scores(path: Path) -> dict[str, dict[str, str]]:
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: row for row in rows}

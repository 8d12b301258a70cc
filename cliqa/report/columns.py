"""A store's rows -> columns that a page can hold: typed, compressed, and read back exactly enough to count by.

Numbers travel as float32 (thresholds are rounded the same way before they are compared, so `0.9` meets `0.9`), whole
numbers of a small range and labels as bytes.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics import Field
from cliqa.results.store import Store
from cliqa.text import display

MISSING = 255  # among bytes; among floats it is NaN
MAX_LABELS = 64
FILE_FACTS = ("width", "height")


@dataclass
class Column:
    """One column of the page.

    Attributes:
        name: as a condition writes it.
        field: its facts.
        values: float64, NaN where missing; for labels the index into `labels`.
        labels: the distinct texts of a text column, the most frequent first.
        encoding: how `packed` writes it.
    """

    name: str
    field: Field
    values: NDArray[np.float64]
    labels: list[str]
    encoding: Literal["f32", "u8"]

    def packed(self) -> bytes:
        """gzip of the bytes: little-endian float32 split into its four byte planes (they compress apart), or bytes."""
        if self.encoding == "u8":
            raw = np.where(np.isnan(self.values), MISSING, np.nan_to_num(self.values)).astype(np.uint8).tobytes()
        else:
            raw = self.values.astype("<f4").view(np.uint8).reshape(-1, 4).T.tobytes()
        return gzip.compress(raw, 6, mtime=0)


@dataclass
class Rows:
    """The rows that the page shows: every `total / len(paths)`-th of the store, in its order."""

    paths: list[str]
    columns: list[Column]
    total: int


def read_rows(store: Store, max_rows: int) -> Rows:
    """Read the scores (and a few facts of the files) of a store into columns; columns without any value are left out."""
    total = store.count()
    count = min(total, max_rows)
    names = [*store.score_columns, *(name for name in FILE_FACTS if name in store.columns)]
    texts = {name: {} for name in store.score_columns if store.field(name).kind == "str"}  # type: dict[str, dict[str, int]]
    values = {name: np.full(count, np.nan) for name in names}
    paths: list[str] = []
    pending: list[tuple[Any, ...]] = []

    def settle() -> None:
        start = len(paths)
        columns = list(zip(*pending, strict=True))
        for name, cells in zip(names, columns[1:], strict=True):
            values[name][start : start + len(cells)] = _numbers(cells, texts.get(name))
        paths.extend(columns[0])
        pending.clear()

    for index, row in enumerate(store.rows(["path", *names])):
        if (index + 1) * count // total == index * count // total:
            continue
        pending.append(row)
        if len(pending) == 4096:
            settle()
    if pending:
        settle()
    columns = [_column(name, _field(store, name), values[name], texts.get(name)) for name in names]
    return Rows(paths, [column for column in columns if column is not None], total)


def _numbers(cells: tuple[Any, ...], codes: dict[str, int] | None) -> NDArray[np.float64]:
    """Cells as numbers, texts as their codes (given out as they come), what is neither as missing."""
    if codes is not None:
        coded = [None if cell is None else codes.setdefault(display(str(cell)), len(codes)) for cell in cells]
        return np.array(coded, dtype=np.float64)
    try:
        return np.array(cells, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array([cell if isinstance(cell, (int, float)) else None for cell in cells], dtype=np.float64)


def _field(store: Store, name: str) -> Field:
    if name in store.score_columns:
        return store.field(name)
    return Field(name, f"{name} of the image as stored", 0, 0, "px", "higher", "int")


def _column(name: str, field: Field, values: NDArray[np.float64], codes: dict[str, int] | None) -> Column | None:
    values[~np.isfinite(values)] = np.nan
    present = values[~np.isnan(values)]
    if len(present) == 0:
        return None
    if codes is not None:
        if len(codes) > MAX_LABELS:
            return None
        counts = np.bincount(present.astype(int), minlength=len(codes))
        order = np.argsort(-counts, kind="stable")
        rank = np.empty(len(codes))
        rank[order] = np.arange(len(codes))
        values[~np.isnan(values)] = rank[present.astype(int)]
        labels = list(codes)
        return Column(name, field, values, [labels[index] for index in order], "u8")
    whole = bool(np.all(present == np.rint(present))) and present.min() >= 0 and present.max() < MISSING
    return Column(name, field, values, [], "u8" if whole and field.kind == "int" else "f32")

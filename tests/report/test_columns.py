"""Columns that a page holds: typed, packed small, and exact enough to count by."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from cliqa.metrics import Field
from cliqa.report.columns import MISSING, Column, read_rows
from cliqa.results.store import Store
from tests.synthetic_store import make_store

NUMBER = Field("x", "a number", 0, 100)


def test_numbers_come_back_as_float32_and_missing_ones_as_nan() -> None:
    values = np.array([0.9, np.nan, 1e-7, 99.25])
    raw = gzip.decompress(Column("m.x", NUMBER, values, [], "f32").packed())
    back = np.frombuffer(raw, np.uint8).reshape(4, -1).T.copy().view("<f4").ravel()
    np.testing.assert_array_equal(back, values.astype(np.float32))


def test_small_whole_numbers_and_labels_are_bytes() -> None:
    raw = gzip.decompress(Column("m.x", NUMBER, np.array([0, 3, np.nan, 254]), [], "u8").packed())
    assert list(raw) == [0, 3, MISSING, 254]


@pytest.mark.parametrize("most", [1000, 60])
def test_a_large_store_is_an_even_sample_of_its_rows(most: int, tmp_path: Path) -> None:
    make_store(tmp_path / "s.db", 300)
    with Store(str(tmp_path / "s.db")) as store:
        rows = read_rows(store, most)
        every = [path for (path,) in store.rows(["path"])]
    assert rows.total == 300 and len(rows.paths) == min(most, 300)
    places = [every.index(path) for path in rows.paths]
    assert places == sorted(places) and set(np.diff(places)) == {300 // len(places)}
    columns = {column.name: column for column in rows.columns}
    assert columns["aesthetic.label"].encoding == "u8" and set(columns["aesthetic.label"].labels) <= {
        "rejected", "pending", "accepted",
    }  # fmt: skip
    assert columns["grain_noise.psnr"].encoding == "f32" and len(columns["width"].values) == len(rows.paths)

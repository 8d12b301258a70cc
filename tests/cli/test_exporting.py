"""Saved scores as tables, whole or a part."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from cliqa.export import main as export
from cliqa.results.store import Store
from tests.synthetic_store import make_store

ODD = ["photos/a 'b' \"c\".jpg", "photos/new\nline.jpg", "photos/caf\udce9.jpg", "photos/\U0001f4f7.jpg"]


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    # Paths that are no UTF-8 are blobs in the database, as the writer stores them.
    make_store(tmp_path / "scores.db", 300, issues=7, names=[ODD[0], ODD[1], "placeholder", ODD[3]])
    with sqlite3.connect(tmp_path / "scores.db") as connection:
        connection.execute("UPDATE scores SET path = ? WHERE path = 'placeholder'", [os.fsencode(ODD[2])])
    connection.close()
    return tmp_path / "scores.db"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_format_holds_the_same_rows(store_path: Path, suffix: str) -> None:
    table = store_path.with_name(f"table{suffix}")
    assert export([str(store_path), "-o", str(table), "--quiet"]) == 0
    assert export([str(store_path), "-o", str(table), "--quiet"]) == 2  # it exists
    with Store(str(store_path)) as one, Store(str(table)) as other:
        assert other.columns == one.columns
        assert list(other.rows(one.columns)) == list(one.rows(one.columns))
        assert list(other.issues()) == list(one.issues())
        condition = "aesthetic.label = 'accepted' and jpeg_quality.quality >= 90"
        assert 0 < other.count(condition) == one.count(condition)


def test_an_exported_part(store_path: Path) -> None:
    table = store_path.with_name("part.csv")
    assert export([str(store_path), "-o", str(table), "--where", "grain_noise.psnr < 30"]) == 0
    with Store(str(store_path)) as one, Store(str(table)) as other:
        assert other.count() == one.count("grain_noise.psnr < 30") > 0
    assert export([str(store_path), "-o", str(table.with_name("x.csv")), "--where", "psnr < 30"]) == 2
    assert not table.with_name("x.csv").exists()

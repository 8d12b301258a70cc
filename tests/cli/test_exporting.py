"""Saved scores as tables, whole or a part."""

from __future__ import annotations

from pathlib import Path

import pytest

from cliqa.export import main as export
from cliqa.results.store import Store
from tests.synthetic_store import make_odd_store


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return make_odd_store(tmp_path / "scores.db")


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

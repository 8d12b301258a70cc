"""Saved scores as tables, whole or a part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cliqa.export import main as export
from cliqa.metrics import Field, Observation, Value
from cliqa.results.store import Store
from cliqa.score import main as score
from tests.synthetic_store import make_odd_store
from tests.toy_metric import Brightness


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


class Hashed(Brightness):
    """A field for people and one for programs."""

    name = "hashed"
    fields = (Field("mean", "", 0, 255), Field("hash", "", kind="str", opaque=True))

    def score(self, observation: Observation) -> dict[str, Value]:
        return {"mean": super().score(observation)["mean"], "hash": "x" * 99}


def test_what_no_person_reads_is_exported_where_it_is_asked_for(
    make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, store = make_folder({"a.png": 50}), tmp_path / "s.db"
    words = ["-i", str(root), "-g", "-1", "--workers", "0", "-m", f"{__name__}:Hashed,tests.toy_metric:Brightness"]
    assert score([*words, "--results", str(store)]) == 0

    def header(name: str, *more: str) -> list[str]:
        assert export([str(store), "-o", str(tmp_path / name), *more]) == 0
        return (tmp_path / name).read_text().splitlines()[0].split(",")

    every = header("every.csv", "--columns", "all", "hashed")
    assert "hashes and thumbnails" not in capsys.readouterr().err and "hashed.hash" in every
    assert header("a.csv") == [name for name in every if name != "hashed.hash"]
    assert "--columns all hashed takes them too" in capsys.readouterr().err
    assert header("b.csv", "--columns", "width,brightness") == ["path", "width", "brightness.mean", "brightness.label"]
    assert export([str(store), "-o", str(tmp_path / "c.csv"), "--columns", "brightness.maen"]) == 2
    assert "did you mean brightness.mean" in capsys.readouterr().err
    assert score([*words, "--results", str(tmp_path / "a.csv"), "--resume"]) == 0
    assert "1 image scored" in capsys.readouterr().err, "the row does not claim what was left out of it"
    with Store(str(tmp_path / "a.csv")) as again:
        assert list(again.rows(["hashed.hash", "brightness.mean"])) == [("x" * 99, 50)]


def test_an_exported_part(store_path: Path) -> None:
    table = store_path.with_name("part.csv")
    assert export([str(store_path), "-o", str(table), "--where", "grain_noise.psnr < 30"]) == 0
    with Store(str(store_path)) as one, Store(str(table)) as other:
        assert other.count() == one.count("grain_noise.psnr < 30") > 0
    assert export([str(store_path), "-o", str(table.with_name("x.csv")), "--where", "psnr < 30"]) == 2
    assert not table.with_name("x.csv").exists()

"""Saved scores, read: nothing but reading is possible, whatever the statement, and any format gives the same rows."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from cliqa.errors import ResultsError, UsageError
from cliqa.results.store import Store
from tests.synthetic_store import FIELDS, ODD, SCHEMA, make_odd_store


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return make_odd_store(tmp_path / "scores.db")


ATTACKS = [
    "DROP TABLE scores",
    "DELETE FROM scores",
    "UPDATE scores SET kept = 1",
    "INSERT INTO scores (path) VALUES ('x')",
    "CREATE TABLE x (y)",
    "CREATE TEMP TABLE x (y)",
    "CREATE TRIGGER t AFTER INSERT ON scores BEGIN SELECT 1; END",
    "ATTACH DATABASE ':memory:' AS other",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE",
    "VACUUM INTO 'stolen.db'",
    "SELECT sql FROM sqlite_master",
    "SELECT value FROM meta",
    "SELECT load_extension('x')",
    "SELECT randomblob(1000000)",
    "SELECT zeroblob(1000000)",
    "SELECT printf('%100000d', 1)",
    "SELECT fts3_tokenizer('x')",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "SELECT * FROM pragma_table_info('scores')",
    "SELECT * FROM json_each('[1]')",
    "REINDEX",
    "ANALYZE",
    "BEGIN IMMEDIATE",
    "SAVEPOINT x",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_connection_does_nothing_but_read_scores(store_path: Path, attack: str) -> None:
    before = store_path.read_bytes()
    with Store(str(store_path)) as store, pytest.raises(sqlite3.Error):
        store.connection.execute(attack).fetchall()
    assert store_path.read_bytes() == before
    assert sorted(path.name for path in store_path.parent.iterdir()) == ["scores.db"]


def test_a_hostile_view_in_place_of_the_scores_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "view.db") as connection:
        connection.execute("CREATE TABLE secret (path)")
        connection.execute("CREATE VIEW scores AS SELECT path FROM secret")
    connection.close()
    with pytest.raises(ResultsError, match="no table of scores"):
        Store(str(tmp_path / "view.db"))


@pytest.mark.parametrize(
    ("name", "content"), [("a.db", b"no database"), ("b.db", b""), ("c.jsonl", b"{}\n"), ("d.csv", b"a,b\n1,2\n")]
)
def test_files_that_hold_no_scores_say_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ResultsError, match=r"no (readable )?results"):
        Store(str(tmp_path / name))


def test_a_missing_file_and_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="there is no results file"):
        Store(str(tmp_path / "none.db"))
    (tmp_path / "scores.txt").touch()
    with pytest.raises(UsageError, match=r"\.parquet"):
        Store(str(tmp_path / "scores.txt"))


def test_rows_come_in_order_and_missing_values_last(store_path: Path) -> None:
    with Store(str(store_path)) as store:
        up = [row[0] for row in store.rows(["jpeg_quality.qf_header"], order=[("jpeg_quality.qf_header", False)])]
        down = [row[0] for row in store.rows(["grain_noise.psnr"], order=[("grain_noise.psnr", True)], limit=5)]
        present = [value for value in up if value is not None]
        assert present == sorted(present) and up[len(present) :] == [None] * (300 - len(present))
        assert len(down) == 5 and down == sorted(down, reverse=True)
        assert [row[0] for row in store.rows(["path"], limit=4)] == ODD
        assert store.count() == 300 and len(list(store.issues())) == 7
        assert 0 < store.count("grain_noise.psnr >= 30 and width > height") < 300


def test_fields_are_those_that_were_saved(store_path: Path) -> None:
    with Store(str(store_path)) as store:
        assert store.score_columns == SCHEMA.score_columns
        assert store.field("grain_noise.psnr") == FIELDS["grain_noise"][0]


def test_paths_are_found_from_another_folder(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    with Store(str(store_path)) as store:
        assert store.locate("photos/x.jpg") == str(store_path.parent / "photos/x.jpg")
        assert store.folder("photos/2020/may/x.jpg") == os.path.join("2020", "may")
        assert store.folder("photos/x.jpg") == store.folder("/elsewhere/x.jpg") == store.folder("../x.jpg") == ""
        assert store.folder("photos/../../x.jpg") == ""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that can't be written")
def test_a_store_on_read_only_media(store_path: Path) -> None:
    store_path.parent.chmod(0o555)
    try:
        with Store(str(store_path)) as store:
            assert store.count() == 300
    finally:
        store_path.parent.chmod(0o755)

"""A database whose schema is damaged: SQLite quotes it in its message, which then is no text that Python can read."""

import sqlite3

import pytest

from cliqa.errors import ResultsError
from cliqa.results import open_results
from cliqa.results.predictions import open_predictions
from cliqa.results.store import Store
from tests.saved_results import SCHEMA


def test_a_schema_that_is_no_text_is_refused_by_name(tmp_path):
    path = tmp_path / "scores.db"
    connection = sqlite3.connect(path)
    for table in ("scores", "issues", "meta"):
        connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, path TEXT)")
    connection.commit()
    connection.close()
    sound = path.read_bytes()
    path.write_bytes(sound.replace(b"CREATE TABLE scores (id", b"CREATE TABLE scores \xabid"))
    with pytest.raises(ResultsError, match=r"scores.db is no results database"):
        Store(str(path))
    with pytest.raises(ResultsError, match=r"scores.db is no results database"):
        open_results(str(path), SCHEMA, resume=True)
    with pytest.raises(ResultsError, match=r"scores.db is no readable results file"):
        open_predictions({"database": str(path)}, SCHEMA, resume=True)

"""The one rule by which a file counts as the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cliqa.inputs.contents import content_sha256
from cliqa.records import Record, Source
from cliqa.results import Results, Schema, open_results
from cliqa.results.resume import Earlier
from tests.saved_results import SCHEMA


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(b"content")
    return path


def saved_run(tmp_path: Path, picture: Path, kept: bool | None = True) -> Results:
    facts = {
        "size": picture.stat().st_size, "mtime_ns": picture.stat().st_mtime_ns, "sha256": content_sha256(str(picture)),
    }  # fmt: skip
    with open_results(str(tmp_path / "r.db"), SCHEMA) as results:
        results.write(Record(Source(str(picture)), dict(facts), {"toy.mean": 0.5, "toy.label": "x"}), kept, "out/a.png")
    return open_results(str(tmp_path / "r.db"), SCHEMA, resume=True)


def test_the_same_file_is_known_with_what_became_of_it(tmp_path: Path, picture: Path) -> None:
    with saved_run(tmp_path, picture) as results:
        found = Earlier(results).saved(Source(str(picture)))
        assert found is not None and found.kept is True and found.placed == "out/a.png" and not found.touched
        assert found.record.values == {"toy.mean": 0.5, "toy.label": "x"}
        assert Earlier(results).saved(Source(str(tmp_path / "b.png"))) is None


@pytest.mark.parametrize("content", [b"content", b"other!!"])
def test_a_file_that_was_touched_is_known_by_its_content_alone(tmp_path: Path, picture: Path, content: bytes) -> None:
    with saved_run(tmp_path, picture) as results:
        picture.write_bytes(content)
        os.utime(picture, ns=(10**18, 10**18))
        source = Source(str(picture))
        assert Earlier(results).saved(source) is None and Earlier(results).placed(source) is None
        found = Earlier(results, by_content=True).saved(source)
        assert (found is not None) == (content == b"content")
        if found is not None:
            assert found.touched and found.record.facts["mtime_ns"] == 10**18


def test_other_weights_know_where_a_file_was_placed_and_no_score(tmp_path: Path, picture: Path) -> None:
    saved_run(tmp_path, picture).close()
    other = Schema(SCHEMA.metrics, {"toy": "other"})
    with open_results(str(tmp_path / "r.db"), other, resume=True) as results:
        assert Earlier(results).saved(Source(str(picture))) is None
        assert Earlier(results).placed(Source(str(picture))) == "out/a.png"


def test_a_file_that_has_gone_is_not_known(tmp_path: Path, picture: Path) -> None:
    with saved_run(tmp_path, picture, kept=None) as results:
        found = Earlier(results).saved(Source(str(picture)))
        assert found is not None and found.kept is None
        picture.unlink()
        assert Earlier(results).saved(Source(str(picture))) is None

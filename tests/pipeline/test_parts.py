"""Runs in parts, without Ray: what a part is, when it is done, and that a slot scores as the local engine does."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from cliqa.errors import UsageError
from cliqa.inputs.listing import Listing
from cliqa.pipeline.part_scorer import PartScorer
from cliqa.pipeline.parts import PART_FILES, Counts, PartFolder, plan
from cliqa.records import Source
from tests.part_jobs import SCHEMA, job
from tests.shard_files import samples, write_tar

pytest.importorskip("pyarrow", reason="needs the extra [parquet]")


def test_every_shard_is_a_part_and_files_come_in_groups(tmp_path: Path) -> None:
    for number in range(3):
        write_tar(tmp_path / f"{number}.tar", {})
    shards = list(plan(Listing(str(tmp_path / "{0..2}.tar"))))
    assert [part.shard for part in shards] == [str(tmp_path / f"{number}.tar") for number in range(3)]
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(PART_FILES + 3):
        (folder / f"{number:04d}.png").touch()
    parts = list(plan(Listing(str(folder))))
    assert [len(part.sources) for part in parts] == [PART_FILES, 3]
    assert parts == list(plan(Listing(str(folder)))) == [pickle.loads(pickle.dumps(part)) for part in parts]
    names = [part.name for part in [*shards, *parts]]
    assert len(set(names)) == 5 and all("/" not in name for name in names)


def test_parts_of_equal_names_in_other_folders_differ(tmp_path: Path) -> None:
    one, other = (
        plan(Listing(str(write_tar(tmp_path / "a" / "0.tar", {})))),
        plan(Listing(str(write_tar(tmp_path / "b" / "0.tar", {})))),
    )
    assert next(one).name != next(other).name


def test_a_part_is_done_when_its_scores_are_there_and_as_long_as_nothing_changes(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "s.tar", samples({"a": 10, "b": 0}))
    (part,) = plan(Listing(str(shard)))
    scorer = PartScorer(job(tmp_path / "out"))
    assert scorer.score(part) == Counts(1, 1)
    folder = PartFolder(str(tmp_path / "out"), SCHEMA)
    assert folder.done(part) == Counts(1, 1) and folder.paths(part) == [f"{shard}/a.png"]
    assert [issue.message for issue in folder.issues(part)] == ["a black picture"]
    written = (tmp_path / "out" / "scores" / f"{part.name}.parquet").stat().st_mtime_ns
    assert scorer.score(part) == Counts(1, 1)
    assert (tmp_path / "out" / "scores" / f"{part.name}.parquet").stat().st_mtime_ns == written
    assert PartFolder(str(tmp_path / "out"), SCHEMA, "other settings").done(part) is None
    assert PartFolder(str(tmp_path / "out"), replace(SCHEMA, weights={"brightness": "newer"})).done(part) is None
    write_tar(shard, samples({"a": 20}))
    assert folder.done(part) is None and scorer.score(part) == Counts(1, 0)
    shard.unlink()
    assert folder.done(part) is None and scorer.score(part) == Counts(0, 1)
    scorer.close()


def test_damaged_results_of_a_part_are_made_again(tmp_path: Path) -> None:
    (part,) = plan(Listing(str(write_tar(tmp_path / "s.tar", samples({"a": 10})))))
    folder = PartFolder(str(tmp_path / "out"), SCHEMA)
    for data in (b"", b"PAR1 and then nothing", os.urandom(500)):
        (tmp_path / "out" / "scores").mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / "scores" / f"{part.name}.parquet").write_bytes(data)
        assert folder.done(part) is None
    assert PartScorer(job(tmp_path / "out")).score(part) == Counts(1, 0) == folder.done(part)


def test_results_that_are_there_are_not_gone_on_with_unasked(tmp_path: Path) -> None:
    (part,) = plan(Listing(str(write_tar(tmp_path / "s.tar", samples({"a": 10})))))
    PartScorer(job(tmp_path / "out")).score(part)
    folder = PartFolder(str(tmp_path / "out"), SCHEMA)
    with pytest.raises(UsageError, match="--resume"):
        folder.open(False, {})
    folder.open(True, {})


def test_results_at_a_remote_address(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra [remote]")
    (part,) = plan(Listing(str(write_tar(tmp_path / "s.tar", samples({"a": 10})))))
    try:
        folder = PartFolder("memory://results/run", SCHEMA)
        folder.open(False, {})
        assert folder.done(part) is None
        assert PartScorer(replace(job(tmp_path), results="memory://results/run")).score(part) == Counts(1, 0)
        assert folder.done(part) == Counts(1, 0) and list(folder.names("scores")) == [part.name]
    finally:
        fsspec.filesystem("memory").rm("/results", recursive=True)


def test_remote_files_without_a_time_are_read_again() -> None:
    class Timeless:
        size, mtime_ns = 5, None

        def read(self) -> bytes:
            return b""

        def released(self) -> Timeless:
            return self

    from cliqa.pipeline.parts import Part

    assert Part("x", "", (Source("http://x/a.png", content=Timeless()),)).state() == ""


def test_remote_folders_are_made_where_they_are_needed(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs the extra [remote]")
    (tmp_path / "there").mkdir()
    PartFolder(f"file://{tmp_path}/there/deep/run", SCHEMA).open(False, {"base": "x"})
    assert (tmp_path / "there" / "deep" / "run" / "cliqa.json").is_file()

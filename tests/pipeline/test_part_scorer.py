"""A slot of a cluster scores parts as a local run does."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cliqa.errors import RunError
from cliqa.inputs.listing import Listing
from cliqa.pipeline.part_scorer import PartScorer
from cliqa.pipeline.parts import Counts, PartFolder, plan
from cliqa.pipeline.run import PipelineSettings
from cliqa.results.store import Store
from cliqa.score import main as score
from tests.part_jobs import SCHEMA, TOY, job
from tests.shard_files import grey, samples, write_tar

pytest.importorskip("pyarrow", reason="needs the extra [parquet]")


def test_a_slot_scores_as_the_local_engine_does_part_after_part(tmp_path: Path) -> None:
    shards = [write_tar(tmp_path / f"{n}.tar", samples({f"{n}{k}": 20 * k + n for k in range(8)})) for n in range(3)]
    shards[1].write_bytes(shards[1].read_bytes()[:9000])
    given = str(tmp_path / "{0..3}.tar")
    for workers in (0, 2):
        results = tmp_path / f"out{workers}"
        settings = PipelineSettings(workers=workers, content_hash=True, batch_size=3)
        folder = PartFolder(str(results), SCHEMA)
        folder.open(False, {"base": os.getcwd(), "inputs": []})
        scorer = PartScorer(job(results, settings=settings))
        for part in plan(Listing(given)):
            scorer.score(part)
        scorer.close()
        local = tmp_path / f"local{workers}.db"
        assert score(["-i", given, "--metrics", TOY, "-g", "-1", "--workers", "0", "--results", str(local)]) == 0
        with Store(str(results)) as parts, Store(str(local)) as store:
            columns = [name for name in store.columns if name not in ("kept", "placed")]
            assert sorted(parts.rows(columns), key=str) == sorted(store.rows(columns), key=str)
            assert sorted(parts.issues()) == sorted(store.issues()) and store.count() > 16


def test_loose_files_and_issues_of_the_listing_are_parts_too(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(grey(9))
    os.symlink("nowhere", tmp_path / "in" / "b.png")
    (part,) = plan(Listing(str(tmp_path / "in")))
    assert PartScorer(job(tmp_path / "out")).score(part) == Counts(1, 1)
    folder = PartFolder(str(tmp_path / "out"), SCHEMA)
    assert folder.done(part) == Counts(1, 1)
    os.utime(tmp_path / "in" / "a.png", ns=(5, 5))
    assert folder.done(part) is None


def test_other_weights_on_another_machine_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="other weights"):
        PartScorer(job(tmp_path / "out", schema=replace(SCHEMA, weights={"brightness": "of another release"})))

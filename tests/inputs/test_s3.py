"""Shards, photographs and results in an S3 store: a server of moto's in this process, reached through s3fs as any other is."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cliqa.cli.setup import schema_of
from cliqa.errors import ResultsError
from cliqa.inputs.listing import Listing
from cliqa.metrics import load_metric
from cliqa.pipeline.part_scorer import Job, PartScorer
from cliqa.pipeline.parts import Counts, PartFolder, plan
from cliqa.pipeline.run import PipelineSettings
from cliqa.results.store import Store
from cliqa.score import main as score
from tests.shard_files import grey, samples, tar_bytes, write_tar
from tests.toy_filter import COMMAND

pytest.importorskip("moto.server", reason="needs moto[server]")
s3fs = pytest.importorskip("s3fs", reason="needs s3fs")
TOY = "tests.toy_metric:Brightness"
VALUES = {f"{number:02d}": 20 * number + 5 for number in range(12)}


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """s3fs's file system, with two shards, one of them packed, and loose photographs in s3://data."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "-", "AWS_SECRET_ACCESS_KEY": "-"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**names, "AWS_DEFAULT_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        system = s3fs.S3FileSystem(skip_instance_cache=True)
        system.mkdir("data")
        keys = list(VALUES)
        system.pipe_file("data/shards/0.tar", tar_bytes(samples({key: VALUES[key] for key in keys[:6]})))
        packed = gzip.compress(tar_bytes(samples({key: VALUES[key] for key in keys[6:]})))
        system.pipe_file("data/shards/1.tar.gz", packed)
        system.pipe_file("data/photos/a.png", grey(9))
        system.pipe_file("data/photos/deep/b.png", grey(11))
        system.pipe_file("data/photos/deep/words.txt", b"-")
        yield system
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def means(results: str) -> dict[str, float]:
    with Store(results) as store:
        return dict(store.rows(["path", "brightness.mean"]))


def given(source: str, *more: str) -> list[str]:
    return ["-i", source, "-g", "-1", "--workers", "0", "--quiet", *more]


@pytest.mark.parametrize("pattern", ["s3://data/shards/{0.tar,1.tar.gz}", "s3://data/shards/*"])
def test_scores_of_members_are_those_of_local_shards(bucket: Any, pattern: str, tmp_path: Path) -> None:
    assert score([*given(pattern), "--metrics", TOY, "--results", str(tmp_path / "s3.db")]) == 0
    local = write_tar(tmp_path / "local.tar", samples(VALUES))
    assert score([*given(str(local)), "--metrics", TOY, "--results", str(tmp_path / "local.db")]) == 0
    found = {path.rpartition("/")[2]: value for path, value in means(str(tmp_path / "s3.db")).items()}
    assert found == {path.rpartition("/")[2]: value for path, value in means(str(tmp_path / "local.db")).items()}
    assert len(found) == len(VALUES)


def test_a_folder_of_photographs(bucket: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "p.db")
    assert score([*given("s3://data/photos", "-r", "--workers", "1"), "--metrics", TOY, "--results", store]) == 0
    assert means(store) == {"s3://data/photos/a.png": 9.0, "s3://data/photos/deep/b.png": 11.0}


def test_filtering_to_local_tars_and_a_key_list(bucket: Any, tmp_path: Path) -> None:
    output, keys = str(tmp_path / "kept" / "%d.tar"), str(tmp_path / "keys.txt")
    assert COMMAND.main([*given("s3://data/shards/*"), "--mean", "100", "-o", output, "--keys", keys]) == 0
    assert Path(keys).read_text().split() == [key for key, value in VALUES.items() if value >= 100]
    kept = {key: value for key, value in VALUES.items() if value >= 100}
    from tests.shard_files import read_tar

    assert read_tar(tmp_path / "kept" / "0.tar") == samples(kept)  # the packed shard was read a second time


def test_what_is_missing_is_one_issue_or_one_line(
    bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "m.jsonl")
    arguments = ["-i", "s3://data/shards/{0..1}.tar", "-g", "-1", "--workers", "0", "--metrics", TOY]
    assert score([*arguments, "--results", store, "--strict"]) == 3
    assert "s3://data/shards/1.tar: no such file" in capsys.readouterr().err
    arguments[1] = "s3://nobody-s-bucket/x.tar"
    assert score([*arguments, "--results", str(tmp_path / "n.jsonl")]) == 1
    assert "there is no input s3://nobody-s-bucket/x.tar" in capsys.readouterr().err


def test_parts_are_written_to_the_store_and_known_again(bucket: Any) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    schema = schema_of([load_metric(TOY)])
    settings = PipelineSettings(workers=0, content_hash=True)
    job = Job((TOY,), None, "cpu", settings, (".png",), "", "", schema, "s3://data/scores", "", os.getcwd())
    folder = PartFolder("s3://data/scores", schema)
    folder.open(False, {"base": os.getcwd()})
    scorer = PartScorer(job)
    parts = list(plan(Listing("s3://data/shards/{0.tar,1.tar.gz}")))
    assert [scorer.score(part) for part in parts] == [Counts(6, 0)] * 2
    scorer.close()
    assert sorted(folder.names("scores")) == sorted(part.name for part in parts)
    assert [folder.done(part) for part in parts] == [Counts(6, 0)] * 2
    assert folder.paths(parts[1])[0] == "s3://data/shards/1.tar.gz/06.png"
    bucket.pipe_file("data/shards/0.tar", tar_bytes(samples({"00": 7})))  # another shard under that name
    assert folder.done(parts[0]) is None and folder.done(parts[1]) is not None
    assert PartScorer(job).score(parts[0]) == Counts(1, 0)
    with pytest.raises(ResultsError, match="can't be written: the store has no nobody-s-bucket"):
        PartFolder("s3://nobody-s-bucket/scores", schema).open(False, {})
    assert not bucket.exists("nobody-s-bucket")  # a mistyped name makes none

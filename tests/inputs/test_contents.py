"""Bytes of pictures that are no files: in tars, in memory, at remote addresses."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from cliqa.inputs.contents import Held
from cliqa.inputs.tar_images import TarImages
from cliqa.metrics import load_metric
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Source
from tests.shard_files import grey, samples, write_tar

SUFFIXES = (".png", ".jpg")


def test_sources_of_streams_let_go_of_their_bytes() -> None:
    source = Source("x", content=Held(b"1" * 10_000, 10_000, 5))
    assert len(pickle.dumps(source.released())) < 500 and source.released().content is not None
    plain = Source("y")
    assert plain.released() is plain


def test_a_changed_tar_is_not_read_at_old_places(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", samples({"a": 1}))
    source = next(iter(TarImages(str(shard), SUFFIXES)))
    assert isinstance(source, Source) and source.content is not None and source.content.read() == grey(1)
    os.utime(shard, ns=(1, 1))
    metric = load_metric("tests.toy_metric:Brightness")
    (issue,) = run([source], [metric], PipelineSettings())
    assert isinstance(issue, Issue) and "changed" in issue.message

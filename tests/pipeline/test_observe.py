"""One file observed: its facts, its hash, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.inputs.contents import content_sha256
from cliqa.pipeline.observe import Observed, observe_file
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.toy_metric import Brightness

needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def picture(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    return encode(Image.new("RGB", (40, 40), colour), "PNG")


RED, GREEN, GREY = picture((255, 0, 0)), picture((0, 255, 0)), picture((90, 90, 90))


def test_facts_and_hash_of_an_observed_file(make_folder: Callable[..., Path]) -> None:
    path = make_folder({"0.png": GREY}) / "0.png"
    found = observe_file(Source(str(path)), PipelineSettings(content_hash=True), [Brightness])
    assert isinstance(found, Observed)
    assert found.facts["size"] == len(GREY) and found.facts["sha256"] == content_sha256(str(path))
    assert found.facts["format"] == "PNG" and found.facts["width"] == 40
    assert float(found.observations["brightness"]["mean"]) == 90  # type: ignore[index]


@needs_signals
def test_a_pipe_is_neither_hashed_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    found = observe_file(Source(str(tmp_path / "pipe.jpg")), PipelineSettings(content_hash=True), [Brightness])
    assert isinstance(found, Issue) and found.message == "not a regular file"


def test_what_the_metric_says_and_what_it_does_not(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"black.png": 0, "gone.png": 9})
    (root / "gone.png").unlink()
    black = observe_file(Source(str(root / "black.png")), PipelineSettings(), [Brightness])
    gone = observe_file(Source(str(root / "gone.png")), PipelineSettings(), [Brightness])
    assert isinstance(black, Issue) and (black.kind, black.message) == ("skipped", "a black picture")
    assert isinstance(gone, Issue) and (gone.kind, gone.message) == ("error", "no such file")
    zero = observe_file(Source("zero\0byte"), PipelineSettings(), [Brightness])
    assert isinstance(zero, Issue)
    with mock.patch("cliqa.pipeline.observe.load_image", side_effect=MemoryError):
        short = observe_file(Source(str(root / "black.png")), PipelineSettings(), [Brightness])
    assert isinstance(short, Issue) and short.message == "not enough memory"

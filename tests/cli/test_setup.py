"""Options become the listing, the output, the metrics, the settings and the columns of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cliqa.cli.console import Console
from cliqa.cli.filtering import Filter
from cliqa.cli.setup import open_key_list, open_listing, open_metrics, open_placer, pipeline_settings, schema_of
from cliqa.errors import RunError, UsageError
from cliqa.limits import FILE_SECONDS
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.samples import SamplePlacer
from tests.shard_files import samples, write_tar
from tests.toy_filter import COMMAND


def options(*words: str, command: Filter = COMMAND) -> argparse.Namespace:
    found = command.parser().parse_args(["-i", "in", *words])
    assert isinstance(found, argparse.Namespace)
    return found


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()


def test_outputs_that_fit_their_inputs() -> None:
    write_tar(Path("s.tar"), samples({"a": 7}))
    assert isinstance(open_placer(options("-o", "out")), FolderPlacer)
    assert isinstance(open_placer(options("-i", "s.tar", "-o", "out/%d.tar")), SamplePlacer)
    assert open_placer(options("--print")) is None and open_placer(options("-o", "out", "--dry-run")) is None
    assert open_key_list(options("-i", "s.tar", "--keys", "k.txt")) is not None
    assert not Path("out").exists() and not Path("k.txt").exists(), "they are only checked"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "out/%d.tar"], "loose files belong to none"),
        (["-i", "s.tar", "-o", "out"], "whole samples go into tars"),
        (["--print", "--sync"], "give --output"),
        (["-o", "in"], "is the input folder"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(words: list[str], said: str) -> None:
    write_tar(Path("s.tar"), samples({"a": 7}))
    with pytest.raises(UsageError, match=said):
        open_placer(options(*words))


def test_an_input_that_is_not_there_is_told_before_the_run() -> None:
    with pytest.raises(RunError, match="there is no input none"):
        open_listing(options("-i", "none"))
    assert open_listing(options()).inputs == ("in",)


def test_a_limit_on_time_needs_a_process_that_can_be_ended() -> None:
    assert pipeline_settings(options("--workers", "0")).workers == 0
    assert pipeline_settings(options("--workers", "0")).file_seconds == FILE_SECONDS
    assert pipeline_settings(options("--workers", "0", "--file-seconds", "5")).workers == 1
    assert pipeline_settings(options("--damaged", "score")).score_damaged


def test_columns_and_marks_are_those_of_the_metrics() -> None:
    ((metric,),) = open_metrics([COMMAND.metric], options("-g", "-1"), Console("toy", quiet=True))
    assert schema_of([metric]).score_columns == ["brightness.mean", "brightness.label"]
    assert schema_of([metric]).weights == {"brightness": "none"}
    assert schema_of([metric], num_patches=3).weights == {"brightness": "none-patches3"}

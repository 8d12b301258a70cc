"""The Ray engine on two CPUs: it ends, it survives a killed actor and decoder, and scores as the local engine does."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cliqa.cli.ray_run import ACTOR_CPUS, Slots, slots_for
from cliqa.results.store import Store
from cliqa.score import main, parser
from tests.shard_files import samples, write_tar

HERE = Path(__file__).parent.parent.parent
FILES = 2000


def test_actors_leave_a_share_of_the_processors_to_ray() -> None:
    assert slots_for(2, 0, 100) == Slots(2, ACTOR_CPUS, 0.0, 1)
    for cpus in (1, 2, 4, 64, 1000):
        slots = slots_for(cpus, 0, 10_000)
        assert slots.count == cpus and slots.count * slots.cpus <= cpus / 2
    assert slots_for(2, 0, 1).count == 1  # more actors than parts would idle
    assert slots_for(64, 0, 100, asked=3).count == 3


def test_a_gpu_has_one_actor_with_its_share_of_the_processors() -> None:
    assert slots_for(16, 2, 100) == Slots(2, 8 * ACTOR_CPUS, 1.0, 8)
    assert slots_for(1, 1, 100) == Slots(1, ACTOR_CPUS, 1.0, 1)


@pytest.mark.parametrize(
    "extra, message",
    [
        (["--results", "scores.db"], "a folder"),
        (["--results", "out", "--resume", "--by-content"], "--by-content needs the local engine"),
    ],
)
def test_what_the_engine_does_not_do_is_said(
    extra: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["-i", str(write_tar(tmp_path / "a.tar", samples({"a": 9}))), "--engine", "ray", "-g", "-1", *extra]
    assert main([*given, "--metrics", "tests.toy_metric:Brightness"]) == 2
    assert message in capsys.readouterr().err


def test_the_engine_is_an_option_of_score_alone() -> None:
    options = parser().parse_args(["-i", "x", "--results", "y"])
    assert isinstance(options, argparse.Namespace) and options.engine == "local"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_actor_and_decoder_cost_nothing_and_scores_are_those_of_the_local_engine(tmp_path: Path) -> None:
    """2,000 files in eight tars and a folder; the first decoder of eleven and the first actor of forty get SIGKILL."""
    pytest.importorskip("ray", reason="needs the extra [ray]")
    pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    for shard in range(8):
        members = samples({f"{shard}-{number:03d}": 1 + (shard * 31 + number) % 255 for number in range(FILES // 8)})
        write_tar(tmp_path / "shards" / f"{shard:03d}.tar", members)
    (tmp_path / "shards" / "000.tar").write_bytes((tmp_path / "shards" / "000.tar").read_bytes()[:-20_000])  # cut short
    given = ["-i", str(tmp_path / "shards" / "{000..007}.tar"), "--metrics", "tests.toy_metric:Mortal"]
    results = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "tests.ray_scenarios", str(tmp_path / "death"), *given, "--results", str(results)],
        cwd=HERE, env=os.environ | {"PYTHONPATH": str(HERE)}, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert main([*given, "--results", str(tmp_path / "local.db"), "-g", "-1", "--workers", "1", "--quiet"]) == 0
    with Store(str(results)) as ray, Store(str(tmp_path / "local.db")) as local:
        columns = [name for name in local.columns if name not in ("kept", "placed")]
        expected = sorted(local.rows(columns), key=str)
        assert sorted(ray.rows(columns), key=str) == expected
        assert sorted(ray.issues()) == sorted(local.issues()) != []
        assert FILES - 10 < len(expected) < FILES  # those of the cut tar's end alone are missing
    assert f"{len(expected)} unchanged since an earlier run" in done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(row[0] for row in expected)

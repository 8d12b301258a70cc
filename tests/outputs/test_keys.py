"""Keys of kept samples in a file: whole samples, in order, never over anything, complete or not there."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from cliqa.outputs.keys import KeyList
from cliqa.records import Source
from tests.shard_files import grey, samples, write_tar
from tests.toy_filter import COMMAND


@pytest.fixture(autouse=True)
def shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        write_tar(Path(f"shards/{number}.tar"), samples({f"x/{number}{each}": 60 * each + 10 for each in range(4)}))


def run(*more: str, given: str = "shards/{0..2}.tar", keys: str = "keys.txt") -> int:
    return COMMAND.main(["-i", given, "--keys", keys, "--mean", "100", "-g", "-1", "--workers", "0", *more])


def test_one_key_a_line_in_the_order_of_the_input() -> None:
    assert run() == 0
    assert Path("keys.txt").read_text() == "x/02\nx/03\nx/12\nx/13\nx/22\nx/23\n"
    assert run("--invert", "-0", keys="made/dropped") == 0
    assert Path("made/dropped").read_bytes() == b"x/00\0x/01\0x/10\0x/11\0x/20\0x/21\0"
    assert sorted(os.listdir()) == ["keys.txt", "made", "shards"]  # nothing is left beside


def test_the_keys_are_those_of_the_tars_that_the_same_run_writes() -> None:
    assert run("-o", "kept/%d.tar") == 0
    from tests.shard_files import read_tar

    written = [name[:-4] for name in read_tar("kept/0.tar") if name.endswith(".png")]
    assert Path("keys.txt").read_text().split() == written


def test_a_sample_with_several_images_is_listed_when_all_are_kept() -> None:
    members = {"a.l.png": grey(200), "a.r.png": grey(50), "b.l.png": grey(200), "b.r.png": grey(210), "b.txt": b"t"}
    write_tar(Path("several.tar"), members | {"c.png": grey(200), "c.jpg": b"no picture"})
    assert run(given="several.tar") == 0
    assert Path("keys.txt").read_text() == "b\n"


def test_rows_of_parquet_have_keys_too() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"id": ["p", "q", "r"], "image": [grey(200), grey(5), grey(150)]})
    parquet.write_table(table, "t.parquet")
    assert run(given="t.parquet") == 0
    assert Path("keys.txt").read_text() == "p\nr\n"


def test_nothing_that_exists_is_touched(capsys: pytest.CaptureFixture[str]) -> None:
    Path("keys.txt").write_text("mine")
    assert run() == 2 and "exists" in capsys.readouterr().err
    assert run("--resume", "--results", "r.db") == 1 and "other keys" in capsys.readouterr().err
    os.symlink("nowhere", "link.txt")
    assert run(keys="link.txt") == 2
    assert Path("keys.txt").read_text() == "mine" and os.readlink("link.txt") == "nowhere"


def test_an_interrupted_run_leaves_none_and_a_resumed_one_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(keys="whole.txt") == 0
    place = KeyList.place
    seen: list[Source] = []

    def stop(self: Any, source: Source) -> None:
        seen.append(source)
        if len(seen) > 3:
            raise KeyboardInterrupt
        place(self, source)

    monkeypatch.setattr(KeyList, "place", stop)
    assert run("--results", "r.db") == 130
    assert not Path("keys.txt").exists() and not [name for name in os.listdir() if name.startswith(".cliqa")]
    monkeypatch.setattr(KeyList, "place", place)
    for _ in range(2):  # the second time the list is there, and the same
        assert run("--results", "r.db", "--resume") == 0
        assert Path("keys.txt").read_bytes() == Path("whole.txt").read_bytes()


def test_loose_files_have_no_key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()
    Path("in/a.png").write_bytes(grey(200))
    assert run(given="in") == 2 and "--print" in capsys.readouterr().err
    assert run("-o", "folder", given="-") == 2 and "single files" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"in/a.png\nshards/0.tar/x/02.png\n")))
    assert run("--strict", given="-") == 3
    assert "no member of a shard" in capsys.readouterr().err
    assert Path("keys.txt").read_text() == "x/02\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_list_that_can_not_be_written_is_said_before_anything_is_scored(capsys: pytest.CaptureFixture[str]) -> None:
    Path("closed").mkdir(mode=0o500)
    assert run(keys="closed/keys.txt") == 1
    assert "closed/keys.txt can't be written" in capsys.readouterr().err


def test_a_full_disk_ends_the_run_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    enter = KeyList.__enter__

    def full(self: KeyList) -> KeyList:
        enter(self)._stream = Full()
        return self

    monkeypatch.setattr(KeyList, "__enter__", full)
    assert run() == 1
    assert "keys.txt can't be written: No space left" in capsys.readouterr().err and not Path("keys.txt").exists()

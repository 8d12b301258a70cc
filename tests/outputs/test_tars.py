"""Kept samples into tars: whole, in order, the same bytes every time, never over anything."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cliqa.apply import main as apply
from cliqa.results.store import Store
from cliqa.score import main as score
from tests.shard_files import VALUES, grey, read_tar, samples, write_tar
from tests.toy_filter import COMMAND

KEPT = [key for key, value in VALUES.items() if value >= 100]


def run(*more: str, given: str = "shards/{0..2}.tar", output: str = "kept/%02d.tar") -> int:
    return COMMAND.main(
        ["-i", given, "-o", output, "--mean", "100", "-g", "-1", "--workers", "0", "--shard-size", "3", *more]
    )


def digests() -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path("kept").iterdir())}


def test_whole_samples_byte_for_byte_in_order(shards: list[Path]) -> None:
    assert run() == 0
    before = {name: data for shard in shards for name, data in read_tar(shard).items()}
    names = [sorted(path.name for path in Path("kept").iterdir())]
    assert names == [["00.tar", "01.tar", "02.tar"]]
    after = {name: data for path in sorted(Path("kept").iterdir()) for name, data in read_tar(path).items()}
    assert after == {name: data for name, data in before.items() if name[:3] in KEPT}
    assert list(after) == [f"{key}{suffix}" for key in KEPT for suffix in (".png", ".txt", ".cls")]
    with tarfile.open("kept/00.tar") as tar:
        facts = {(info.mtime, info.mode, info.uid, info.gid, info.uname, info.gname) for info in tar}
    assert facts == {(1_700_000_000, 0o644, 0, 0, "", "")}


def test_the_same_bytes_whatever_holds_the_samples(shards: list[Path]) -> None:
    assert run() == 0
    plain = digests()
    for path in Path("kept").iterdir():
        path.unlink()
    for shard in shards:
        write_tar(shard.with_suffix(".tar.gz"), read_tar(shard))
    assert run("--num-patches", "4", given="shards/{0..2}.tar.gz") == 0
    assert digests() == plain


def test_nothing_that_exists_is_touched(shards: list[Path]) -> None:
    Path("kept").mkdir()
    Path("kept/07.tar").write_bytes(b"mine")
    assert run() == 2
    assert digests() == {"07.tar": hashlib.sha256(b"mine").hexdigest()}
    Path("kept/01.tar").write_bytes(b"mine too")
    assert run("--resume") == 1  # 01 is none of ours
    assert Path("kept/01.tar").read_bytes() == b"mine too" and not Path("kept/02.tar").exists()


def test_an_interrupted_run_goes_on(shards: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--results", "r.db", output="whole/%02d.tar") == 0
    whole = {path.name: path.read_bytes() for path in Path("whole").iterdir()}
    broken = shards[2].read_bytes()
    shards[2].write_bytes(broken[:600])
    assert run("--results", "s.db") == 0
    assert sorted(os.listdir("kept")) == ["00.tar"]
    Path("kept/00.tar").unlink()
    shards[2].write_bytes(broken)
    calls: list[str] = []
    from cliqa.outputs.tars import TarWriter

    add = TarWriter.add

    def stop(self: Any, key: str, pieces: Any) -> Any:
        calls.append(key)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return add(self, key, pieces)

    monkeypatch.setattr(TarWriter, "add", stop)
    assert run("--results", "t.db") == 130
    assert [name for name in os.listdir("kept") if not name.startswith(".")] == ["00.tar"]
    assert len(os.listdir("kept")) == 1
    monkeypatch.setattr(TarWriter, "add", add)
    assert run("--results", "t.db", "--resume") == 0
    assert {path.name: path.read_bytes() for path in Path("kept").iterdir()} == whole
    assert run("--results", "t.db", "--resume") == 0  # and once more, with nothing to do
    with Store("t.db") as store:
        placed = dict(store.rows(["path", "placed"], "kept = 1"))
    assert placed["shards/2.tar/011.png"] == "kept/02.tar/011.png" and len(placed) == len(KEPT)
    assert run("--results", "t.db", "--resume", "--mean", "150") == 1  # another choice is not what is there


def test_keys_that_meet_in_one_tar_both_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write_tar(Path(f"shards/{number}.tar"), samples({"same": 200 + number}))
    assert run(given="shards/{0..1}.tar", output="kept/%d.tar") == 0
    after = read_tar("kept/0.tar")
    assert list(after) == ["same.png", "same.txt", "same.cls", "same_1.png", "same_1.txt", "same_1.cls"]
    assert (after["same.png"], after["same_1.png"]) == (grey(200), grey(201))


def test_what_does_not_fit_is_wrong_usage(shards: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    for extra in (["--symlink"], ["--score-prefix"]):
        assert run(*extra) == 2
    assert run(output="kept") == 2 and "kept/%06d.tar" in capsys.readouterr().err
    assert run(output="%d/%d.tar") == 2 and run(output="s3://bucket/%d.tar") == 2
    Path("in").mkdir()
    Path("in/a.png").write_bytes(grey(200))
    assert run(given="in") == 2 and "loose files" in capsys.readouterr().err and not Path("kept").exists()


def test_paths_of_members_chain_through_pipes(shards: list[Path], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert COMMAND.main(["-i", "shards/*.tar", "--print", "--mean", "100", "-g", "-1", "--workers", "0"]) == 0
    paths = capfdbinary.readouterr().out.decode().splitlines()
    assert [path[-7:-4] for path in paths] == KEPT


def test_apply_fills_tars_from_a_store(shards: list[Path], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run() == 0
    given = ["-i", "shards/{0..2}.tar", "--metrics", "tests.toy_metric:Brightness", "-g", "-1", "--workers", "0"]
    assert score([*given, "--results", "s.db"]) == 0
    capfdbinary.readouterr()
    where = ["s.db", "--where", "brightness.mean >= 100", "--shard-size", "3"]
    assert apply([*where, "-o", "applied/%02d.tar", "--print"]) == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == len(KEPT)
    for path in sorted(Path("kept").iterdir()):
        assert (Path("applied") / path.name).read_bytes() == path.read_bytes()
    assert apply([*where, "-o", "best/%d.tar", "--sort-by", "brightness.mean", "--limit", "2"]) == 0
    assert [name for name in read_tar("best/0.tar") if name.endswith(".png")] == ["010.png", "011.png"]
    shards[1].unlink()
    assert apply([*where, "-o", "again/%d.tar", "--strict"]) == 3
    assert [name[:3] for name in read_tar("again/0.tar") if name.endswith(".png")] == KEPT[-4:-1]

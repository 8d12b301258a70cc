"""Whole samples into tars, once all their images are kept."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from tests.shard_files import grey, read_tar, samples, write_tar
from tests.toy_filter import COMMAND


def run(*more: str, given: str = "shards/{0..2}.tar", output: str = "kept/%02d.tar") -> int:
    return COMMAND.main(
        ["-i", given, "-o", output, "--mean", "100", "-g", "-1", "--workers", "0", "--shard-size", "3", *more]
    )


def test_a_sample_goes_out_when_all_its_images_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    members = {"a.l.png": grey(200), "a.r.png": grey(50), "b.l.png": grey(200), "b.r.png": grey(210), "b.txt": b"t"}
    members |= {"c.png": grey(200), "c.jpg": b"no picture"}
    write_tar(Path("shards/0.tar"), members)
    assert run(given="shards/0.tar") == 0
    assert list(read_tar("kept/00.tar")) == ["b.l.png", "b.r.png", "b.txt"]


def test_links_and_hostile_names_stay_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shards").mkdir()
    with tarfile.open("shards/0.tar", "w") as tar:
        for name, link in (("a.png", ""), ("a.txt", "/etc/passwd"), ("a.json", "")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.REGTYPE, "")
            info.size = 0 if link else len(grey(200))
            import io

            tar.addfile(info, io.BytesIO(grey(200)))
    assert run(given="shards/0.tar") == 0
    assert list(read_tar("kept/00.tar")) == ["a.png", "a.json"]


SCATTERED = [f"{key}.{kind}" for kind in ("png", "json", "txt") for key in ("000", "001", "002")]


def scattered(path: Path) -> dict[str, bytes]:
    """A tar with all images first, then all the rest; of the first sample another image at the very end."""
    made = {name: grey(200) if name.endswith("png") else name.encode() for name in SCATTERED} | {"000.b.png": grey(210)}
    write_tar(path, made)
    return made


@pytest.mark.parametrize("name", ["s.tar", "s.tar.gz"])
def test_samples_of_local_tars_are_whole_in_any_order(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = scattered(Path(name))
    assert run("--keys", "keys", "--strict", given=name, output="kept/%d.tar") == 0
    kept = read_tar("kept/0.tar") | (read_tar("kept/1.tar") if Path("kept/1.tar").exists() else {})
    assert kept == made
    assert sorted(Path("keys").read_text().split()) == ["000", "001", "002"]
    keys = [member[:3] for member in kept]
    assert sum(one != other for one, other in zip(keys, keys[1:], strict=False)) == 2  # grouped now
    assert sorted(os.listdir()) == ["kept", "keys", name] and len(os.listdir("kept")) == 1
    assert run(given="s.t*", output="none/%d.tar", *["--invert"]) == 0  # noqa: B026
    assert not os.listdir("none")


def test_a_dropped_image_keeps_its_scattered_sample_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("s.tar", "s.tgz"):
        write_tar(
            Path(name), {"a.png": grey(200), "b.png": grey(200), "a.c.png": grey(5), "b.txt": b"b", "a.txt": b"a"}
        )
        assert run(given=name, output=f"{name}-kept/%d.tar") == 0
        assert list(read_tar(f"{name}-kept/0.tar")) == ["b.png", "b.txt"]


def test_a_stream_of_scattered_samples_is_an_issue_and_none_of_them_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra [remote]")
    monkeypatch.chdir(tmp_path)
    scattered(Path("s.tar"))
    good = samples({"good": 200})
    write_tar(Path("t.tar"), good)
    system = fsspec.filesystem("memory")
    try:
        for name in ("s.tar", "t.tar"):
            system.pipe_file(f"/scattered/{name}", Path(name).read_bytes())
        assert run("--strict", given="memory://scattered/{s,t}.tar", output="kept/%d.tar") == 3
        assert read_tar("kept/0.tar") == good and os.listdir("kept") == ["0.tar"]
        said = capsys.readouterr().err
        assert "memory://scattered/s.tar" in said and "not grouped by key: 3 samples" in said
    finally:
        system.rm("/scattered", recursive=True)

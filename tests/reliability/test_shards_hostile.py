"""Attacks through tars: names that lead out, links, devices, bombs, cut and damaged ends. Nothing but the results is written."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cliqa.inputs import member_names, tar, tar_images
from cliqa.inputs.contents import MAX_BYTES
from cliqa.inputs.member_names import harmless, safe_name
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Issue, Source
from cliqa.score import main as score
from tests.shard_files import grey, samples, tar_bytes, write_tar
from tests.toy_filter import COMMAND

SUFFIXES = (".png", ".jpg")
HOSTILE = [
    "/etc/cron.d/x.png", "../x.png", "a/../../x.png", "..", "a/..", "..\\x.png", "C:/x.png", "c:x.png", "\\\\host\\x.png",
    "a\0b.png", "x" * 5000 + ".png", "",
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder three levels down, with all that lies around it watched."""
    inside = tmp_path / "one" / "two" / "home"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    (tmp_path / "precious").write_bytes(b"mine")
    yield inside
    outside = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if inside not in (path, *path.parents)}
    assert outside == {"one", "one/two", "precious"} and (tmp_path / "precious").read_bytes() == b"mine"


def hostile_tar() -> bytes:
    """Every hostile name as a file, then one sound sample, links and devices."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name in HOSTILE:
            info = tarfile.TarInfo(name)
            info.size = len(grey(200))
            made.addfile(info, io.BytesIO(grey(200)))
        for name, data in samples({"good": 200}).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
        for number, kind in enumerate(
            (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
        ):
            info = tarfile.TarInfo(f"link{number}.png")
            info.type, info.linkname = kind, "../../../precious"
            made.addfile(info)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["s.tar", "s.tar.gz"])
def test_hostile_members_are_issues_and_lead_nowhere(name: str, home: Path) -> None:
    data = hostile_tar()
    Path(name).write_bytes(data if name.endswith(".tar") else gzip.compress(data))
    found = list(TarImages(name, SUFFIXES))
    good = [source.path for source in found if isinstance(source, Source)]
    issues = {issue.source.path: issue.message for issue in found if isinstance(issue, Issue)}
    assert good == [f"{name}/good.png"]
    assert len(issues) == len(found) - 1 >= len(HOSTILE) + 4
    for path in issues:
        inside = os.path.normpath(path)
        assert (
            inside.startswith(name)
            and ".." not in path
            and "\0" not in path
            and "\\" not in path[len(name) :].replace("\\0", "")
        )


@pytest.mark.parametrize("name", ["s.tar", "s.tgz"])
def test_commands_write_what_they_are_asked_for_alone(name: str, home: Path) -> None:
    data = hostile_tar()
    Path(name).write_bytes(data if name.endswith(".tar") else gzip.compress(data))
    given = ["-i", name, "-g", "-1", "--workers", "0", "--quiet"]
    assert COMMAND.main([*given, "-o", "kept/%d.tar", "--results", "r.csv"]) == 0
    assert score([*given, "--metrics", "tests.toy_metric:Brightness", "--results", "s.db"]) == 0
    assert sorted(os.listdir("kept")) == ["0.tar"]
    with tarfile.open("kept/0.tar") as kept:
        assert kept.getnames() == ["good.png", "good.txt", "good.cls"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names(name: str) -> None:
    with pytest.raises(member_names.ImageError):
        safe_name(name)
    shown = harmless(name)
    assert shown and len(shown) <= 1000 and not shown.startswith("/") and ".." not in shown and "\0" not in shown


def test_sound_names_stay_and_odd_ones_are_made_plain() -> None:
    assert safe_name("./a//b/./c.jpg") == "a/b/c.jpg"
    assert safe_name("a..b/c...jpg") == "a..b/c...jpg"
    assert safe_name("=cmd|' /C calc'!A0.png") == "=cmd|' /C calc'!A0.png"


def test_a_second_member_of_a_name_is_an_issue_and_the_first_stays(home: Path) -> None:
    members = [("a.png", grey(1)), ("a.png", grey(2)), ("b.png", grey(3)), ("a.png", grey(4)), ("a.png#2", b"x")]
    write_tar(Path("s.tar"), members)
    found = list(TarImages("s.tar", ("*",)))
    assert len({item.path for item in found}) == len(found) == 5
    assert [item.path for item in found if isinstance(item, Source)] == ["s.tar/a.png", "s.tar/b.png"]


def test_a_tar_cut_anywhere_keeps_what_came_before(home: Path) -> None:
    data = tar_bytes(samples({f"{number:02d}": 40 * number for number in range(6)}))
    whole = [
        item.path
        for item in TarImages(str(write_tar(Path("w.tar"), samples({f"{n:02d}": 0 for n in range(6)}))), SUFFIXES)
    ]
    rng = np.random.default_rng(0)
    zipped = gzip.compress(data)
    for number, length in enumerate(rng.integers(1, len(data) - 1024 * 8, 60)):
        for name, content in ((f"{number}.tar", data), (f"{number}.tgz", zipped)):
            Path(name).write_bytes(content[: int(length) * (len(content) - 400) // len(data)])
            found = list(TarImages(name, SUFFIXES))
            sound = [item.path.split("/", 1)[1] for item in found if isinstance(item, Source)]
            assert sound == [path.split("/", 1)[1] for path in whole][: len(sound)]
            assert isinstance(found[-1], Issue) and found[-1].source.path == name
            assert all(isinstance(item, Issue) for item in found[len(sound) :])


@pytest.mark.parametrize("packed", [False, True])
def test_random_flips_end_as_records_or_issues(packed: bool, home: Path) -> None:
    data = tar_bytes(samples({f"{number:02d}": 40 * number for number in range(4)}))
    data = gzip.compress(data) if packed else data
    rng = np.random.default_rng(1)
    name = "s.tgz" if packed else "s.tar"
    for _ in range(200):
        broken = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, len(broken), int(rng.integers(1, 20)))
        broken[places] = rng.integers(0, 256, len(places))
        Path(name).write_bytes(broken.tobytes())
        found = list(TarImages(name, SUFFIXES))
        assert len({item.path for item in found}) == len(found)
        for item in found:
            if isinstance(item, Source):
                assert item.content is not None and len(item.content.read()) == item.content.size


def test_a_bomb_is_given_up_in_bounded_memory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gigabytes of nothing in a member that is passed over: at most a hundred times the packed bytes are unpacked."""
    monkeypatch.setattr(tar, "FREE_BYTES", 4 << 20)
    info = tarfile.TarInfo("zeros.bin")
    info.size = 1 << 33
    with gzip.open("bomb.tgz", "wb", compresslevel=9) as stream:
        stream.write(info.tobuf())
        for _ in range(256):
            stream.write(bytes(1 << 20))
    tracemalloc.start()
    (issue,) = TarImages("bomb.tgz", SUFFIXES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(issue, Issue) and "100 times its size" in issue.message
    assert peak < 16 << 20


def test_members_larger_than_any_image_are_skipped_unread(home: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = MAX_BYTES + 1
    with open("s.tar", "wb") as stream:
        stream.write(info.tobuf())
        stream.seek(info.size + -info.size % 512, io.SEEK_CUR)  # a hole: no disk is used
        stream.write(tar_bytes({"b.png": grey(9)}))
    first, second = TarImages("s.tar", SUFFIXES)
    assert isinstance(first, Issue) and first.kind == "skipped" and isinstance(second, Source)


def test_endless_names_and_samples_are_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_images, "MAX_MEMBERS", 50)
    write_tar(Path("s.tar"), {f"{number}.png": b"" for number in range(80)})
    found = list(TarImages("s.tar", SUFFIXES))
    assert len(found) == 51 and isinstance(found[-1], Issue) and "50 members" in found[-1].message
    monkeypatch.setattr(tar_images, "MAX_MEMBERS", 10_000)
    write_tar(Path("t.tar"), {f"a.{number}.png": b"" for number in range(1000)})
    found = list(TarImages("t.tar", SUFFIXES))
    assert len(found) == 1000
    assert sum(isinstance(item, Source) for item in found) == tar_images.MAX_IMAGES
    for item in found:
        if isinstance(item, Source):
            assert item.content is not None and item.content.sample.images > tar_images.MAX_IMAGES  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX pipes")
def test_a_shard_that_is_a_pipe_a_folder_or_a_device_is_an_issue(home: Path) -> None:
    os.mkfifo("pipe.tar")
    os.symlink("/dev/zero", "zero.tar")
    os.symlink("loop.tar", "loop.tar")
    os.mkdir("folder.parquet")
    for name in ("pipe.tar", "zero.tar", "loop.tar", "gone.tar"):
        (issue,) = TarImages(name, SUFFIXES)
        assert isinstance(issue, Issue) and issue.source.path == name

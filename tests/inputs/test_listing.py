"""Shards read: the same images whatever holds them, one record or one issue a member."""

from __future__ import annotations

import gzip
import os
import pickle
from pathlib import Path

import pytest

from cliqa.inputs.contents import Held, Slice
from cliqa.inputs.listing import Listing, reaches_beyond
from cliqa.inputs.members import image_bytes, pick
from cliqa.inputs.tar_images import TarImages
from cliqa.metrics import load_metric
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Record, Source
from tests.shard_files import grey, samples, scored, tar_bytes, write_tar

SUFFIXES = (".png", ".jpg")
VALUES = {"000": 10, "001": 200, "sub/002": 90}


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_every_image_of_a_tar_is_a_record(name: str, workers: int, tmp_path: Path) -> None:
    shard = str(write_tar(tmp_path / name, samples(VALUES)))
    assert scored(shard, workers) == {f"{shard}/{key}.png": float(value) for key, value in VALUES.items()}


def test_large_members_of_streams_pass_to_busy_workers(tmp_path: Path) -> None:
    """More bytes than a pipe takes at once, in both directions: sending must not wait for reading."""
    big = {f"{number:03d}.png": grey(number) + os.urandom(3 << 20) for number in range(1, 13)}
    found = scored(str(write_tar(tmp_path / "big.tgz", big)), workers=2)
    assert list(found.values()) == [float(number) for number in range(1, 13)]


def test_members_know_their_sample(tmp_path: Path) -> None:
    members = {
        "./a.left.png": grey(1),
        "./a.right.png": grey(2),
        "./a.txt": b"-",
        "./b.json": b"{}",
        "./c.png": grey(3),
    }
    images = TarImages(str(write_tar(tmp_path / "a.tar", members)), SUFFIXES)
    found = list(images)
    assert all(isinstance(source, Source) and isinstance(source.content, Slice) for source in found)
    known = [
        source.content.sample for source in found if isinstance(source, Source) and isinstance(source.content, Slice)
    ]
    assert [(sample.key, sample.images) for sample in known if sample] == [("a", 2), ("a", 2), ("c", 1)]
    assert images.left_out == 1  # b has no image


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


def test_patterns_stand_for_their_shards_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        write_tar(Path(f"shards/{number:03d}.tar"), samples({f"k{number}": 10 + number}))
    Path("shards/loose.png").write_bytes(grey(50))
    expected = {f"shards/{number:03d}.tar/k{number}.png": 10.0 + number for number in range(3)}
    assert list(scored("shards/{000..002}.tar").items()) == list(expected.items())
    assert scored("shards/*.tar") == expected
    assert scored("shards/{002,002}.tar") == {"shards/002.tar/k2.png": 12.0}
    assert scored("shards/00[12].tar") == {path: mean for path, mean in expected.items() if "000" not in path}
    assert scored("shards/{001..003}.tar")["shards/003.tar"] == "no such file"
    assert scored("shards/*")["shards/loose.png"] == 50.0
    assert scored("shards/001.tar/k1.png") == {"shards/001.tar/k1.png": 11.0}


def test_what_exists_is_taken_for_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a{1,2}.tar"
    folder.mkdir()
    (folder / "x*.png").write_bytes(grey(7))
    assert not reaches_beyond(str(folder)) and not reaches_beyond(str(folder / "x*.png"))
    assert reaches_beyond("-") and reaches_beyond("s3://bucket/x") and not reaches_beyond("gone.png")
    assert pick(str(folder / "x*.png")) is None  # a file of its own
    assert image_bytes(str(folder / "x*.png")) == str(folder / "x*.png")


def test_members_can_be_picked_by_the_paths_of_their_records(tmp_path: Path) -> None:
    shard = str(write_tar(tmp_path / "a.tar", samples(VALUES)))
    assert image_bytes(f"{shard}/sub/002.png") == grey(90)
    for name, message in (("gone.png", "no such member"), ("000.txt", "no such member")):
        issue = pick(f"{shard}/{name}")
        assert isinstance(issue, Issue) and message in issue.message
    packed = pick(f"{write_tar(tmp_path / 'b.tgz', samples(VALUES))}/000.png")
    assert isinstance(packed, Issue) and "uncompressed" in packed.message


def test_remote_addresses_through_fsspec(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra [remote]")
    system = fsspec.filesystem("memory")
    for name in ("b/x/000.tar", "b/x/001.tar.gz"):
        data = tar_bytes(samples(VALUES))
        system.pipe_file(f"/{name}", data if name.endswith(".tar") else gzip.compress(data))
    system.pipe_file("/b/loose/one.png", grey(33))
    system.pipe_file("/b/loose/deep/two.png", grey(44))
    system.pipe_file("/b/loose/words.txt", b"-")
    try:
        both = scored("memory://b/x/{000.tar,001.tar.gz,002.tar}")
        assert both.pop("memory://b/x/002.tar") == "no such file"
        assert list(both.values()) == [10.0, 200.0, 90.0] * 2
        assert list(scored("memory://b/x/*.tar").values()) == [10.0, 200.0, 90.0]
        assert list(scored("memory://b/loose").values()) == [33.0]
        listing = Listing("memory://b/loose", recursive=True)
        found = {source.path: source for source in listing}
        assert sorted(path.rpartition("/")[2] for path in found) == ["one.png", "two.png"] and listing.left_out == 1
        assert list(scored("memory://b/loose/one.png").values()) == [33.0]
    finally:
        system.rm("/b", recursive=True)


def test_an_unknown_kind_of_address_is_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs the extra [remote]")
    from cliqa.score import main

    assert main(["-i", "nosuchthing://x/y.tar", "--results", str(tmp_path / "r.db"), "-g", "-1"]) == 2
    assert "nosuchthing://" in capsys.readouterr().err


def test_an_address_that_is_refused_is_not_said_to_be_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = pytest.importorskip("fsspec.implementations.memory", reason="needs the extra [remote]")
    from cliqa.score import main

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("not yours")

    given = ["-i", "memory://b/y.tar", "--results", "never.db", "-g", "-1", "--quiet"]
    assert main(given) == 1 and capsys.readouterr().err == "score: there is no input memory://b/y.tar\n"
    monkeypatch.setattr(memory.MemoryFileSystem, "info", refuse)
    assert main(given) == 1
    assert capsys.readouterr().err == "score: the input memory://b/y.tar can't be had: permission denied\n"


def test_reports_show_members(tmp_path: Path) -> None:
    from cliqa.report.thumbnails import thumbnails

    shard = str(write_tar(tmp_path / "a.tar", samples(VALUES)))
    found = list(thumbnails([f"{shard}/000.png", f"{shard}/gone.png", f"{shard}/sub/002.png"], 2))
    assert [picture is not None for picture in found] == [True, False, True]


def test_from_python(tmp_path: Path) -> None:
    import cliqa

    shard = write_tar(tmp_path / "a.tar", samples(VALUES))
    (tmp_path / "b{1,2}.png").write_bytes(grey(4))
    found = list(
        cliqa.score_images([shard, tmp_path / "b{1,2}.png", tmp_path / "gone.tar"], "tests.toy_metric:Brightness")
    )
    assert [item.values["brightness.mean"] for item in found if isinstance(item, Record)] == [10.0, 200.0, 90.0, 4.0]
    assert isinstance(found[-1], Issue) and found[-1].message == "no such file"

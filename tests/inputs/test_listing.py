"""Shards read: the same images whatever holds them, one record or one issue a member."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cliqa.inputs.listing import Listing, reaches_beyond
from cliqa.inputs.members import image_bytes, pick
from cliqa.records import Issue, Record
from tests.shard_files import grey, samples, scored, write_tar

VALUES = {"000": 10, "001": 200, "sub/002": 90}


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


def test_images_that_lie_deeper_are_told_of(make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_folder({"a/1.png": 1, "a/b/2.png": 2, "c/3.txt": b""})
    listing = Listing(str(root))
    assert list(listing) == []
    assert listing.summary() == [f"no image files in {root}", "2 in sub-folders: add -r"]
    recursive = Listing(str(root), recursive=True)
    assert len(list(recursive)) == 2 and "add -r" not in " ".join(recursive.summary())
    (root / "0.png").write_bytes(b"")
    listing = Listing(str(root))
    assert len(list(listing)) == 1 and listing.summary() == ["2 more in sub-folders: add -r"]
    monkeypatch.setattr("cliqa.inputs.listing._LOOK_SECONDS", -1)
    assert listing.summary() == ["maybe some more in sub-folders: add -r"]
    (root / "c/3.txt").rename(root / "4.txt")
    only = Listing(str(root / "c"))
    assert list(only) == [] and only.summary() == [f"no image files in {root / 'c'}"]


def test_images_that_exts_leaves_out_are_told_with_what_takes_them(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"1.png": 1, "2.PNG": 2, "3.webp": b"", "4.jpg": b"", "5.txt": b"", "6.cr2": b""})
    listing = Listing(str(root), suffixes=(".jpg",))
    assert len(list(listing)) == 1
    left, raw, others = listing.summary()
    assert left == "3 images left out, not JPEG by name: 2 .png, 1 .webp; --exts .jpg .png .webp takes them too"
    assert raw.startswith("1 RAW file left out") and others == "1 entry that is no image file by name left out"
    listing = Listing(str(root), suffixes=(".webp",))
    assert len(list(listing)) == 1 and listing.summary()[0].startswith(
        "3 images left out, of other suffixes: 2 .png, 1 .jpg"
    )

"""A second run into the same folder: what lies there already, what is dropped now, and what is nobody's to take away."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cliqa.errors import PlacingError
from cliqa.outputs.companions import Companions, judged_by_suffix
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.placed import RECORD, Entry, PlacedRecord
from cliqa.records import Source


@pytest.fixture
def sources(make_folder: Callable[..., Path]) -> list[Source]:
    root = make_folder({"a.png": b"a", "b.png": b"b", "sub/c.png": b"c"})
    return [Source(str(root / "a.png")), Source(str(root / "b.png")), Source(str(root / "sub/c.png"), "sub")]


def run(out: Path, keep: list[Source], drop: Sequence[Source] = (), **options: object) -> FolderPlacer:
    with FolderPlacer(str(out), **options) as placer:  # type: ignore[arg-type]
        for source in keep:
            placer.place(source)
        for source in drop:
            placer.drop(source)
    return placer


def names(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.name != RECORD)


@pytest.mark.parametrize("way", ["copy", "symlink", "hardlink"])
def test_a_second_run_leaves_what_the_first_one_placed(way: str, sources: list[Source], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(out, sources, way=way).already == 0
    before = {name: os.lstat(out / name).st_ino for name in names(out)}
    second = run(out, sources, way=way)
    assert second.already == 3 and second.summary() == []
    assert {name: os.lstat(out / name).st_ino for name in names(out)} == before
    os.rename(out, tmp_path / "moved")
    assert run(tmp_path / "moved", sources, way=way).already == 3


def test_a_foreign_file_and_a_changed_one_keep_their_names(sources: list[Source], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes(b"mine")
    run(out, sources)
    (out / "b.png").write_bytes(b"edited")
    assert run(out, sources).already == 2
    assert names(out) == ["a.png", "a_1.png", "b.png", "b_1.png", "sub", "sub/c.png"]
    assert (out / "a.png").read_bytes() == b"mine" and (out / "b.png").read_bytes() == b"edited"


def test_what_is_dropped_now_is_named_and_only_sync_takes_it_away(sources: list[Source], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(out, sources)
    (out / "mine.png").write_bytes(b"b")
    told = run(out, sources[:1], sources[1:]).summary()
    assert told[:2] == [
        f"placed by an earlier run, dropped by this one: {out / 'b.png'}",
        f"placed by an earlier run, dropped by this one: {out / 'sub' / 'c.png'}",
    ]
    assert "--sync" in told[2] and len(names(out)) == 5
    told = run(out, sources[:1], sources[1:], sync=True).summary()
    assert names(out) == ["a.png", "mine.png"] and "2 taken away" in told[0]
    assert run(out, sources[:1], sources[1:], sync=True).summary() == []


def test_sync_never_takes_what_was_changed_moved_or_may_be_the_last_copy(sources: list[Source], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(out, sources)
    (out / "a.png").write_bytes(b"edited")
    os.unlink(sources[1].path)
    time = os.stat(sources[2].path).st_mtime_ns
    Path(sources[2].path).write_bytes(b"x")  # other bytes of the same size and time: the copy is the only one left
    os.utime(sources[2].path, ns=(time, time))
    told = run(out, [], sources, sync=True).summary()
    assert names(out) == ["a.png", "b.png", "sub", "sub/c.png"] and len(told) == 2
    Path(sources[1].path).write_bytes(b"b")
    with FolderPlacer(str(out)) as placer:
        placer.record.add(
            Entry("a.png", sources[0].path, sources[0].path, "move", 6, os.stat(out / "a.png").st_mtime_ns)
        )
    assert "moved here" in " ".join(run(out, [], sources[:1], sync=True).summary()) and (out / "a.png").exists()


def test_an_edited_picture_is_placed_again(sources: list[Source], tmp_path: Path) -> None:
    """Beside the older copy, in its place with sync; one whose time alone has changed is the same."""
    out = tmp_path / "out"
    run(out, sources[:1])
    os.utime(sources[0].path, ns=(10**18, 10**18))
    assert run(out, sources[:1]).already == 1
    Path(sources[0].path).write_bytes(b"edited")
    run(out, sources[:1])
    assert names(out) == ["a.png", "a_1.png"] and (out / "a_1.png").read_bytes() == b"edited"
    os.unlink(out / "a_1.png")
    run(out, sources[:1], sync=True)
    assert names(out) == ["a.png"] and (out / "a.png").read_bytes() == b"edited"


def test_companions_go_with_the_picture_that_is_dropped(sources: list[Source], tmp_path: Path) -> None:
    out = tmp_path / "out"
    Path(sources[0].path + ".xmp").write_bytes(b"stars")
    along = Companions(judged_by_suffix([".png"]))
    run(out, sources, companions=along)
    assert run(out, sources).summary() == [], "a run without companions drops none"
    run(out, sources[1:], sources[:1], sync=True)
    assert names(out) == ["b.png", "sub", "sub/c.png"]


def test_another_folder_of_the_output_is_another_place(sources: list[Source], tmp_path: Path) -> None:
    """Sorted anew, a picture goes to its new class; with sync it leaves the old one."""
    out = tmp_path / "out"
    with FolderPlacer(str(out)) as placer:
        placer.place(sources[0], folder="Accepted")
    with FolderPlacer(str(out), sync=True) as placer:
        placer.place(sources[0], folder="Pending")
    assert names(out) == ["Pending", "Pending/a.png"]


def test_a_damaged_record_says_nothing_and_leads_nowhere(sources: list[Source], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(out, sources[:1])
    lines = (out / RECORD).read_bytes()
    for to in ("../in/b.png", sources[1].path):
        lines += b'{"to": "%s", "source": "%s", "picture": "%s", "way": "copy", "size": 1, "mtime_ns": %d}\n' % (
            to.encode(), *[sources[1].path.encode()] * 2, os.stat(sources[1].path).st_mtime_ns,
        )  # fmt: skip
    (out / RECORD).write_bytes(b"\0\xff\n[]\n{}\nnull\n" + lines + b'{"to": "half')
    run(out, sources[:1], sources[1:], sync=True)
    assert os.path.exists(sources[1].path)
    record = PlacedRecord(str(out))
    assert len(record) == 1 and len(list(record.from_source(sources[0].path))) == 1
    run(out, sources)
    assert len(PlacedRecord(str(out))) == 3
    os.unlink(out / RECORD)
    (out / RECORD).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlacingError, match="is a link"):
        run(out, sources)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("sync", [False, True])
def test_nothing_beyond_a_link_out_of_the_folder_is_taken_away(
    sync: bool, sources: list[Source], tmp_path: Path
) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    run(out, sources)
    os.rename(out / "sub", elsewhere)  # as it was placed, and now somebody's own folder
    os.symlink(elsewhere, out / "sub")
    assert not PlacedRecord(str(out)).lies(
        Entry("sub/c.png", "", "p", "written", 1, (elsewhere / "c.png").stat().st_mtime_ns)
    )
    run(out, sources[:2], sources[2:], sync=sync)
    assert (elsewhere / "c.png").read_bytes() == b"c"

"""Moving with a journal: never over anything, nothing lost wherever it is interrupted, and all of it undone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import ImageError
from cliqa.outputs import moving
from cliqa.outputs.journal import read_journal
from cliqa.outputs.moving import Mover, undo

NAMES = ["a.jpg", "b c.jpg", "caf\udce9.jpg", "new\nline.jpg"]


@pytest.fixture(params=["second name", "no hard links", "other file system"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The three ways in which a file gets to its place, by what the file systems can do."""
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", mock.Mock(side_effect=OSError(errno.EPERM, "Operation not permitted")))
    if request.param == "other file system":
        there = moving.name_finished

        def far(source: str, target: str) -> None:
            if os.path.basename(source).startswith(".cliqa-part-"):
                return there(source, target)
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr(moving, "name_finished", far)
    return str(request.param)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Files to move, an empty folder, and where a journal may go."""
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(NAMES):
        (tmp_path / "in" / name).write_bytes(b"content %d" % number)
        os.utime(tmp_path / "in" / name, ns=(10**18, 10**18 + number))
    return tmp_path / "in", tmp_path / "out", tmp_path / "j.jsonl"


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_files_are_moved_and_put_back(way: str, folders: tuple[Path, Path, Path]) -> None:
    source, target, journal = folders
    before = tree(source)
    with Mover(str(journal)) as mover:
        for name in NAMES:
            mover.move(str(source / name), str(target / name))
        assert mover.moved == len(NAMES)
    assert tree(target) == before and tree(source) == {}
    assert len(read_journal(str(journal))) == len(NAMES)
    os.rmdir(source)
    done = undo(str(journal))
    assert (done.restored, done.left) == (len(NAMES), [])
    assert tree(source) == before and tree(target) == {}
    assert undo(str(journal)) == moving.Undone()


def test_nothing_is_moved_over_anything(way: str, folders: tuple[Path, Path, Path]) -> None:
    source, target, journal = folders
    (target / "a.jpg").write_bytes(b"precious")
    (target / "b c.jpg").write_bytes((source / "b c.jpg").read_bytes())  # alike, but somebody's own
    with Mover(str(journal)) as mover:
        for name in ("a.jpg", "b c.jpg"):
            with pytest.raises(FileExistsError):
                mover.move(str(source / name), str(target / name))
        with mock.patch("os.path.lexists", return_value=False), pytest.raises(FileExistsError):
            mover.move(str(source / "a.jpg"), str(target / "a.jpg"))  # taken at the last moment
    assert (target / "a.jpg").read_bytes() == b"precious" and len(tree(source)) == len(NAMES)
    (source / "a.jpg").rename(source / "kept.jpg")
    if journal.exists():
        assert undo(str(journal)).restored == 0
    assert (target / "a.jpg").read_bytes() == b"precious"


def test_links_folders_and_what_has_gone_are_not_moved(folders: tuple[Path, Path, Path]) -> None:
    source, target, journal = folders
    (source / "link.jpg").symlink_to(source / "a.jpg")
    with Mover(str(journal)) as mover:
        for name, words in (("link.jpg", "is a link"), (".", "regular"), ("gone.jpg", "No such file")):
            with pytest.raises(ImageError, match=words):
                mover.move(str(source / name), str(target / "x.jpg"))
        with pytest.raises(ImageError, match="there already"):
            mover.move(str(source / "a.jpg"), str(source / ".." / "in" / "a.jpg"))
    assert not journal.exists() and tree(target) == {}


def test_undo_leaves_what_was_changed_since(way: str, folders: tuple[Path, Path, Path]) -> None:
    source, target, journal = folders
    with Mover(str(journal)) as mover:
        for name in NAMES:
            mover.move(str(source / name), str(target / name))
    (target / "a.jpg").write_bytes(b"edited")
    (source / "b c.jpg").write_bytes(b"another one")
    (target / NAMES[3]).unlink()
    done = undo(str(journal))
    assert done.restored == 1 and [Path(path).name for path, _ in done.left] == [NAMES[3], "b c.jpg", "a.jpg"]
    assert (target / "a.jpg").read_bytes() == b"edited" and (source / "b c.jpg").read_bytes() == b"another one"
    assert (target / "b c.jpg").read_bytes() == b"content 1"


@pytest.mark.parametrize("undone", [False, True])
def test_a_move_that_was_cut_off_is_finished_or_undone(
    way: str, undone: bool, folders: tuple[Path, Path, Path]
) -> None:
    """Killed before the old name went: both are there, and nothing but the second one is ever removed."""
    source, target, journal = folders
    if way == "no hard links":
        pytest.skip("a rename leaves no second name")
    before = tree(source)
    cut = mock.patch.object(moving, "_remove", side_effect=KeyboardInterrupt)
    with Mover(str(journal)) as mover, cut, pytest.raises(KeyboardInterrupt):
        mover.move(str(source / "a.jpg"), str(target / "a.jpg"))
    assert tree(source) == before and "a.jpg" in tree(target)
    with open(journal, "ab") as stream:
        stream.write(b'{"from": "/x')  # and in the middle of a line
    if undone:
        assert undo(str(journal)).restored == 1
        assert tree(source) == before and tree(target) == {}
        return
    with Mover(str(journal)) as mover:
        mover.move(str(source / "a.jpg"), str(target / "a.jpg"), finish=True)
    assert "a.jpg" not in tree(source) and tree(target)["a.jpg"] == before["a.jpg"]
    assert undo(str(journal)).restored == 1 and tree(source) == before


def test_two_paths_of_one_name_are_no_two_files(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    source, _, journal = folders
    (tmp_path / "same").symlink_to(source)
    with Mover(str(journal)) as mover, pytest.raises(ImageError, match="there already"):
        mover.move(str(source / "a.jpg"), str(tmp_path / "same" / "a.jpg"), finish=True)
    assert (source / "a.jpg").exists()


def test_a_source_that_cannot_be_removed_stays_alone(way: str, folders: tuple[Path, Path, Path]) -> None:
    source, target, journal = folders
    real = os.unlink
    refusing: Callable[..., None] = lambda path, **_: (  # noqa: E731
        real(path)
        if str(source) not in str(path)
        else (_ for _ in ()).throw(PermissionError(errno.EACCES, "Permission denied"))
    )
    with Mover(str(journal)) as mover, mock.patch("os.unlink", refusing):
        if way == "no hard links":
            mover.move(str(source / "a.jpg"), str(target / "a.jpg"))
            return
        with pytest.raises(ImageError, match="can't be taken from its folder: Permission denied"):
            mover.move(str(source / "a.jpg"), str(target / "a.jpg"))
    assert (source / "a.jpg").exists() and tree(target) == {} and read_journal(str(journal)) == []

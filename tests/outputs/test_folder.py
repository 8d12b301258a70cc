# ruff: noqa: SIM117 - what is patched and what is expected are two things
"""Files are precious: what placing does, and what it must never do."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from cliqa.errors import ImageError, PlacingError
from cliqa.files import atomic
from cliqa.files.atomic import part_name
from cliqa.outputs import folder as placing
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.placed import RECORD
from cliqa.records import Source
from tests.hostile_names import make_hostile


def ready(output: Path, symlink: bool = False, resume: bool = False, **options: Any) -> FolderPlacer:
    placer = FolderPlacer(str(output), "symlink" if symlink else "copy", resume, **options)
    return placer.__enter__()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content, hidden ones too; not the record of what was placed."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != RECORD]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(params=["unnamed", "hidden", "no hard links"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The three ways in which a copy gets its name, by what the file system can do."""
    if request.param != "unnamed":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", mock.Mock(side_effect=OSError(errno.EPERM, "Operation not permitted")))
    return str(request.param)


def test_a_copy_keeps_content_times_and_permissions(photo: Source, tmp_path: Path, way: str) -> None:
    placed = Path(ready(tmp_path / "out").place(photo, "093_"))
    assert placed == tmp_path / "out" / "093_photo.jpg"
    assert tree(tmp_path / "out") == {"093_photo.jpg": b"a photo"}
    status = placed.stat()
    assert status.st_mtime_ns == 10**18 + 5
    if os.name != "nt":
        assert stat.S_IMODE(status.st_mode) == 0o640
    assert Path(photo.path).read_bytes() == b"a photo"


def test_a_read_only_source_gives_a_copy_that_can_be_removed(photo: Source, tmp_path: Path) -> None:
    os.chmod(photo.path, 0o444)
    assert os.stat(ready(tmp_path / "out").place(photo)).st_mode & stat.S_IWUSR


def test_names_that_are_taken_get_a_suffix_and_nothing_is_overwritten(photo: Source, tmp_path: Path, way: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "photo.jpg").write_bytes(b"precious")
    (out / "photo_1.jpg").symlink_to(tmp_path / "nowhere")
    (out / "photo_2.jpg").mkdir()
    placer = ready(out)
    assert placer.place(photo) == str(out / "photo_3.jpg")
    assert placer.place(photo) == str(out / "photo_3.jpg"), "the same file lies there once"
    assert (out / "photo.jpg").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_name_taken_at_the_last_moment(photo: Source, tmp_path: Path, way: str) -> None:
    """Another process takes the name between the look and the copy."""
    out = tmp_path / "out"
    placer = ready(out)
    (out / "photo.jpg").write_bytes(b"precious")
    names = mock.patch.object(placing, "candidates", lambda _: iter(["photo.jpg", "x.jpg"]))
    with names, mock.patch("os.path.lexists", return_value=False):
        assert placer.place(photo) == str(out / "x.jpg")
    assert tree(out) == {"photo.jpg": b"precious", "x.jpg": b"a photo"}


def test_links_point_to_the_real_file(photo: Source, tmp_path: Path) -> None:
    first = ready(tmp_path / "one", symlink=True).place(photo)
    second = ready(tmp_path / "two", symlink=True).place(Source(first))
    assert os.readlink(second) == os.path.realpath(photo.path)
    copied = ready(tmp_path / "three").place(Source(second))
    assert not os.path.islink(copied) and Path(copied).read_bytes() == b"a photo"


def test_relative_outputs_and_inputs(photo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert ready(Path("out")).place(Source("in/photo.jpg", "in")) == os.path.join("out", "in", "photo.jpg")
    linked = ready(Path("links"), symlink=True).place(Source("in/photo.jpg"))
    assert Path(linked).read_bytes() == b"a photo"


def test_the_tree_is_mirrored_but_never_out_of_the_output(tmp_path: Path, photo: Source) -> None:
    placer = ready(tmp_path / "out")
    assert placer.place(Source(photo.path, os.path.join("a", "b"))) == str(tmp_path / "out" / "a" / "b" / "photo.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    for folder in ("link", os.path.join("link", "deep"), os.path.join("..", "elsewhere")):
        with pytest.raises(PlacingError, match="leads out of the output folder"):
            placer.place(Source(photo.path, folder))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "out" / "taken").write_bytes(b"")
    with pytest.raises(PlacingError, match="can't be made"):
        placer.place(Source(photo.path, "taken"))


def test_an_output_that_is_a_link_to_a_folder_is_used(tmp_path: Path, photo: Source) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    ready(tmp_path / "out").place(photo)
    assert tree(tmp_path / "real") == {"photo.jpg": b"a photo"}


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, photo: Source, way: str) -> None:
    placer = ready(tmp_path / "out")

    def full(reader: object, writer: object) -> None:
        writer.write(b"half")  # type: ignore[attr-defined]
        raise OSError(errno.ENOSPC, "No space left on device")

    with mock.patch.object(atomic, "_copy_content", full), pytest.raises(PlacingError, match="No space left"):
        placer.place(photo)
    assert tree(tmp_path / "out") == {}


def test_an_interrupt_leaves_no_half_file(tmp_path: Path, photo: Source, way: str) -> None:
    placer = ready(tmp_path / "out")
    with mock.patch.object(atomic, "_read", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        placer.place(photo)
    assert tree(tmp_path / "out") == {}


def test_a_failing_rename_frees_the_name(tmp_path: Path, photo: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    placer = ready(tmp_path / "out")
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    monkeypatch.setattr(os, "link", mock.Mock(side_effect=OSError(errno.EPERM, "no")))
    monkeypatch.setattr(os, "replace", mock.Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with pytest.raises(PlacingError, match="Input/output"):
        placer.place(photo)
    assert tree(tmp_path / "out") == {}


def test_sources_that_went_or_fail_are_issues_not_the_end(tmp_path: Path, photo: Source, way: str) -> None:
    placer = ready(tmp_path / "out")
    failing = mock.Mock(read=mock.Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with mock.patch.object(atomic, "_read", lambda _, read=atomic._read: read(failing)):
        with pytest.raises(ImageError, match="Input/output"):
            placer.place(photo)
    os.unlink(photo.path)
    for symlink in (False, True):
        with pytest.raises(ImageError, match="has gone"):
            ready(tmp_path / "out", symlink).place(photo)
    assert tree(tmp_path / "out") == {}


def test_streamed_files_from_the_output_itself_are_issues(tmp_path: Path, photo: Source) -> None:
    placer = ready(tmp_path / "out")
    placer.check(["-"])
    placed = placer.place(photo)
    with pytest.raises(ImageError, match="output folder itself"):
        placer.place(Source(placed))


def test_hostile_and_long_names_are_placed(tmp_path: Path) -> None:
    placer = ready(tmp_path / "out")
    for path in make_hostile(tmp_path / "in"):
        placed = placer.place(Source(path), "093_444_")
        assert os.path.basename(placed) == "093_444_" + os.path.basename(path)
    for name in (
        "é" * 120 + ".jpg",
        "x" * 250 + ".jpeg",
        "noend" + "y" * 250,
        "a." + "s" * 250,
        "\udcff" * 251 + ".jpg",
    ):
        path = tmp_path / "in" / name
        path.write_bytes(b"long")
        for _ in range(2):
            placed = placer.place(Source(str(path)), "093_444_")
            assert len(os.fsencode(os.path.basename(placed))) <= 255
            assert Path(placed).read_bytes() == b"long"
            assert os.path.basename(placed).startswith("093_444_")
    assert not [
        name for name in os.listdir(tmp_path / "out") if name.endswith("\udcc3.jpg")
    ]  # no character cut in half


def test_names_that_the_output_cannot_hold_are_issues(tmp_path: Path, photo: Source) -> None:
    placer = ready(tmp_path / "out", symlink=True)
    with mock.patch("os.symlink", side_effect=OSError(errno.EILSEQ, "Invalid or incomplete multibyte")):
        with pytest.raises(ImageError, match="under its name"):
            placer.place(photo)


def test_resume_takes_what_lies_there_already(tmp_path: Path, photo: Source, make_folder: Callable[..., Path]) -> None:
    twin = make_folder({"photo.jpg": b"a photo"}, "twin")
    other = make_folder({"photo.jpg": b"another"}, "other")
    sources = [photo, Source(str(other / "photo.jpg")), Source(str(twin / "photo.jpg"))]
    for symlink in (False, True):
        out = tmp_path / f"out{symlink}"
        first = [ready(out, symlink).place(source) for source in sources]
        again = ready(out, symlink, resume=True)
        assert [again.place(source) for source in sources] == first
        assert sorted(os.listdir(out)) == [RECORD, "photo.jpg", "photo_1.jpg", "photo_2.jpg"]
        os.unlink(out / RECORD)  # as releases left it before they kept one
        again = ready(out, symlink, resume=True)
        assert [again.place(source) for source in sources] == first
        os.unlink(out / RECORD)
        assert ready(out, symlink).place(photo) == str(out / "photo_3.jpg")


def test_resume_leaves_recorded_names_to_their_files(tmp_path: Path, photo: Source) -> None:
    out = tmp_path / "out"
    first = ready(out).place(photo)
    os.unlink(out / RECORD)  # as releases left it before they kept one
    again = ready(out, resume=True)
    second = again.place(photo, taken={first})
    assert second != first  # the same content, but recorded for another file
    assert again.place(photo, placed=first, taken={first}) == first
    for moved in (photo.path, str(out / "gone.jpg")):  # lies elsewhere, or not any more
        os.unlink(out / RECORD)
        again = ready(out, resume=True)
        assert again.place(photo, placed=moved, taken={first, second}) == str(out / "photo_2.jpg")
        os.unlink(out / "photo_2.jpg")


def test_resume_removes_what_killed_runs_left(tmp_path: Path, photo: Source) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    ours = part_name().split("-", 3)[3]  # host and a random number
    dead, alive = f".cliqa-part-{2**22 + 1}-{ours}", f".cliqa-part-{os.getppid()}-{ours}"
    elsewhere = f".cliqa-part-{2**22 + 1}-00000000-ab"  # a process of another machine can't be asked
    for name in (dead, f"sub/{dead}", alive, elsewhere, ".cliqa-part-x", "mine.jpg"):
        (out / name).write_bytes(b"")
    ready(out)
    assert len(tree(out)) == 6
    ready(out, resume=True)
    assert set(tree(out)) == {alive, elsewhere, ".cliqa-part-x", "mine.jpg"}

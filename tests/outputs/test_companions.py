"""What goes along with a picture, told by names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cliqa.outputs.companions import Companions, judged_by_suffix
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.moving import Mover, undo
from cliqa.records import Source

ALONG = ["IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_1.jpg.xmp", "img_1.XMP", "IMG_1.jpg.out.pp3", "IMG_1.wav"]
OTHERS = ["IMG_1.png", "IMG_10.CR2", "IMG_1_2.xmp", "IMG_1.edit.jpg", "IMG_2.xmp", ".IMG_1.xmp", "IMG_1.edit.xmp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ["IMG_1.jpg", *ALONG, *OTHERS]:
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (tmp_path / "in" / "IMG_1.d").mkdir()
    return tmp_path / "in"


def companions() -> Companions:
    return Companions(judged_by_suffix([".jpg", ".png"]))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".cliqa-"))


def test_what_belongs_to_a_picture_and_what_does_not(folder: Path) -> None:
    found = [os.path.basename(path) for path in companions().of(str(folder / "IMG_1.jpg"))]
    assert sorted(found) == sorted(name for name in ALONG if name != "IMG_1.jpg.out.pp3")
    assert companions().of(str(folder / "missing" / "IMG_1.jpg")) == []


@pytest.mark.parametrize("way", ["copy", "symlink", "hardlink", "move"])
def test_they_go_along_under_the_name_of_their_picture(way: str, folder: Path, tmp_path: Path) -> None:
    """One name is taken by somebody's own file: all of the picture's get the next number."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "IMG_1.CR2").write_text("mine")
    before = names(folder)
    for repeat in range(2):
        mover = Mover(str(tmp_path / "j.jsonl"))
        with FolderPlacer(str(out), way, companions=companions(), mover=mover) as placer:
            placed = placer.place(Source(str(folder / "IMG_1.jpg")), "090_")
            assert placed == str(out / "090_IMG_1.jpg") and placer.already == repeat
    with FolderPlacer(str(out), "copy", companions=companions()) as placer:
        if way != "move":
            assert placer.place(Source(str(folder / "IMG_1.jpg"))) == str(out / "IMG_1_1.jpg")
    kept = [name for name in ALONG if name != "IMG_1.jpg.out.pp3"]
    marked = [f"090_{'IMG_1' + name[5:]}" for name in ["IMG_1.jpg", *kept]]
    numbered = [f"IMG_1_1{name[5:]}" for name in ["IMG_1.jpg", *kept]] if way != "move" else []
    assert names(out) == sorted(["IMG_1.CR2", *marked, *numbered])
    assert (out / "IMG_1.CR2").read_text() == "mine" and (out / "090_IMG_1.CR2").read_text() == "IMG_1.CR2"
    if way == "move":
        assert names(folder) == sorted([*OTHERS, "IMG_1.d", "IMG_1.jpg.out.pp3"])
        assert undo(str(tmp_path / "j.jsonl")).restored == 1 + len(kept)
    assert names(folder) == before


def test_a_picture_of_the_run_is_not_taken_twice(folder: Path, tmp_path: Path) -> None:
    """A raw file that was scored itself lies there once, whether it comes as a companion or on its own."""
    out = tmp_path / "out"
    with FolderPlacer(str(out), companions=companions()) as placer:
        first = placer.place(Source(str(folder / "IMG_1.jpg")))
        again = placer.place(Source(str(folder / "IMG_1.CR2")))
    assert (first, again) == (str(out / "IMG_1.jpg"), str(out / "IMG_1.CR2"))
    assert "IMG_1_1.CR2" not in names(out)

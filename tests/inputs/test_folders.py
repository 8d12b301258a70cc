"""Which files a run looks at, and what becomes of what is no file."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import RunError, UsageError
from cliqa.inputs.folders import parse_suffixes
from cliqa.inputs.listing import Listing
from cliqa.records import Issue, Source
from cliqa.text import display

HOSTILE_NAMES = [
    b"plain.jpg",
    b"with space.jpg",
    b"-leading-dash.jpg",
    b"quo'te\".jpg",
    b"comma,semi;.jpg",
    b"new\nline.jpg",
    b"return\rtab\t.jpg",
    b"\x1b[31mred\x1b[0m.jpg",
    "emoji😀é.jpg".encode(),
    b"not-utf8-\xff\xfe.jpg",
    b"$(touch x)`y`.jpg",
    b"%s%n.jpg",
    b"=cmd|' /C calc'!A0.jpg",
    b"<script>alert(1)<.jpg",
]


def found(listing: Listing) -> list[str]:
    return [item.path for item in listing if isinstance(item, Source)]


def make_hostile(folder: Path, content: bytes = b"x") -> list[str]:
    """Files of every hostile name that this file system takes."""
    folder.mkdir(exist_ok=True)
    made = []
    for name in HOSTILE_NAMES:
        path = os.path.join(os.fsencode(folder), name)
        try:
            with open(path, "wb") as stream:
                stream.write(content)
        except OSError:
            continue
        made.append(os.fsdecode(path))
    return made


def test_a_folder_lists_its_own_images_in_order(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"b.png": 1, "a.JPG": b"", "notes.txt": b"", "sub/c.png": 1, "Z.webp": b""})
    listing = Listing(str(root))
    assert [Path(path).name for path in found(listing)] == ["Z.webp", "a.JPG", "b.png"]
    assert listing.left_out == 1
    assert listing.count() == 3 and listing.left_out == 1


def test_recursion_mirrors_the_tree_folder_by_folder(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"b.png": 1, "z/a.png": 1, "a/x.png": 1, "a/deep/y.png": 1})
    sources = [item for item in Listing(str(root), recursive=True) if isinstance(item, Source)]
    assert [(os.path.relpath(source.path, root), source.folder) for source in sources] == [
        ("b.png", ""),
        (os.path.join("a", "x.png"), "a"),
        (os.path.join("a", "deep", "y.png"), os.path.join("a", "deep")),
        (os.path.join("z", "a.png"), "z"),
    ]


def test_a_folder_named_like_an_image_is_a_folder(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"x.jpg/inner.png": 1})
    assert found(Listing(str(root))) == []
    assert found(Listing(str(root), recursive=True)) == [str(root / "x.jpg" / "inner.png")]


def test_one_file_is_taken_whatever_its_suffix(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"odd.data": 1})
    listing = Listing(str(root / "odd.data"))
    listing.check()
    assert found(listing) == [str(root / "odd.data")]


def test_suffixes() -> None:
    assert parse_suffixes([".JPG", "png,webp"]) == (".jpg", ".png", ".webp")
    assert parse_suffixes(["*"]) == ("*",)
    with pytest.raises(UsageError):
        parse_suffixes([","])


def test_chosen_suffixes_and_all(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"a.png": 1, "b.xyz": 1, "c": 1})
    assert len(found(Listing(str(root), suffixes=(".xyz",)))) == 1
    assert len(found(Listing(str(root), suffixes=("*",)))) == 3


def test_link_loops_are_issues_and_links_are_followed(tmp_path: Path, make_folder: Callable[..., Path]) -> None:
    root = make_folder({"a.png": 1, "sub/b.png": 1})
    other = make_folder({"far.png": 1}, "other")
    (root / "sub" / "up").symlink_to(root)
    (root / "linked").symlink_to(other)
    (root / "self.jpg").symlink_to("self.jpg")
    (root / "dangling.jpg").symlink_to(tmp_path / "nothing")
    items = list(Listing(str(root), recursive=True))
    names = [os.path.relpath(item.path, root) for item in items if isinstance(item, Source)]
    assert names == [
        "a.png",
        "dangling.jpg",
        "self.jpg",
        os.path.join("linked", "far.png"),
        os.path.join("sub", "b.png"),
    ]
    assert [(os.path.relpath(item.path, root), item.message) for item in items if isinstance(item, Issue)] == [
        (os.path.join("sub", "up"), "a link loop: this folder is one of its own parents")
    ]


@pytest.mark.skipif(os.name == "nt", reason="paths are shorter there")
def test_a_very_deep_tree_is_no_problem(tmp_path: Path) -> None:
    depth = 1200
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    try:
        assert list(Listing(str(tmp_path), recursive=True)) == []
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # too deep for shutil


def test_unreadable_folders_are_issues_and_the_run_goes_on(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"a.png": 1, "closed/b.png": 1, "open/c.png": 1})
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with mock.patch("os.scandir", scandir):
        items = list(Listing(str(root), recursive=True))
    assert [item.message for item in items if isinstance(item, Issue)] == [
        "the folder can't be read: Permission denied"
    ]
    assert len(items) == 3


def test_inputs_that_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to("loop")
    for name, reason in (("missing", "there is no input"), ("dangling", "link to nothing"), ("loop", "can't be read")):
        with pytest.raises(RunError, match=reason):
            Listing(str(tmp_path / name)).check()
    with (
        mock.patch("os.scandir", side_effect=PermissionError(13, "Permission denied")),
        pytest.raises(RunError, match="Permission denied"),
    ):
        Listing(str(tmp_path)).check()
    with pytest.raises(UsageError, match="standard input"):
        Listing("-").check()


@pytest.mark.parametrize("null", [False, True])
def test_paths_on_a_stream(null: bool) -> None:
    end = b"\0" if null else b"\n"
    stream = io.BytesIO(end.join([b"a.jpg", b"", b"dir/b \xff.jpg", b"-c.jpg", b"last.jpg"]))
    assert found(Listing("-", null=null, stream=stream)) == ["a.jpg", "dir/b \udcff.jpg", "-c.jpg", "last.jpg"]


def test_hostile_names_survive_folder_and_stream(tmp_path: Path) -> None:
    made = make_hostile(tmp_path / "in")
    assert sorted(found(Listing(str(tmp_path / "in")))) == sorted(made)
    stream = io.BytesIO(b"".join(os.fsencode(path) + b"\0" for path in made))
    assert found(Listing("-", null=True, stream=stream)) == made


def test_paths_arrive_before_the_stream_ends() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as stream:
        items = iter(Listing("-", stream=stream))
        os.write(writing, b"first.jpg\nsec")
        assert next(items).path == "first.jpg"
        os.write(writing, b"ond.jpg\n")
        assert next(items).path == "second.jpg"
        os.close(writing)
        assert next(items, None) is None


def test_streams_of_something_else(tmp_path: Path) -> None:
    (item,) = Listing("-", stream=io.BytesIO(b"a.jpg\0b.jpg\0c.jpg"))
    assert isinstance(item, Issue) and "-0" in item.message and "\0" not in item.path
    (item,) = Listing("-", null=True, stream=io.BytesIO(b"x" * 40_000))
    assert isinstance(item, Issue) and "40000 bytes" in item.message and len(item.path) < 300
    with pytest.raises(UsageError, match="without a separator"):
        list(Listing("-", stream=io.BytesIO(bytes(18 << 20))))
    listing = Listing("-", stream=io.BytesIO(os.fsencode(tmp_path) + b"\n"))
    assert found(listing) == [] and listing.left_out == 1


def test_folders_of_streamed_paths_are_mirrored_below_the_current_one_only() -> None:
    paths = {
        "a/b/c.jpg": os.path.join("a", "b"),
        "./a/c.jpg": "a",
        "c.jpg": "",
        "/abs/c.jpg": "",
        "../up/c.jpg": "",
        "a/../../c.jpg": "",
    }
    stream = io.BytesIO("\n".join(paths).encode())
    folders = {
        item.path: item.source.folder if isinstance(item, Issue) else item.folder
        for item in Listing("-", recursive=True, stream=stream)
    }
    assert folders == paths


def test_counting_gives_up_in_time(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{number}.png": b"" for number in range(5)})
    assert Listing(str(root)).count(seconds=-1.0) is None
    assert Listing("-", stream=io.BytesIO(b"a\n")).count() is None


def test_display_is_printable_everywhere() -> None:
    assert display("a b😀é.jpg") == "a b😀é.jpg"
    assert display("\x1b[2Jx\n\udcff\ud800") == "\\x1b[2Jx\\n\\xff\\ud800"
    assert display("evil\u202egpj.exe") == "evil\\u202egpj.exe"
    display("".join(chr(code) for code in range(0x3000))).encode("utf-8")


def test_a_file_is_given_once_however_it_is_reached(
    make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder({"a.png": 1, "b.png": 1, "sub/c.png": 1}, "pics")
    monkeypatch.chdir(root.parent)
    os.symlink("pics", "linked")
    os.symlink(root / "sub" / "c.png", root / "link.png")
    os.symlink("nowhere.png", root / "lost.png")
    inputs = ["./pics", str(root), "pics", "linked", "pics/a.png", "linked/../pics/sub/c.png"]
    listing = Listing(*inputs, recursive=True)
    listing.check()
    expected = ["./pics/a.png", "./pics/b.png", "./pics/link.png", "./pics/lost.png"]
    assert found(listing) == expected and listing.count() == 4
    assert listing.summary() == ["6 reached again by another path and taken once"]
    assert found(Listing("pics/b.png", "./pics/b.png", "linked")) == ["pics/b.png"] + [
        f"linked/{name}" for name in ("a.png", "link.png", "lost.png")
    ]
    stream = io.BytesIO(b"pics/a.png\nlinked/a.png\n./pics/a.png\npics/gone.png\n")
    assert found(Listing("-", "pics", stream=stream))[:3] == ["pics/a.png", "pics/gone.png", "pics/b.png"]


def test_hard_links_and_links_out_of_the_folder_are_files_of_their_own(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"a.png": 1})
    other = make_folder({"far.png": 1}, "other")
    os.link(root / "a.png", root / "b.png")
    os.symlink(other / "far.png", root / "z.png")
    assert [os.path.basename(path) for path in found(Listing(str(root)))] == ["a.png", "b.png", "z.png"]

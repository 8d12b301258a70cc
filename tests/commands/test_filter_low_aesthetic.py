"""The command `filter_low_aesthetic`: which classes are kept, sorting, confidence, prefix and sidecars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cliqa import filter_low_aesthetic
from cliqa.outputs.placed import RECORD
from tests.image_bytes import PACKET

# Sure and unsure pictures of each class, see `toy_labels`.
FILES = {"bad.png": 11, "bad_unsure.png": 10, "so_so.png": 101, "good.png": 201, "sub/good_unsure.png": 200}


@pytest.fixture
def run(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, bytes]]:
    """Run the command on the pictures; the files placed, by their path in the output."""
    toy = replace(filter_low_aesthetic.COMMAND, metric="tests.toy_labels:Brightness")
    monkeypatch.setattr(filter_low_aesthetic, "COMMAND", toy)
    root, out = make_folder(FILES), tmp_path / "out"

    def call(*options: str, status: int = 0, output: bool = True) -> dict[str, bytes]:
        where = ["-i", str(root), *(["-o", str(out)] if output else []), "--recursive"]
        assert filter_low_aesthetic.main([*where, "--workers", "0", "--gpu", "-1", "--quiet", *options]) == status
        base = out if output else root
        files = [path for path in base.rglob("*") if path.is_file() and path.name != RECORD]
        return {str(path.relative_to(base)): path.read_bytes() for path in files}

    return call


def test_all_but_rejected_are_kept(run: Callable[..., dict[str, bytes]]) -> None:
    assert set(run()) == {"so_so.png", "good.png", "sub/good_unsure.png"}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--keep", "accepted"], {"good.png", "sub/good_unsure.png"}),
        (["--keep", "rejected", "pending"], {"bad.png", "bad_unsure.png", "so_so.png"}),
        (["--invert"], {"bad.png", "bad_unsure.png"}),
        (["--keep", "accepted", "--invert"], {"bad.png", "bad_unsure.png", "so_so.png"}),
    ],
)
def test_keep_names_the_classes_and_invert_takes_the_others(
    run: Callable[..., dict[str, bytes]], options: list[str], kept: set[str]
) -> None:
    assert set(run(*options)) == kept


def test_labels_below_the_confidence_become_pending(run: Callable[..., dict[str, bytes]]) -> None:
    assert set(run("--keep", "pending", "--min-confidence", "0.5")) == {
        "bad_unsure.png", "so_so.png", "sub/good_unsure.png",
    }  # fmt: skip


def test_sorting_places_every_picture_by_its_class(run: Callable[..., dict[str, bytes]]) -> None:
    assert set(run("--sort")) == {
        "Rejected/bad.png", "Rejected/bad_unsure.png", "Pending/so_so.png", "Accepted/good.png", "Accepted/good_unsure.png",
    }  # fmt: skip


def test_sorting_follows_the_confidence(run: Callable[..., dict[str, bytes]]) -> None:
    assert set(run("--sort", "--min-confidence", "0.5")) == {
        "Rejected/bad.png", "Pending/bad_unsure.png", "Pending/so_so.png", "Accepted/good.png", "Pending/good_unsure.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "placed"),
    [
        (["--keep", "accepted"], {"Accepted/good.png", "Accepted/good_unsure.png"}),
        (["--keep", "accepted", "pending", "--invert"], {"Rejected/bad.png", "Rejected/bad_unsure.png"}),
        (["--invert"], {"Rejected/bad.png", "Rejected/bad_unsure.png"}),
    ],
)
def test_sorting_can_be_restricted_to_classes_and_inverted(
    run: Callable[..., dict[str, bytes]], options: list[str], placed: set[str]
) -> None:
    assert set(run("--sort", *options)) == placed


def test_prefix_is_the_expected_class_and_the_label(run: Callable[..., dict[str, bytes]]) -> None:
    assert set(run("--keep", "rejected", "--score-prefix")) == {
        "0.30_rejected_bad.png", "0.90_rejected_bad_unsure.png",
    }  # fmt: skip


def test_sidecars_lie_beside_the_placed_files_with_the_label_that_decided(
    run: Callable[..., dict[str, bytes]],
) -> None:
    pytest.importorskip("lxml")
    placed = run("--sort", "--min-confidence", "0.5", "--xmp")
    labels = {name: content for name, content in placed.items() if name.endswith(".xmp")}
    assert len(labels) == len(FILES)
    assert b'PickLabel="1"' in labels["Rejected/bad.png.xmp"]
    assert b'Rating="-1"' in labels["Rejected/bad.png.xmp"]
    assert b'PickLabel="2"' in labels["Pending/bad_unsure.png.xmp"]
    assert b'PickLabel="3"' in labels["Accepted/good.png.xmp"]


def test_sidecars_lie_beside_the_images_where_nothing_is_placed(
    run: Callable[..., dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lxml")
    found = run("--xmp", "--print", output=False)
    assert sum(name.endswith(".xmp") for name in found) == len(FILES)
    assert b'PickLabel="1"' in found["bad.png.xmp"]
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_dry_run_writes_no_sidecars(run: Callable[..., dict[str, bytes]]) -> None:
    assert set(run("--xmp", "--dry-run", output=False)) == set(FILES)


@pytest.mark.parametrize("options", [["--keep", "superb"], ["--min-confidence", "1.5"]])
def test_unknown_classes_and_confidences_are_refused(run: Callable[..., dict[str, bytes]], options: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*options)


def test_a_persons_marks_are_kept_and_counted(
    run: Callable[..., dict[str, bytes]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five stars beside a picture that the filter rejects, and a pick by the other naming beside one that it accepts."""
    pytest.importorskip("lxml")
    (tmp_path / "in/bad.png.xmp").write_text(PACKET % 'xmp:Rating="5"/>')
    (tmp_path / "in/good.xmp").write_text(PACKET % 'digiKam:PickLabel="1"/>')
    pick = (tmp_path / "in/good.xmp").read_bytes()
    for _ in range(2):
        found = run("--xmp", "--print", output=False)
        assert b'Rating="5"' in found["bad.png.xmp"] and b'PickLabel="1"' in found["bad.png.xmp"]
        assert found["good.xmp"] == pick and "good.png.xmp" not in found
    monkeypatch.setattr("cliqa.cli.console.Console.say", lambda _, message: print(message))
    run("--xmp", "--print", output=False)
    assert "2 rated or labelled by a person, whose marks were kept" in capsys.readouterr().out


@pytest.mark.parametrize("way", [[], ["--symlink"], ["--hardlink"]])
def test_sidecars_beside_copies_go_when_a_later_run_drops_their_picture(
    way: list[str], run: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    pytest.importorskip("lxml")
    first = run("--xmp", *way)
    assert {name for name in first if name.endswith(".xmp")} == {
        "so_so.png.xmp", "good.png.xmp", "sub/good_unsure.png.xmp",
    }  # fmt: skip
    times = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in first}
    assert run("--xmp", *way) == first  # and nothing was written again
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in first} == times
    (tmp_path / "out/sub/good_unsure.png.xmp").write_text(PACKET % 'xmp:Rating="3"/>')  # a person's now
    assert set(run("--xmp", *way, "--keep", "pending", "--sync")) == {
        "so_so.png", "so_so.png.xmp", "sub/good_unsure.png.xmp",
    }  # fmt: skip


@pytest.mark.parametrize("way", [[], ["--symlink"], ["--hardlink"]])
def test_labels_go_into_the_sidecars_that_came_along_and_never_into_the_owners(
    way: list[str], run: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    pytest.importorskip("lxml")
    own = {
        tmp_path / "in/good.png.xmp": (PACKET % 'xmp:Rating="4"/>').encode(),
        tmp_path / "in/so_so.xmp": (PACKET % 'xmp:Label="Red"/>').encode(),
    }
    for path, content in own.items():
        path.write_bytes(content)
    words = ["--xmp", "--with-companions", *way]
    first = run(*words)
    assert b'Rating="4"' in first["good.png.xmp"] and b"PickLabel" in first["good.png.xmp"]
    assert b'Label="Red"' in first["so_so.xmp"] and b"PickLabel" in first["so_so.xmp"]
    assert not (tmp_path / "out/good.png.xmp").is_symlink()
    assert run(*words, "--strict") == first
    assert run(*words, "--strict", "--min-confidence", "0.99")["good.png.xmp"] != first["good.png.xmp"]
    assert run(*words, "--strict", "--keep", "rejected", "--sync").keys() == {
        "bad.png", "bad.png.xmp", "bad_unsure.png", "bad_unsure.png.xmp",
    }  # fmt: skip
    assert {path: path.read_bytes() for path in own} == own

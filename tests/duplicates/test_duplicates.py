"""Groups of copies, which one is best and why, and the command over a folder and a store."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pdqhash")
from cliqa import apply, metrics, score
from cliqa.duplicates import __main__ as duplicates
from cliqa.duplicates.grouping import MANY, _comparers, find_groups
from cliqa.duplicates.pictures import decoded, read_pictures
from cliqa.errors import RunError
from cliqa.results.store import Store
from tests.signal.copies.scenes import fine_scene, scene

EXIF_TIME, EXIF_FRACTION, EXIF_EXPOSURE, EXIF_APERTURE, EXIF_ISO = 0x9003, 0x9291, 0x829A, 0x829D, 0x8827


def shot(seed: int, path: Path, time: str = "", exposure: float = 0.01, quality: int = 95) -> None:
    """A picture as a camera saves it, taken at `time`."""
    exif = Image.Exif()
    exif[0x0110] = "Camera 1"
    detail = exif.get_ifd(0x8769)
    if time:
        detail[EXIF_TIME] = time
    detail[EXIF_EXPOSURE], detail[EXIF_APERTURE], detail[EXIF_ISO] = exposure, 4.0, 100
    scene(seed).convert("RGB").save(path, quality=quality, exif=exif)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with copies of one, in a folder."""
    root = tmp_path / "in"
    root.mkdir()
    image = scene(1).convert("RGB")
    image.save(root / "a.png")
    (root / "a copy.png").write_bytes((root / "a.png").read_bytes())
    image.save(root / "a.bmp")
    image.save(root / "small.jpg", quality=40)
    image.resize((128, 128), Image.Resampling.LANCZOS).save(root / "half.png")
    image.crop((10, 7, 248, 250)).save(root / "crop.png")
    scene(9).convert("RGB").save(root / "other.png")
    return root


def groups_of(folder: Path, tmp_path: Path, *options: str) -> list[dict[str, str]]:
    table = tmp_path / "groups.csv"
    assert (
        duplicates.main([str(folder), "-g", "-1", "--workers", "0", "--quiet", "--results", str(table), *options]) == 0
    )
    with open(table, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_copies_are_one_group_and_the_original_is_best(folder: Path, tmp_path: Path) -> None:
    rows = groups_of(folder, tmp_path)
    assert {Path(row["path"]).name for row in rows} == {
        "a.png",
        "a copy.png",
        "a.bmp",
        "small.jpg",
        "half.png",
        "crop.png",
    }
    assert {row["kind"] for row in rows} == {"near"}
    best = [Path(row["path"]).name for row in rows if row["best"] == "1"]
    assert len(best) == 1 and best[0] in ("a.png", "a.bmp")
    why = {Path(row["path"]).name: row["why"] for row in rows}
    assert "fewer pixels (128x128)" in why["half.png"]
    assert "cropped" in why["crop.png"]


@pytest.mark.parametrize(
    ("kind", "names"), [("exact", {"a.png", "a copy.png"}), ("pixels", {"a.png", "a copy.png", "a.bmp"})]
)
def test_groups_of_a_stricter_kind_are_found_within_looser_ones(
    folder: Path, tmp_path: Path, kind: str, names: set[str]
) -> None:
    rows = groups_of(folder, tmp_path, "--kinds", kind)
    assert {Path(row["path"]).name for row in rows} == names and {row["kind"] for row in rows} == {kind}


def test_a_bare_wall_is_known_by_its_unevenness(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    for seed in (3, 4):
        uneven = 160 + (np.asarray(scene(seed), np.float32) - 128) / 25
        noise = np.random.default_rng(seed).normal(0, 1.5, uneven.shape)
        wall = Image.fromarray(np.clip(uneven + noise, 0, 255).astype(np.uint8)).convert("RGB")
        wall.save(root / f"wall {seed}.png")
        wall.resize((200, 200), Image.Resampling.BICUBIC).save(root / f"wall {seed} small.jpg", quality=90)
    rows = groups_of(root, tmp_path)
    assert [
        len([row for row in rows if f"wall {seed}" in row["path"] and row["group"] == str(seed - 2)]) for seed in (3, 4)
    ] == [2, 2]


def test_turned_copies_are_found_when_asked_for(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    image = scene(3).convert("RGB")
    image.save(root / "a.png")
    image.transpose(Image.Transpose.ROTATE_90).save(root / "turned.png")
    assert groups_of(root, tmp_path) == []
    (tmp_path / "groups.csv").unlink()
    assert len(groups_of(root, tmp_path, "--turned")) == 2


@pytest.mark.parametrize(
    ("second", "exposure", "kind"),
    [
        ("2024:05:01 12:00:03", 0.01, "burst"),
        ("2024:05:01 12:00:01", 0.04, "bracket"),
        ("2024:05:01 12:00:00", 0.04, "bracket"),
        ("2024:05:01 12:00:00", 0.01, "near"),
        ("2024:05:02 12:00:00", 0.01, None),
    ],
)
def test_frames_of_a_scene_are_told_from_copies(tmp_path: Path, second: str, exposure: float, kind: str | None) -> None:
    root = tmp_path / "in"
    root.mkdir()
    shot(4, root / "1.jpg", "2024:05:01 12:00:00")
    shot(4, root / "2.jpg", second, exposure, 90)
    assert {row["kind"] for row in groups_of(root, tmp_path)} == ({kind} if kind else set())


@pytest.mark.parametrize(("turn", "right", "kinds"), [(0.4, 5, {"burst"}), (0.0, 8, {"burst"}), (0.0, 0, {"near"})])
def test_frames_that_tell_no_time_are_no_copies(tmp_path: Path, turn: float, right: int, kinds: set[str]) -> None:
    root = tmp_path / "in"
    root.mkdir()
    whole = fine_scene(8).convert("RGB")
    for number, frame in enumerate((whole, whole.rotate(turn, Image.Resampling.BICUBIC, translate=(right, 0)))):
        noise = np.random.default_rng(number).normal(0, 2, (480, 480, 3))
        pixels = np.clip(np.asarray(frame.crop((60, 60, 540, 540)), np.float32) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{number}.jpg", quality=90)
    assert {row["kind"] for row in groups_of(root, tmp_path)} == kinds


def test_a_store_without_closer_pictures_serves_too(tmp_path: Path) -> None:
    store = tmp_path / "s.csv"
    (tmp_path / "in").mkdir()
    fine_scene(8).save(tmp_path / "in/a.png")
    fine_scene(8).resize((300, 300)).save(tmp_path / "in/b.png")
    common = ["-g", "-1", "--workers", "0", "--quiet", "--metrics", "fingerprint"]
    assert score.main(["-i", str(tmp_path / "in"), "--results", str(store), *common]) == 0
    with Store(str(store)) as opened:
        pictures, prints = read_pictures(opened)
        closer = [decoded(prints.closer([0, 1])[index]) for index in (0, 1)]
        assert [picture.shape for picture in closer if picture is not None] == [(96, 96), (96, 96)]
    with open(store, newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    gone = lines[0].index("fingerprint.closer")
    with open(store, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([*line[:gone], *line[gone + 1 :]] for line in lines)
    with Store(str(store)) as opened:
        pictures, prints = read_pictures(opened)
        assert prints.closer([0, 1]) == {}
        assert [group.kind for group in find_groups(pictures, prints)] == ["near"]


def test_a_bracket_is_never_proposed_for_removal(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    root = tmp_path / "in"
    root.mkdir()
    for number, exposure in enumerate((0.01, 0.04, 0.0025)):
        shot(5, root / f"{number}.jpg", "2024:05:01 12:00:00", exposure, 95 - number)
    assert duplicates.main([str(root), "-g", "-1", "--workers", "0", "--quiet", "--keep", "rest", "--print"]) == 0
    assert capsysbinary.readouterr().out == b""


@pytest.mark.parametrize("kinds", [[], ["--kinds", "near"]])
def test_a_copy_without_exif_never_joins_two_frames(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], kinds: list[str]
) -> None:
    root = tmp_path / "in"
    root.mkdir()
    for number, exposure in enumerate((0.01, 0.04)):
        shot(5, root / f"{number}.jpg", "2024:05:01 12:00:00", exposure, 95 - number)
    scene(5).convert("RGB").save(root / "stripped.jpg", quality=50)
    common = [str(root), "-g", "-1", "--workers", "0", "--quiet", *kinds]
    assert duplicates.main([*common, "--keep", "rest", "--print"]) == 0
    assert {Path(name.decode()).name for name in capsysbinary.readouterr().out.split()} <= {"stripped.jpg"}
    near = [row for row in groups_of(root, tmp_path) if row["kind"] == "near"]
    assert len(near) == 2 and "stripped.jpg" in {Path(row["path"]).name for row in near}


def test_the_best_and_all_others_are_placed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert (
        duplicates.main([str(folder), "-g", "-1", "--workers", "0", "--quiet", "--keep", "best", "-o", str(out)]) == 0
    )
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert len(names) == 2 and "other.png" in names and names & {"a.png", "a.bmp"}
    assert len(list(folder.iterdir())) == 7


def test_the_rest_is_moved_away_with_what_belongs_to_it_and_put_back(folder: Path, tmp_path: Path) -> None:
    (folder / "half.xmp").write_text("<x/>")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    store, out = tmp_path / "s.db", tmp_path / "rest"
    common = ["-g", "-1", "--workers", "0", "--quiet"]
    assert score.main(["-i", str(folder), "--results", str(store), "--metrics", "fingerprint", *common]) == 0
    assert (
        duplicates.main([str(store), "--quiet", "--keep", "rest", "-o", str(out), "--move", "--with-companions"]) == 0
    )
    moved = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert {"half.png", "half.xmp", "small.jpg"} <= moved and len(moved) == 6
    assert "other.png" in {path.name for path in folder.iterdir()}
    assert apply.main(["--undo", str(out), "--quiet"]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_taken_is_shown_first_and_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["-g", "-1", "--workers", "0"]
    assert duplicates.main([str(folder), *common, "--keep", "rest", "-o", str(tmp_path / "rest")]) == 0
    said = capsys.readouterr()
    taken = [path for path in (tmp_path / "rest").rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert "the same picture" in said.out and taken
    assert f"{len(taken)} files more than needed" in said.err and f"{len(taken)} files copied to" in said.err


def test_the_best_are_hard_linked(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "best"
    common = ["-g", "-1", "--workers", "0", "--quiet"]
    assert duplicates.main([str(folder), *common, "--keep", "best", "-o", str(out), "--hardlink"]) == 0
    assert (out / "other.png").samefile(folder / "other.png")


@pytest.mark.parametrize("words", [["--move"], ["--with-companions"], ["-o", "x", "--journal", "j"]])
def test_options_of_placing_want_an_output(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        duplicates.main(["s.db", "--keep", "best", "--print", *words])


def test_a_store_serves_as_well_as_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "s.db"
    common = ["-g", "-1", "--workers", "0", "--quiet"]
    assert score.main(["-i", str(folder), "--results", str(store), "--metrics", "fingerprint", *common]) == 0
    assert duplicates.main([str(store), "--quiet"]) == 0
    assert "the same picture" in capsys.readouterr().out
    with Store(str(store)) as opened:
        pictures, prints = read_pictures(opened)
        assert len(find_groups(pictures, prints)) == 1


def test_a_store_without_fingerprints_says_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "s.db"
    common = ["-g", "-1", "--workers", "0", "--quiet"]
    assert score.main(["-i", str(folder), "--results", str(store), "--metrics", "exposure", *common]) == 0
    assert duplicates.main([str(store), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert f"cliqa score INPUT --results {store} --resume --metrics fingerprint" in told and "pip" not in told
    monkeypatch.setitem(sys.modules, "pdqhash", None)  # as if it were not installed
    assert duplicates.main([str(store), "--quiet"]) == 2
    assert "pip install 'cliqa[duplicates]', then" in capsys.readouterr().err


def test_what_the_extra_is_needed_for_is_told_once(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pdqhash", None)
    monkeypatch.setattr(metrics, "_BUILT_IN", {name: metrics._BUILT_IN[name] for name in ("exposure", "fingerprint")})
    given = ["-i", str(folder), "-g", "-1", "--workers", "0"]
    assert score.main([*given, "--results", str(tmp_path / "s.db")]) == 0
    assert (
        capsys.readouterr().err.count("fingerprint is left out; it needs the extra: pip install 'cliqa[duplicates]'")
        == 1
    )
    assert score.main([*given, "--metrics", "fingerprint"]) == 2
    assert "needs the extra: pip install 'cliqa[duplicates]'" in capsys.readouterr().err
    assert duplicates.main([str(folder)]) == 2
    assert "pip install 'cliqa[duplicates]'" in capsys.readouterr().err


def test_fingerprints_are_deterministic() -> None:
    import cliqa

    metric = cliqa.load_metric("fingerprint")
    pixels = np.asarray(scene(6).convert("RGB"))
    assert metric.score(pixels) == metric.score(pixels)
    assert metric.score(pixels)["whole"] != metric.score(pixels[::-1].copy())["whole"]


def test_many_pairs_are_compared_in_processes_and_come_out_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = groups_of(folder, tmp_path)
    (tmp_path / "groups.csv").unlink()
    monkeypatch.setattr("cliqa.duplicates.grouping.MANY", 0)
    assert len(few) == 6 and groups_of(folder, tmp_path) == few


def test_a_comparing_process_that_is_killed_is_told() -> None:
    with pytest.raises(RunError, match="ended by the system"), _comparers(MANY) as processes:
        list(processes.map(os._exit, [1]))

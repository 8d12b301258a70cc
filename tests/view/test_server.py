"""What the server answers to its page, without a browser."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.results.store import Store
from tests.conftest import encode, make_pixels
from tests.viewer import HOSTILE, Viewer, make_pictures, viewing


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIQA_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[Viewer]:
    with viewing(make_pictures(tmp_path, 200, (HOSTILE,)), "-o", str(tmp_path / "kept")) as running:
        yield running


def test_the_table_is_that_of_the_store(viewer: Viewer, tmp_path: Path) -> None:
    table = viewer.ask("/api/table")
    assert table["rows"] == 202, "those with an issue too"
    assert [one["name"] for one in table["start"]][:3] == [
        "jpeg_quality.quality",
        "grain_noise.psnr",
        "scale_factor.quality",
    ]
    paths = viewer.ask("/api/paths").decode().split("\n")
    assert paths[0].endswith(HOSTILE) and len(paths) == 202
    states = np.frombuffer(viewer.ask("/api/states"), np.uint8)
    assert (states == 1).sum() == 200 and (states == 2).sum() == 2
    with Store(str(tmp_path / "scores.db")) as store:
        for name in ("jpeg_quality.quality", "jpeg_quality.qf_header", "width", "aesthetic.label"):
            index = [column["name"] for column in table["columns"]].index(name)
            _, headers, body = viewer.request("GET", f"/api/column/{index}", None, viewer.own_headers())
            found = np.frombuffer(body, "<f4")[:200]
            expected = [row[0] for row in store.rows([name])]
            labels = json.loads(headers["x-labels"])
            if labels:
                assert [labels[int(code)] for code in found] == expected
            else:
                assert np.array_equal(found, np.array(expected, dtype=np.float32), equal_nan=True)
    assert sorted(row for row, *_ in viewer.ask("/api/issues")) == [200, 201]


def test_pictures_are_the_files_themselves(viewer: Viewer, tmp_path: Path) -> None:
    assert viewer.ask("/picture/5") == (tmp_path / "photos/0000/IMG_0000005.jpg").read_bytes()
    thumbnail = viewer.ask("/thumbnail/5")
    assert thumbnail[:4] == b"RIFF" and viewer.ask("/thumbnail/5") == thumbnail
    os.unlink(tmp_path / "photos/0000/IMG_0000005.jpg")
    assert viewer.request("GET", "/picture/5", None, viewer.own_headers())[0] == 404
    assert viewer.request("GET", "/thumbnail/150", None, viewer.own_headers())[0] == 404, "a file that never was"


def test_what_browsers_do_not_show_becomes_png(tmp_path: Path) -> None:
    pixels = make_pixels(80, 60)
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in/a.tif")
    with viewing(tmp_path / "in", "--no-score") as viewer:
        _, headers, body = viewer.request("GET", "/picture/0", None, viewer.own_headers())
        assert headers["content-type"] == "image/png" and body[:4] == b"\x89PNG"


def test_marks_are_told_undone_and_there_again(viewer: Viewer, tmp_path: Path) -> None:
    assert viewer.tell("/api/marks", {"rows": [3, 4], "flag": "keep"}) == (
        200,
        {"marks": [[3, "keep", 0, False], [4, "keep", 0, False]]},
    )
    assert viewer.tell("/api/marks", {"rows": [4], "stars": 2})[1] == {"marks": [[4, "keep", 2, False]]}
    assert viewer.tell("/api/undo", {})[1] == {"marks": [[4, "keep", 0, False]]}
    assert viewer.tell("/api/marks", {"rows": [4], "flag": "perhaps"})[0] == 400
    with viewing(tmp_path / "scores.db") as again:
        assert again.ask("/api/marks")["marks"] == [[3, "keep", 0, False], [4, "keep", 0, False]]


def test_marks_of_a_table_lie_in_the_state_folder(tmp_path: Path, state: Path) -> None:
    from cliqa.export import main as export

    make_pictures(tmp_path, 20)
    assert export([str(tmp_path / "scores.db"), "-o", str(tmp_path / "scores.csv"), "--quiet"]) == 0
    before = (tmp_path / "scores.csv").read_bytes()
    with viewing(tmp_path / "scores.csv") as viewer:
        viewer.tell("/api/marks", {"rows": [1], "flag": "drop"})
    with viewing(tmp_path / "scores.csv") as viewer:
        assert viewer.ask("/api/marks")["marks"] == [[1, "drop", 0, False]]
    assert (tmp_path / "scores.csv").read_bytes() == before and list(state.rglob("*.marks.db"))


def test_a_folder_is_scored_while_it_is_looked_at(tmp_path: Path, state: Path) -> None:
    folder = tmp_path / "in" / "sub"
    folder.mkdir(parents=True)
    for number in range(4):
        Image.fromarray(make_pixels(160, 140, number)).save(folder / f"{number}.jpg")
    (folder / "broken.jpg").write_bytes(encode(make_pixels(), "JPEG")[:300])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "in").rglob("*")}
    with viewing(tmp_path / "in", "--workers", "1") as viewer:
        assert viewer.ask("/api/table")["rows"] == 5 and viewer.ask("/thumbnail/0")
        end = time.monotonic() + 180
        while (progress := viewer.ask("/api/progress"))["running"] and time.monotonic() < end:
            time.sleep(0.3)
        progress = viewer.ask("/api/progress")
        assert (progress["scored"], progress["issues"], progress["message"]) == (4, 1, "")
        names = [column["name"] for column in viewer.ask("/api/table")["columns"]]
        quality = np.frombuffer(viewer.ask(f"/api/column/{names.index('jpeg_quality.quality')}"), "<f4")
        assert np.isfinite(quality).sum() == 4
        told = viewer.ask("/api/reasons/0")
        assert told["width"] == 160 and any("JPEG" in reason["sentence"] for reason in told["reasons"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "in").rglob("*")} == before, (
        "nothing is written there"
    )
    with viewing(tmp_path / "in", "--no-score") as viewer:
        assert viewer.ask("/api/progress")["scored"] == 4, "its store is found again"


def test_thresholds_are_learned_from_marks(viewer: Viewer, tmp_path: Path) -> None:
    status, told = viewer.tell("/api/calibrate", {})
    assert status == 200 and "mark at least 5 more to keep" in told["message"]
    with Store(str(tmp_path / "scores.db")) as store:
        quality = [row[0] for row in store.rows(["grain_noise.psnr"])]
    order = sorted(range(200), key=lambda row: quality[row])
    viewer.tell("/api/marks", {"rows": order[:30], "flag": "drop"})
    viewer.tell("/api/marks", {"rows": order[-30:], "stars": 4})
    status, told = viewer.tell("/api/calibrate", {})
    assert status == 200 and (told["keep"], told["drop"]) == (30, 30)
    condition = told["conditions"][0]
    assert condition["name"] == "grain_noise.psnr" and quality[order[29]] < condition["value"] <= quality[order[-30]]
    assert told["precision"] > 0.9


def test_acting_is_previewed_done_once_and_taken_back(viewer: Viewer, tmp_path: Path) -> None:
    rows = [2, 3, 4, 150]
    _, told = viewer.tell("/api/preview", {"rows": rows, "way": "copy"})
    assert told["count"] == 4 and not (tmp_path / "kept").exists()
    assert told["files"][0][1] == str(tmp_path / "kept/0000/IMG_0000002.jpg")
    _, told = viewer.tell("/api/act", {"rows": rows, "way": "copy"})
    assert told["done"] == 3 and len(told["failed"]) == 1 and "has gone" in told["failed"][0]
    placed = sorted(path.name for path in (tmp_path / "kept").rglob("*.jpg"))
    assert placed == ["IMG_0000002.jpg", "IMG_0000003.jpg", "IMG_0000004.jpg"]
    assert viewer.tell("/api/act", {"rows": rows, "way": "copy"})[1]["done"] == 0, "never twice"
    (tmp_path / "kept/0000/IMG_0000003.jpg").write_bytes(b"mine now")
    (tmp_path / "kept/0000/own.txt").write_text("mine")
    assert viewer.tell("/api/withdraw", {})[1] == {"removed": 2, "left": 1}
    assert sorted(path.name for path in (tmp_path / "kept/0000").iterdir()) == ["IMG_0000003.jpg", "own.txt"]
    assert (tmp_path / "photos/0000/IMG_0000002.jpg").exists()
    assert viewer.tell("/api/withdraw", {})[1] == {"removed": 0, "left": 0}


def test_files_are_moved_with_what_belongs_to_them_and_put_back(viewer: Viewer, tmp_path: Path) -> None:
    first = tmp_path / "photos/0000/IMG_0000002.jpg"
    (first.parent / "IMG_0000002.xmp").write_text("<x/>")
    before = first.read_bytes()
    asked = {"rows": [2], "way": "move", "along": True}
    assert viewer.tell("/api/preview", asked)[1]["count"] == 2
    assert viewer.tell("/api/act", asked)[1]["failed"] == []
    there = tmp_path / "kept/0000"
    assert not first.exists() and {path.name for path in there.iterdir()} == {"IMG_0000002.jpg", "IMG_0000002.xmp"}
    assert viewer.tell("/api/withdraw", {})[1] == {"removed": 2, "left": 0}
    assert first.read_bytes() == before and (first.parent / "IMG_0000002.xmp").exists() and not there.exists()


def test_companions_go_along_with_copies_and_are_taken_back(viewer: Viewer, tmp_path: Path) -> None:
    (tmp_path / "photos/0000/IMG_0000002.xmp").write_text("<x/>")
    assert viewer.tell("/api/act", {"rows": [2, 3], "way": "copy", "along": True})[1]["done"] == 3
    assert viewer.tell("/api/withdraw", {})[1] == {"removed": 3, "left": 0}
    assert not (tmp_path / "kept/0000").exists() and (tmp_path / "photos/0000/IMG_0000002.xmp").exists()


def test_a_store_without_fingerprints_has_no_groups(viewer: Viewer) -> None:
    told = viewer.ask("/api/copies")
    assert told["groups"] == [] and "fingerprint" in told["message"]


def test_links_and_hard_links(viewer: Viewer, tmp_path: Path) -> None:
    assert viewer.tell("/api/act", {"rows": [2], "way": "hardlink"})[1]["done"] == 1
    assert (tmp_path / "kept/0000/IMG_0000002.jpg").samefile(tmp_path / "photos/0000/IMG_0000002.jpg")
    assert viewer.tell("/api/act", {"rows": [3], "way": "link"})[1]["done"] == 1
    assert (tmp_path / "kept/0000/IMG_0000003.jpg").is_symlink()
    assert viewer.tell("/api/withdraw", {})[1]["removed"] == 1
    assert viewer.tell("/api/withdraw", {})[1]["removed"] == 1
    assert not (tmp_path / "kept/0000").exists() and (tmp_path / "photos/0000/IMG_0000003.jpg").exists()


def test_nothing_is_placed_through_a_link_that_leads_out(viewer: Viewer, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kept/0000").symlink_to(tmp_path / "elsewhere")
    status, told = viewer.tell("/api/act", {"rows": [2], "way": "copy"})
    assert status == 409 and "leads out" in told["message"] and not list((tmp_path / "elsewhere").iterdir())


def test_sidecars_need_leave_and_are_taken_back(tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    store = make_pictures(tmp_path, 10)
    with viewing(store, "--sidecars") as viewer:
        picture = tmp_path / "photos/0000/IMG_0000002.jpg"
        assert viewer.tell("/api/act", {"rows": [2], "way": "reject"})[1]["done"] == 1
        assert b"PickLabel" in picture.with_name("IMG_0000002.jpg.xmp").read_bytes()
        assert viewer.tell("/api/withdraw", {})[1]["removed"] == 1
        assert not picture.with_name("IMG_0000002.jpg.xmp").exists()


def test_a_store_that_moved_with_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    make_pictures(tmp_path / "one", 5)
    shutil.move(tmp_path / "one", tmp_path / "two")
    with viewing(tmp_path / "two/scores.db") as viewer:
        assert viewer.ask("/api/progress")["scored"] == 5

"""The list of photographs that trained the models: made, read and checked against folders."""

from pathlib import Path

import pytest

from cliqa.training.manifest import COLUMNS, OBTAIN, check, main, read_list

ROOT = Path(__file__).parent.parent.parent
HEADER = "file,kind,source,original,licence,width,height,downscale,source_jpeg_quality,iso,model,split\n"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "drawn").mkdir(parents=True)
    (folder / "drawn" / "horse.webp").write_bytes(b"a horse")
    row = "drawn/horse.webp,drawn,openclipart 0.18,horse.png,public domain,525,501,,,,,val\n"
    (folder / "manifest.csv").write_text(HEADER + row)
    return folder


def test_a_folder_is_what_the_list_made_of_it_says(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.csv"
    assert main(["make", "--data", str(photos), "--out", str(manifest)]) == 0
    (row,) = read_list(manifest)
    assert row["obtain"] == OBTAIN["openclipart 0.18"] and row["split"] == "val" and row["bytes"] == "7"
    assert main(["check", "--data", str(photos), "--manifest", str(manifest)]) == 0
    assert "byte for byte" in capsys.readouterr().out


def test_other_bytes_and_missing_files_are_named(photos: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    main(["make", "--data", str(photos), "--out", str(manifest)])
    listed = read_list(manifest)
    (photos / "drawn" / "horse.webp").write_bytes(b"another")
    assert check(listed, {"photos": photos}) == [
        "photos: drawn/horse.webp has other bytes than the one that trained the models"
    ]
    (photos / "drawn" / "horse.webp").unlink()
    assert check(listed, {"photos": photos}) == ["photos: drawn/horse.webp is missing"]
    assert main(["check", "--data", str(photos), "--manifest", str(manifest)]) == 1


def test_the_shipped_list_is_whole() -> None:
    rows = read_list(ROOT / "data" / "manifest.csv")
    assert tuple(rows[0]) == COLUMNS
    assert sum(row["set"] == "photos" for row in rows) == 620
    assert sum(row["set"] == "biq2021" for row in rows) == 10_000
    assert all(len(row["sha256"]) == 64 and row["licence"] and row["obtain"] and row["split"] for row in rows)

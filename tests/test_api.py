"""The public interface of the package, and the listings of commands and metrics."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cliqa
from cliqa.__main__ import COMMANDS
from cliqa.__main__ import main as command
from tests.conftest import encode

BRIGHTNESS = "tests.toy_metric:Brightness"


def test_the_public_names() -> None:
    assert sorted(cliqa.__all__) == [
        "CheckpointError", "CliqaError", "FolderScores", "ImageError", "ImageIssue", "ImageScorer", "ImageSkipped",
        "Issue", "PlacingError",
        "Record", "ResultsError", "RunError", "UsageError", "list_metrics", "load_metric",
        "score_folder", "score_images",
    ]  # fmt: skip
    assert all(hasattr(cliqa, name) for name in cliqa.__all__)
    assert not hasattr(cliqa, "nothing")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, cliqa; print([name for name in ('numpy', 'PIL', 'torch') if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_one_image_in_any_shape(tmp_path: Path) -> None:
    pixels = np.full((50, 60, 3), 77, np.uint8)
    path = tmp_path / "grey.png"
    Image.fromarray(pixels).save(path)
    metric = cliqa.load_metric(BRIGHTNESS)
    expected = {"mean": 77.0, "label": "dark"}
    for image in (
        path,
        str(path),
        path.read_bytes(),
        Image.fromarray(pixels),
        Image.open(path),
        pixels,
        pixels[..., 0],
    ):
        assert metric.score(image) == expected
    assert metric.name == "brightness" and [field.name for field in metric.fields] == ["mean", "label"]
    assert "brightness" in repr(metric)


def test_what_is_no_image_says_so(tmp_path: Path) -> None:
    metric = cliqa.load_metric(BRIGHTNESS)
    with pytest.raises(cliqa.ImageError) as raised:
        metric.score(tmp_path / "none.png")
    assert str(raised.value) == f"{tmp_path / 'none.png'}: no such file"
    (issue,) = cliqa.score_images([tmp_path / "none.png"], BRIGHTNESS)
    assert str(issue) == f"error: {tmp_path / 'none.png'}: no such file"
    Image.new("RGB", (8, 8)).save(tmp_path / "small.png")
    with pytest.raises(cliqa.ImageSkipped, match=r"small\.png: .*smaller"):
        metric.map(tmp_path / "small.png")
    with pytest.raises(cliqa.ImageSkipped, match="smaller"):
        metric.score(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(cliqa.ImageError, match="uint8"):
        metric.score(np.zeros((80, 80, 3)))  # type: ignore[arg-type]
    with pytest.raises(cliqa.ImageSkipped, match="limit"):
        metric.score(encode(np.full((80, 80, 3), 9, np.uint8), "PNG"), max_image_pixels=100)
    with pytest.raises(cliqa.UsageError, match="did you mean grain_noise"):
        cliqa.load_metric("grain_nose")


def test_what_is_neither_image_nor_path_says_so(folder: Path) -> None:
    metric, data = cliqa.load_metric(BRIGHTNESS), (folder / "a.png").read_bytes()
    for given in (io.BytesIO(data), bytearray(data), memoryview(data), [str(folder)], None):
        for ask in (metric.score, metric.map):
            with pytest.raises(cliqa.UsageError, match=f"a path, the bytes of a file, .* not {type(given).__name__}"):
                ask(given)  # type: ignore[arg-type]
    for paths in (b"a.png", [b"a.png"], [3], [None]):
        with pytest.raises(cliqa.UsageError, match="a path is a str"):
            list(cliqa.score_images(paths, BRIGHTNESS))  # type: ignore[arg-type]
    with pytest.raises(cliqa.UsageError, match="a path is a str"):
        cliqa.score_folder(None, BRIGHTNESS)  # type: ignore[arg-type]


def test_many_files_in_order_lazily(make_folder: Callable[..., Path]) -> None:
    folder = make_folder({"a.png": 10, "b.png": 200, "c.png": b"broken"})
    paths = [folder / "b.png", folder / "c.png", folder / "none.png", str(folder / "a.png")]
    found = list(cliqa.score_images(paths, metrics=[cliqa.load_metric(BRIGHTNESS), "tests.cli.test_scoring:Contrast"]))
    assert [item.path for item in found] == [str(path) for path in paths]
    first, second, third, last = found
    assert isinstance(first, cliqa.Record) and isinstance(last, cliqa.Record)
    assert first.values == {
        f"{name}.{k}": v for name in ("brightness", "contrast") for k, v in (("mean", 200.0), ("label", "light"))
    }
    assert first.fields("contrast") == {"mean": 200.0, "label": "light"} and last.facts["width"] == 40
    assert isinstance(second, cliqa.Issue) and isinstance(third, cliqa.Issue) and "no such file" in third.message

    def endless() -> object:
        while True:
            yield folder / "a.png"

    stream = cliqa.score_images(endless(), BRIGHTNESS)  # type: ignore[arg-type]
    assert [next(stream).path for _ in range(3)] == [str(folder / "a.png")] * 3
    assert len(list(cliqa.score_images(str(folder / "a.png"), BRIGHTNESS))) == 1
    with pytest.raises(cliqa.UsageError):
        cliqa.score_images([], "nothing")


def test_damaged_data_are_an_issue_or_scored_with_a_note(tmp_path: Path) -> None:
    whole = encode(np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8), "JPEG")
    path = tmp_path / "half.jpg"
    path.write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    (found,) = cliqa.score_images([path], BRIGHTNESS)
    assert isinstance(found, cliqa.Issue) and found.message.startswith("damaged image data: ")
    (found,) = cliqa.score_images([path], BRIGHTNESS, damaged="score")
    assert isinstance(found, cliqa.Record) and found.notes[0].startswith("damaged image data: ")
    with pytest.raises(cliqa.UsageError, match="damaged"):
        cliqa.score_images([path], BRIGHTNESS, damaged="maybe")  # type: ignore[arg-type]


def test_workers_give_the_same_records(make_folder: Callable[..., Path]) -> None:
    folder = make_folder({f"{n}.png": 20 * n + 1 for n in range(8)})
    paths = sorted(folder.iterdir())
    alone = [item.values for item in cliqa.score_images(paths, BRIGHTNESS) if isinstance(item, cliqa.Record)]
    together = [
        item.values for item in cliqa.score_images(paths, BRIGHTNESS, workers=2) if isinstance(item, cliqa.Record)
    ]
    assert alone == together and len(alone) == 8


def test_the_commands_are_listed_and_each_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert command([]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in COMMANDS)
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            command([name.replace("_", "-"), "--help"])
        assert ended.value.code == 0
        assert f"python -m cliqa.{name}" in capsys.readouterr().out
    assert command(["scor"]) == 2
    assert "did you mean score?" in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three sound pictures, one in a sub-folder, and one that is broken."""
    (tmp_path / "in/below").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "below/c.png")):
        Image.fromarray(np.full((50, 60, 3), 60 * number + 30, np.uint8)).save(tmp_path / "in" / name)
    (tmp_path / "in/broken.png").write_bytes(b"none")
    return tmp_path / "in"


def test_a_folder_gives_rows_and_issues(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = cliqa.score_folder(folder, BRIGHTNESS, progress=True)
    assert "4/4" in capsys.readouterr().err
    assert [row["brightness.mean"] for row in scores] == [30.0, 90.0, 150.0]
    assert scores[2]["path"] == str(folder / "below/c.png") and scores[0]["width"] == 60
    assert [Path(issue.path).name for issue in scores.issues] == ["broken.png"]
    assert scores.columns[0] == "path" and all(list(row) == scores.columns for row in scores)
    assert scores.where(lambda row: row["brightness.mean"] > 80) == [str(folder / "b.png"), str(folder / "below/c.png")]
    assert len(cliqa.score_folder(folder, BRIGHTNESS, recursive=False)) == 2
    assert capsys.readouterr().err == "", "no bar where nobody looks"


def test_the_rows_of_a_folder_are_shown_shortly(folder: Path) -> None:
    scores = cliqa.score_folder(folder, BRIGHTNESS)
    assert repr(scores) == f"<3 scored files of {folder}, 2 scores each, 1 without a score>"
    assert scores._repr_html_().count("<tr>") == 4 and "<td>a.png</td>" in scores._repr_html_()
    assert "0 scored files" in cliqa.FolderScores("nothing")._repr_html_()


def test_data_frames_take_the_rows(folder: Path) -> None:
    scores = cliqa.score_folder(folder, BRIGHTNESS)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(scores)
    assert frame.loc[frame["brightness.mean"] > 80, "path"].tolist() == [
        str(folder / "b.png"),
        str(folder / "below/c.png"),
    ]


def test_polars_takes_the_rows(folder: Path) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(cliqa.score_folder(folder, BRIGHTNESS))
    assert frame.filter(polars.col("brightness.mean") > 80).height == 2


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(cliqa.RunError):
        cliqa.score_folder(tmp_path / "nothing", BRIGHTNESS)

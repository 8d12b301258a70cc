"""Labels to thresholds, from the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from cliqa.calibrate import main as calibrate
from cliqa.results.store import Store
from tests.synthetic_store import make_store

RULE = "grain_noise.psnr >= 28.5 and exposure.too_dark_level <= 3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and labels that follow `RULE` but for one in twenty."""
    root = tmp_path_factory.mktemp("calibrate")
    make_store(root / "scores.db", 400)
    rng = np.random.default_rng(0)
    with Store(str(root / "scores.db")) as store, open(root / "keep.csv", "w", newline="") as stream:
        good = {row[0] for row in store.rows(["path"], RULE)}
        writer = csv.writer(stream)
        writer.writerow(["path", "label"])
        for (path,) in store.rows(["path"], limit=200):
            writer.writerow([path, "keep" if (path in good) != (rng.random() < 0.05) else "drop"])
    return root


def test_the_rule_behind_the_labels_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(folder / "scores.db"), "--labels", str(folder / "keep.csv")]
    assert calibrate([*arguments, "--print", "--quiet"]) == 0
    where = capsys.readouterr().out.strip()
    with Store(str(folder / "scores.db")) as store:
        wanted = {row[0] for row in store.rows(["path"], RULE)}
        found = {row[0] for row in store.rows(["path"], where)}
    assert "grain_noise.psnr >= 28" in where
    assert len(wanted & found) / len(wanted | found) > 0.85


def test_the_table_tells_precision_and_recall(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = folder / "plots/calibration.png"
    arguments = [str(folder / "scores.db"), "--labels", str(folder / "keep.csv"), "--plot", str(plot)]
    assert calibrate([*arguments, "--fields", "grain_noise.psnr,exposure.too_dark_level", "jpeg_qf.grid_x"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split() == ["threshold", "precision", "recall", "balanced", "accuracy"]
    assert lines[1].startswith("grain_noise.psnr >= 28") and 0.6 < float(lines[1].split()[-1]) <= 1
    assert "cliqa apply" in out and "precision 0." in out
    assert plot.read_bytes().startswith(b"\x89PNG")
    whole = [line for line in lines if line.startswith("exposure.too_dark_level <= ")]
    assert whole and "." not in whole[0].split()[2], "a whole number's threshold is one"


def test_too_few_labels_are_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (folder / "keep.csv").read_text().splitlines()
    keep = [line for line in lines if line.endswith(",keep")]
    drop = [line for line in lines if line.endswith(",drop")]
    few = tmp_path / "few.csv"
    few.write_text("\n".join([lines[0], *keep[:30], *drop[:3]]))
    assert calibrate([str(folder / "scores.db"), "--labels", str(few)]) == 2
    assert "too few labels: 30 keep and 3 drop; label at least 2 more to drop" in capsys.readouterr().err
    few.write_text("\n".join([lines[0], *keep[:30], *drop[:8]]))
    assert calibrate([str(folder / "scores.db"), "--labels", str(few), "--fields", "grain_noise.psnr"]) == 0
    assert "label about 17 more to drop" in capsys.readouterr().err


def test_labels_that_no_score_tells_apart_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    paths = [line.rsplit(",", 1)[0] for line in (folder / "keep.csv").read_text().splitlines()[1:]]
    random = tmp_path / "random.csv"
    random.write_text("".join(f"{path},{rng.choice(['keep', 'drop'])}\n" for path in paths))
    assert (
        calibrate([str(folder / "scores.db"), "--labels", str(random), "--fields", "grepq.q", "aesthetic.score"]) == 0
    )
    assert "hardly tell your labels apart" in capsys.readouterr().err


def test_labels_of_other_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels.csv").write_text("x.jpg,keep\ny.jpg,drop\n")
    assert calibrate([str(folder / "scores.db"), "--labels", str(tmp_path / "labels.csv")]) == 2
    assert "2 of 2 labelled paths are not in the store" in (told := capsys.readouterr().err) and "x.jpg, y.jpg;" in told
    labels = (folder / "keep.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join([*labels, "away.jpg,keep"]))
    assert calibrate([str(folder / "scores.db"), "--labels", str(tmp_path / "labels.csv"), "--print"]) == 0
    assert (
        "labelled paths is not in the store (or not the only file of that name): away.jpg\n" in capsys.readouterr().err
    )
    assert calibrate([str(folder / "scores.db"), "--labels", str(tmp_path / "none.csv")]) == 1


def test_a_precision_that_is_not_reached_on_labels_held_out_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder / "scores.db"), "--labels", str(folder / "keep.csv"), "--fields", "grain_noise.psnr"]
    assert calibrate([*arguments, "--print", "--min-precision", "1"]) == 0
    assert "below the 1.00 asked for by --min-precision" in capsys.readouterr().err
    assert calibrate([*arguments, "--print", "--min-precision", "0.1"]) == 0
    assert "--min-precision" not in capsys.readouterr().err

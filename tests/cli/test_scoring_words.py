"""What a score without a store says of pictures, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.score import main as score
from tests.toy_metric import Brightness

BRIGHTNESS = "tests.toy_metric:Brightness"


class Contrast(Brightness):
    name = "contrast"


def test_pictures_named_on_the_command_line_are_told_in_words(
    make_folder: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_folder({"a.png": 50, "b.png": 150})
    words = ["--metrics", "tests.toy_metric:Brightness", "-g", "-1", "--workers", "0"]
    assert score([str(root / "a.png"), str(root / "b.png"), *words]) == 0
    shown = capfd.readouterr()
    assert shown.out.splitlines() == [
        f"{root / 'a.png'}: PNG, 40 x 40 pixels", "  brightness  mean 50, label dark",
        f"{root / 'b.png'}: PNG, 40 x 40 pixels", "  brightness  mean 150, label light",
    ]  # fmt: skip
    assert shown.err == "2 images scored\n"
    assert score([str(root / "a.png"), *words, "--all-fields"]) == 0
    shown = capfd.readouterr()
    assert "brightness.mean" in shown.out and "mean value (0 to 255)" in shown.out
    for wrong in ([], [str(root), "--resume"], [str(root), "--all-fields", "--print"]):
        with pytest.raises(SystemExit):
            score([*wrong, *words])


def test_pictures_of_a_folder_are_a_line_each(
    make_folder: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_folder({"a.png": 50, "b.png": 150, "below/c.png": 200})
    words = [str(root), "-m", BRIGHTNESS, "-g", "-1", "--workers", "0"]
    assert score(words) == 0
    shown = capfd.readouterr()
    assert shown.out.splitlines() == [
        f"{root / 'a.png'}: PNG, 40 x 40 pixels; mean 50, label dark",
        f"{root / 'b.png'}: PNG, 40 x 40 pixels; mean 150, label light",
    ]
    assert "2 images scored; 1 more in sub-folders: add -r" in shown.err and "--all-fields" in shown.err
    assert score([str(root), "-r", "-m", f"{BRIGHTNESS},{__name__}:Contrast", *words[3:]]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 3


def test_a_folder_without_pictures_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.txt").write_text("")
    assert score([str(tmp_path), "-m", BRIGHTNESS, "-g", "-1", "--workers", "0"]) == 0
    assert f"0 images scored; no image files in {tmp_path}; 1 entry that is no" in capsys.readouterr().err


def test_the_word_after_m_is_a_metric_even_where_a_folder_of_that_name_lies_here(
    make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_folder({"grepq/a.png": 50, "photos/a.png": 50})
    monkeypatch.chdir(root)
    assert score(["-g", "-1", "--workers", "0", "-m", BRIGHTNESS, "grepq"]) == 2
    assert "grepq after -m is the metric" in capsys.readouterr().err
    assert score(["-g", "-1", "--workers", "0", "-m", BRIGHTNESS, "photos"]) == 0
    assert "photos/a.png" in capsys.readouterr().out


def test_a_picture_in_words_starts_with_its_faults_and_leaves_hashes_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (24, 24, 3), np.uint8)
    Image.fromarray(noise).resize((256, 256), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=40)
    words = ["-g", "-1", "--workers", "0", "-m", "jpeg_quality", "compression"]
    assert score([*words, str(tmp_path / "a.jpg")]) == 0  # the path is no metric's name
    first, *rest = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in rest] == ["jpeg_quality", "compression"]
    assert "filter_low_quality_jpeg drops it" in rest[0]
    assert first.startswith(f"{tmp_path / 'a.jpg'}: JPEG, 256 x 256 pixels; saved as a low quality JPEG")
    pytest.importorskip("pdqhash")
    words = [str(tmp_path / "a.jpg"), "-g", "-1", "--workers", "0", "-m", "fingerprint"]
    assert score(words) == 0
    assert "detail to find copies by" in capfd.readouterr().out
    assert score([*words, "--all-fields"]) == 0
    shown = capfd.readouterr().out
    assert "fingerprint.detail" in shown and "fingerprint.thumbnail" not in shown and "fault" not in shown


def test_the_summary_names_the_store_the_faults_and_what_is_next(
    make_folder: Callable[..., Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_folder({"a.png": 50})
    words = ["--metrics", "jpeg_quality", "-g", "-1", "--workers", "0", "--results", str(tmp_path / "s.db")]
    assert score(["-i", str(root), *words]) == 0
    told = capfd.readouterr().err
    assert "1 image scored" in told and "saved as a low quality JPEG" in told
    assert f"cliqa report {tmp_path / 's.db'}" in told

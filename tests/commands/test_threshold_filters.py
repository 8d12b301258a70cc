"""The filters that compare one field with one threshold: their defaults, prefixes, and one run each on the shipped weights."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa import filter_low_perceptual_quality, filter_low_quality_jpeg, filter_low_quality_resize, filter_noisy_photo
from cliqa.cli.filtering import Filter, Threshold
from cliqa.cli.options import bounded
from cliqa.metrics.scale_factor import ScaleFactor
from cliqa.outputs.placed import RECORD
from tests.jpeg_pictures import saved, textured
from tests.noisy_pictures import add_noise, scene
from tests.rough_pictures import colored

JPEG, NOISE = filter_low_quality_jpeg.COMMAND, filter_noisy_photo.COMMAND
RESIZE, PERCEPTUAL = filter_low_quality_resize.COMMAND, filter_low_perceptual_quality.COMMAND


def enlarged() -> np.ndarray:
    return np.asarray(Image.fromarray(colored(300, 300, seed=7)).resize((450, 450), Image.Resampling.LANCZOS))


# filter, what it keeps, what it drops, where the number before the dropped one's name lies
RUNS = {
    "jpeg": (JPEG, lambda: textured(3), lambda: saved(textured(4), 40), range(37, 44)),
    "noise": (NOISE, scene, lambda: add_noise(scene(), 20), range(19, 26)),
    "resize": (RESIZE, lambda: colored(384, 384), enlarged, range(45, 56)),
}


@pytest.fixture(params=RUNS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Filter, range]:
    """A filter, in a folder `in` of one picture that it keeps and one that it drops."""
    command, good, bad, prefixes = RUNS[request.param]
    (tmp_path / "in").mkdir()
    Image.fromarray(good()).save(tmp_path / "in" / "good.png")
    Image.fromarray(bad()).save(tmp_path / "in" / "bad.png")
    return command, prefixes


def placed(command: Filter, folder: Path, *options: str) -> list[str]:
    out = folder / ("out" + "".join(options))
    assert command.main(["-i", str(folder / "in"), "-o", str(out), *options, "--workers", "0", "--quiet"]) == 0
    return sorted(each.name for each in out.iterdir() if each.name != RECORD)


def test_keeps_the_good_one_and_extracts_the_bad_one(case: tuple[Filter, range], tmp_path: Path) -> None:
    command, prefixes = case
    assert placed(command, tmp_path) == ["good.png"]
    assert (tmp_path / "out" / "good.png").read_bytes() == (tmp_path / "in" / "good.png").read_bytes()
    (name,) = placed(command, tmp_path, "--invert", "--score-prefix")
    assert name.endswith("_bad.png") and int(name.partition("_")[0]) in prefixes


def test_a_threshold_of_nothing_keeps_all_and_names_sort_by_score(case: tuple[Filter, range], tmp_path: Path) -> None:
    option = "--psnr" if case[0] is NOISE else "--quality"
    options = [option, "0", *(["--learned", "1"] if case[0] is RESIZE else [])]
    bad, good = placed(case[0], tmp_path, *options, "--score-prefix", "--symlink")
    assert bad.endswith("_bad.png") and good.endswith("_good.png")


@pytest.mark.parametrize(
    ("command", "default"),
    [(JPEG, {"quality": 90}), (NOISE, {"psnr": 40}), (RESIZE, {"quality": 95, "learned": 0.5}), (PERCEPTUAL, {"quality": 50})],
)  # fmt: skip
def test_default_thresholds_are_the_documented_ones(command: Filter, default: dict[str, float]) -> None:
    options = command.parser().parse_args(["-i", "x"])
    assert {name: getattr(options, name) for name in default} == default


@pytest.mark.parametrize(
    ("command", "fields", "prefix"),
    [
        (NOISE, {"psnr": 41.3}, "41"), (NOISE, {"psnr": 50.0}, "50"), (NOISE, {"psnr": 7.0}, "07"),
        (RESIZE, {"quality": 97.2}, "097"), (RESIZE, {"quality": 100.0}, "100"), (PERCEPTUAL, {"quality": 3.0}, "003"),
        (JPEG, {"quality": 93.1, "subsampling_420": 0.1}, "093_444"), (JPEG, {"quality": 8.0, "subsampling_420": 0.9}, "008_420"),
    ],
)  # fmt: skip
def test_prefixes(command: Filter, fields: dict[str, float], prefix: str) -> None:
    assert command.prefix(fields) == prefix


def test_420_can_be_dropped_whatever_the_quality() -> None:
    for words, kept in (([], True), (["--filter-420"], False)):
        options = JPEG.parser().parse_args(["-i", "x", *words])
        assert JPEG.keep(options, {"quality": 99.0, "subsampling_420": 0.9}) is kept


def test_what_a_network_enlarged_is_dropped_and_the_results_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for name, pixels in (("kernel.png", enlarged()), ("network.png", colored(384, 384))):
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    monkeypatch.setattr(ScaleFactor, "_learned", lambda self, traces: 0.75)
    results = tmp_path / "results.csv"
    for words, kept, notes in (
        ([], {}, ("quality 50", "learned 0.75 >= 0.5")),
        (["--learned", "0.8"], {"network.png"}, ("quality 50", "")),
        (["--learned", "1"], {"network.png"}, ("quality 50", "")),
        (["--learned", "0.7"], {}, ("quality 50", "dropped by learned 0.75 >= 0.7")),
    ):
        resume = ["--resume"] if results.exists() else []
        run = ["-i", str(tmp_path / "in"), "--results", str(results), "--workers", "0", "--quiet", *words, *resume]
        assert RESIZE.main(run) == 0
        with open(results, newline="", encoding="utf-8") as stream:
            rows = {row["filename"]: row for row in csv.DictReader(stream)}
        assert {name for name, row in rows.items() if row["kept"] == "1"} == set(kept)
        assert notes[0] in rows["kernel.png"]["notes"] and notes[1] in rows["network.png"]["notes"]
        assert bool(rows["network.png"]["notes"]) == bool(notes[1])


def test_the_threshold_itself_is_kept() -> None:
    rule = Threshold("mean", 5, bounded(0, 9), "the mean")
    parser = argparse.ArgumentParser()
    rule.add_option(parser.add_argument_group())
    parsed = parser.parse_args(["--mean", "7.5"])
    assert [rule.keep(parsed, {"mean": value}) for value in (7.4, 7.5, 9)] == [False, True, True]

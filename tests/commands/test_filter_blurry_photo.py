"""The command `filter_blurry_photo`: its keep rule and prefix, and one run on the shipped weights."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.filter_blurry_photo import COMMAND
from tests.drawn_scenes import blurred, scene

FIELDS = {"blur": 1.0, "motion": 0.0, "motion_angle": None, "sharp_share": 0.8, "relative": 1.0, "confidence": 0.9}


def kept(words, **fields):
    return COMMAND.keep(COMMAND.parser().parse_args(["-i", "x", *words]), FIELDS | fields)


def test_two_pixels_is_the_default_and_the_limit_itself_is_kept():
    assert kept([], blur=2.0) and not kept([], blur=2.01)
    assert kept(["--blur", "3"], blur=2.9) and not kept(["--blur", "0.5"])


def test_what_cannot_be_told_is_kept_whatever_the_limits():
    assert kept(["--blur", "0", "--motion", "0", "--sharp-share", "1"], blur=8, motion=30, confidence=0.49)
    assert not kept([], blur=8, confidence=0.5)


def test_relative_takes_the_place_of_the_pixels_unless_both_are_given():
    assert kept(["--relative", "2"], blur=4.0) and not kept(["--relative", "0.9"])
    assert not kept(["--relative", "2", "--blur", "2"], blur=4.0)


def test_motion_and_the_share_that_is_sharp_are_further_limits():
    assert kept(["--motion", "5"], motion=5.0) and not kept(["--motion", "5"], motion=5.1)
    assert kept(["--sharp-share", "0.8"]) and not kept(["--sharp-share", "0.81"])
    assert kept(["--sharp-share", "1"], sharp_share=None)
    assert kept([], motion=30.0, sharp_share=0.0)


def test_names_sort_by_blur():
    assert COMMAND.prefix(FIELDS | {"blur": 1.44}) == "1.4"


def test_words_that_are_no_limit_are_refused(capsys):
    with pytest.raises(SystemExit):
        COMMAND.parser().parse_args(["-i", "x", "--blur", "9"])
    assert "--blur" in capsys.readouterr().err


def test_keeps_the_sharp_one_and_the_sky(tmp_path):
    (tmp_path / "in").mkdir()
    sky = np.repeat(np.linspace(120, 200, 300).astype(np.uint8)[:, None, None], 300, axis=1).repeat(3, axis=2)
    for name, pixels in {"sharp": scene(), "blurred": blurred(scene(), 4), "sky": sky}.items():
        Image.fromarray(pixels).save(tmp_path / "in" / f"{name}.png")
    run = ["-i", str(tmp_path / "in"), "--workers", "0", "--quiet"]
    assert COMMAND.main([*run, "-o", str(tmp_path / "kept")]) == 0
    assert sorted(path.name for path in (tmp_path / "kept").glob("[!.]*")) == ["sharp.png", "sky.png"]
    assert COMMAND.main([*run, "-o", str(tmp_path / "dropped"), "--invert", "--score-prefix"]) == 0
    (dropped,) = (path.name for path in (tmp_path / "dropped").glob("[!.]*"))
    assert dropped.endswith("_blurred.png") and 2.0 < float(dropped.partition("_")[0]) < 6

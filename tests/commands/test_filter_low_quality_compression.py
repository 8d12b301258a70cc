"""The codecs that decide, the prefix, and one run on the shipped weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.filter_low_quality_compression import COMMAND
from tests.jpeg_pictures import textured


def options(*words: str):
    return COMMAND.parser().parse_args(["-i", "x", *words])


def test_defaults_and_prefix() -> None:
    assert options().fidelity == 70 and options().codec is None
    assert COMMAND.prefix({"fidelity": 71.6, "codec": "webp"}) == "072_webp"


def test_only_the_codecs_given_are_judged() -> None:
    bad = {"fidelity": 20.0, "codec": "webp"}
    assert not COMMAND.keep(options(), bad)
    assert not COMMAND.keep(options("--codec", "WebP, avif"), bad)
    assert COMMAND.keep(options("--codec", "jpeg"), bad)
    assert COMMAND.keep(options("--codec", "webp"), bad | {"fidelity": 70.0})


@pytest.mark.parametrize("words", ["", "png", "jpeg,gif"])
def test_unknown_codecs_are_wrong_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        options("--codec", words)
    assert stop.value.code == 2 and "known codecs are none, jpeg, webp" in capsys.readouterr().err


def test_bad_webp_that_became_png_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(textured(1, 384)).save(tmp_path / "in" / "good.png")
    Image.fromarray(textured(2, 384)).save(tmp_path / "bad.webp", quality=20)
    Image.fromarray(np.asarray(Image.open(tmp_path / "bad.webp"))).save(tmp_path / "in" / "bad.png")
    run = ["-i", str(tmp_path / "in"), "--workers", "0", "--quiet", "--score-prefix"]
    assert COMMAND.main([*run, "-o", str(tmp_path / "kept")]) == 0
    assert COMMAND.main([*run, "-o", str(tmp_path / "dropped"), "--invert", "--codec", "webp"]) == 0
    (kept,) = (path.name for path in (tmp_path / "kept").glob("[!.]*"))
    (dropped,) = (path.name for path in (tmp_path / "dropped").glob("[!.]*"))
    assert kept == "100_none_good.png" or kept.endswith("_none_good.png")
    assert dropped.endswith("_webp_bad.png") and int(dropped[:3]) < 70

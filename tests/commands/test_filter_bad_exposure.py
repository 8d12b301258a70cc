"""The command `filter_bad_exposure`: its keep rule and prefix, and one run on the shipped weights."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
from PIL import Image

from cliqa.filter_bad_exposure import COMMAND, label_list, main, worst_label
from cliqa.signal.exposure.schema import ALIASES, LABELS
from tests.metrics.test_exposure import exposed, scene, shipped


def fields_of(**levels):
    fields = {}
    for label in LABELS:
        level = levels.get(label, 1)
        fields[f"{label}_level"] = level
        fields |= {f"{label}_p{k}": 0.9 if level >= k else 0.1 for k in (2, 3, 4)}
    return fields


def kept(options, **levels):
    return COMMAND.keep(COMMAND.parser().parse_args(["-i", "x", *options]), fields_of(**levels))


def test_every_label_must_be_below_the_level():
    assert kept([], too_dark=2, contrast_too_low=2)
    assert not kept([], too_dark=3)
    assert not kept([], too_dark=1, highlights_clipped=4)
    assert kept(["--max-level", "4"], too_dark=3)
    assert not kept(["--max-level", "2"], too_dark=2)


@pytest.mark.parametrize("names", ["too_bright,highlights_clipped", f"{ALIASES[0]}, {ALIASES[4]}"])
def test_labels_restrict_the_decision_in_either_language(names):
    assert kept(["--labels", names], too_dark=4)
    assert not kept(["--labels", names], too_dark=4, too_bright=3)


def test_unknown_labels_are_refused():
    with pytest.raises(argparse.ArgumentTypeError, match="sharpness"):
        label_list("too_dark,sharpness")
    with pytest.raises(argparse.ArgumentTypeError, match="nothing"):
        label_list(" , ")


def test_prefix_is_the_worst_level_and_its_label():
    assert COMMAND.prefix(fields_of(too_dark=3, contrast_too_low=2)) == "3_too_dark"
    assert COMMAND.prefix(fields_of()) == "1_none"
    tie = fields_of(too_dark=2, contrast_too_low=2) | {"contrast_too_low_p2": 0.95}
    assert worst_label(tie) == (2, "contrast_too_low")


@shipped
def test_run(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    Image.fromarray(exposed(scene(1), -3.6)).save(folder / "black.png")
    Image.fromarray(exposed(scene(1), 3.6)).save(folder / "white.png")
    options = ["-i", str(folder), "-o", str(out), "--workers", "0", "--quiet"]
    assert main([*options, "--labels", "too_bright"]) == 0
    assert [path.name for path in out.iterdir()] == ["black.png"]
    assert main([*options[:3], str(tmp_path / "other"), *options[4:], "--invert", "--score-prefix"]) == 0
    names = sorted(path.name for path in (tmp_path / "other").iterdir())
    assert len(names) == 2 and all(name[0] in "34" for name in names)
    np.testing.assert_array_equal(Image.open(out / "black.png"), Image.open(folder / "black.png"))

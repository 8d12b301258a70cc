"""The command `filter_bad_exposure`: its keep rule and prefix, and one run on the shipped weights."""

from __future__ import annotations

import argparse
import csv
import json

import numpy as np
import pytest
from PIL import Image

from cliqa.filter_bad_exposure import COMMAND, label_list, main, worst_label
from cliqa.outputs.placed import RECORD
from cliqa.signal.exposure.labels import ALIASES, LABELS
from tests.exposed_pictures import exposed, scene


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


def test_run(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    Image.fromarray(exposed(scene(1), -3.6)).save(folder / "black.png")
    Image.fromarray(exposed(scene(1), 3.6)).save(folder / "white.png")
    options = ["-i", str(folder), "-o", str(out), "--workers", "0", "--quiet"]
    assert main([*options, "--labels", "too_bright"]) == 0
    assert [path.name for path in out.iterdir() if path.name != RECORD] == ["black.png"]
    assert main([*options[:3], str(tmp_path / "other"), *options[4:], "--invert", "--score-prefix"]) == 0
    names = sorted(path.name for path in (tmp_path / "other").iterdir() if path.name != RECORD)
    assert len(names) == 2 and all(name[0] in "34" for name in names)
    np.testing.assert_array_equal(Image.open(out / "black.png"), Image.open(folder / "black.png"))


def schema(tmp_path, ending):
    """ "Clipped at 2 or more implies too bright at 4", under the documented names."""
    if ending == "json":
        text = json.dumps({
            "Nodes": [{"label": alias} for alias in ALIASES],
            "Subsumptions": [{"label_a": ALIASES[4], "label_b": ALIASES[0], "map": [[2, 4]]}],
        })  # fmt: skip
    else:
        nodes = "".join(f'[[Nodes]]\nlabel = "{alias}"\n' for alias in ALIASES)
        text = f'{nodes}[[Subsumptions]]\nlabel_a = "{ALIASES[4]}"\nlabel_b = "too_bright"\nmap = [[2, 4]]\n'
    path = tmp_path / f"rules.{ending}"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("ending", ["json", "toml"])
def test_rules_of_ones_own(tmp_path, ending):
    if ending == "toml":
        pytest.importorskip("tomllib")
    folder, results = tmp_path / "in", str(tmp_path / "r.csv")
    folder.mkdir()
    Image.fromarray(exposed(scene(1), 1.6)).save(folder / "light.png")
    words = ["-i", str(folder), "--results", results, "--workers", "0", "--quiet"]
    assert main(words) == 0
    before = read(results)
    assert before["exposure.too_bright_level"] != "4" and before["exposure.highlights_clipped_level"] != "1"
    assert main([*words, "--schema", schema(tmp_path, ending), "--resume"]) == 0  # other rules: scored again
    after = read(results)
    assert after["exposure.too_bright_level"] == "4" or after["exposure.highlights_clipped_level"] == "1"


def read(path):
    with open(path, newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    return row


def test_rules_that_cannot_be_are_refused(tmp_path, capsys):
    path = tmp_path / "rules.json"
    path.write_text('{"Nodes": [{"label": "too_dark"}]}')
    assert main(["-i", str(tmp_path), "--print", "--schema", str(path)]) == 2
    assert "exactly the labels" in capsys.readouterr().err
    assert main(["-i", str(tmp_path), "--print", "--schema", str(tmp_path / "none.toml")]) == 2

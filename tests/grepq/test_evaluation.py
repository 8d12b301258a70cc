"""The table of agreement with ratings."""

from __future__ import annotations

import numpy as np

from cliqa.grepq import __main__ as grepq
from cliqa.grepq.evaluation import few_labels


def test_evaluate_prints_the_documented_table(folder, weights, tmp_path, capsys):
    table = tmp_path / "mos.csv"
    table.write_text("image,mos\n" + "".join(f"{i}.png,{i}\n" for i in range(6)))
    assert grepq.main(["evaluate", str(folder), "--table", str(table), "--checkpoint", weights, "-g", "-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "6 photographs"
    assert lines[1].split() == ["SRCC", "PLCC", "KRCC"]
    assert [line.split(",")[0] for line in lines[2:]] == ["low", "high", "combined"]


def test_a_ridge_on_a_few_labels_finds_a_straight_line():
    features = np.random.default_rng(0).normal(size=(80, 3))
    ratings = features @ [1.0, -2.0, 0.5]
    assert min(few_labels(features, ratings, 40, 3)) > 0.95
    assert abs(few_labels(features, np.random.default_rng(1).normal(size=80), 40, 3)[0]) < 0.5

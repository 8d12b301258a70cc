"""Which images to label next."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from cliqa.grepq import __main__ as grepq
from cliqa.grepq.suggestions import spread_over


def test_one_comes_from_every_part_of_the_order():
    scores = np.random.default_rng(3).permutation(100).astype(float)
    chosen = scores[spread_over(scores, 10)]
    assert [int(score // 10) for score in chosen] == list(range(10))
    assert not np.array_equal(spread_over(scores, 10), spread_over(scores, 10, seed=1))
    assert sorted(spread_over(scores[:4], 9)) == [0, 1, 2, 3]
    assert len(spread_over(scores[:0], 9)) == 0


def suggested(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    assert grepq.main(["suggest", *arguments, "-g", "-1"]) == 0
    return list(csv.DictReader(capsys.readouterr().out.splitlines()))


def test_labelled_images_are_not_suggested_again_and_a_model_gives_the_scores(folder, weights, tmp_path, capsys):
    labels, model = tmp_path / "mos.csv", str(tmp_path / "own.safetensors")
    labels.write_text("path,score\n0.png,1\n1.png,2\n2.png,5\n")
    rows = suggested([str(folder), "--labels", str(labels), "-n", "9", "--checkpoint", weights], capsys)
    assert {row["path"].rpartition("/")[2] for row in rows} == {"3.png", "4.png", "5.png"}
    assert all(0 <= float(row["score_now"]) <= 1 for row in rows)
    assert (
        grepq.main(["fit", str(folder), "--labels", str(labels), "-o", model, "--checkpoint", weights, "-g", "-1"]) == 0
    )
    capsys.readouterr()
    rows = suggested([str(folder), "--model", model, "-n", "2"], capsys)
    assert grepq.main(["predict", str(folder), "--model", model, "-g", "-1"]) == 0
    predicted = {row["path"]: row["score"] for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    assert [predicted[row["path"]] for row in rows] == [row["score_now"] for row in rows]


def test_what_can_not_be_spread_over_is_refused(folder, weights, capsys):
    assert grepq.main(["suggest", str(folder), "--model", weights, "-g", "-1"]) == 2
    assert "no fitted model" in capsys.readouterr().err
    assert grepq.main(["suggest", str(folder), "--kind", "rated", "--checkpoint", weights, "-g", "-1"]) == 2
    assert "no zero-shot score" in capsys.readouterr().err
    assert grepq.main(["suggest", str(folder), "--encoder", "clip", "-g", "-1"]) == 2
    assert "leave --encoder out" in capsys.readouterr().err

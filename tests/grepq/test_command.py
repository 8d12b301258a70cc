"""The sub-commands that print scores."""

from __future__ import annotations

import csv

from cliqa.grepq import __main__ as grepq


def test_score_prints_a_row_for_each_image_that_can_be_read(folder, weights, capsys):
    broken = folder / "broken.png"
    broken.write_bytes(b"no image")
    assert grepq.main(["score", str(folder / "0.png"), str(broken), "--checkpoint", weights, "-g", "-1"]) == 0
    out, err = capsys.readouterr()
    assert [row["path"] for row in csv.DictReader(out.splitlines())] == [str(folder / "0.png")]
    assert "broken.png" in err

"""Features, and models fitted to labels."""

from __future__ import annotations

import csv

import pytest
from PIL import Image

from cliqa.grepq import __main__ as grepq
from cliqa.grepq import models
from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, checkpoints
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import KINDS


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_fit_and_predict_agree_from_folder_and_from_features(folder, weights, tmp_path, capsys, kind):
    labels, model, stored = tmp_path / "mos.csv", str(tmp_path / "own.safetensors"), str(tmp_path / "f.npz")
    labels.write_text("path,score\n" + "".join(f"{i}.png,{i}\n" for i in range(6)))
    common = ["--checkpoint", weights, "--gpu", "-1"]
    asked = ["--kind", kind] if kind else []
    assert grepq.main(["features", str(folder), "-o", stored, *asked, *common]) == 0
    assert grepq.main(["fit", stored, "--labels", str(labels), "-o", model, *asked, *common]) == 0
    assert "cross-validated SRCC" in capsys.readouterr().err
    tables = []
    for source in (stored, str(folder)):
        assert grepq.main(["predict", source, "--model", model, "-g", "-1"]) == 0
        tables.append(list(csv.DictReader(capsys.readouterr().out.splitlines())))
    assert tables[0] == tables[1]
    assert len(tables[0]) == 6
    tensors, facts = checkpoints.load(model, metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version)
    assert facts["kind"] == kind or (kind is None and facts["kind"] in KINDS)
    if kind in ("label-free", "rated"):
        other = "rated" if kind == "label-free" else "label-free"
        assert grepq.main(["fit", stored, "--labels", str(labels), "-o", model, "--kind", other, *common]) == 2
        assert f"holds {kind} features, not {other}" in capsys.readouterr().err
    scored = GRepQ(tensors, facts).score_view(View(LoadedImage.from_pil(Image.open(folder / "2.png"))))
    assert scored["quality"] == pytest.approx(float(tables[0][2]["score"]), abs=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,score\nnone.png,1\n0.png,2\n1.png,3\n",
            "1 of 3 labelled paths is not in {folder} (or not the only file of that name): none.png",
        ),
        ("path,score\n0.png,2\n", "at least three"),
        ("path,score\n0.png,2\n1.png,2\n2.png,2\n", "all labels are 2"),
        ("path,score\n0.png,nan\n1.png,2\n2.png,2\n", "is nan"),
        ("path,score\n0.png,good\n1.png,2\n2.png,2\n", "no number"),
        ("file;mos\n0.png;1\n", "at least three"),
        ("path,score\n0.png,1\nsub/0.png,2\n1.png,3\n", "sub/0.png could be"),
    ],
)
def test_labels_that_teach_nothing_are_refused(folder, weights, tmp_path, capsys, text, message):
    labels = tmp_path / "mos.csv"
    labels.write_text(text)
    arguments = [
        "fit",
        str(folder),
        "--labels",
        str(labels),
        "-o",
        str(tmp_path / "m"),
        "--checkpoint",
        weights,
        "-g",
        "-1",
    ]
    assert grepq.main(arguments) == 2
    assert message.format(folder=folder) in capsys.readouterr().err


def test_only_what_is_labelled_is_read_and_labels_are_matched_first(folder, weights, tmp_path, capsys, monkeypatch):
    (folder / "broken.png").write_bytes(b"none")
    labels, model = tmp_path / "mos.csv", str(tmp_path / "own.safetensors")
    arguments = ["fit", str(folder), "--labels", str(labels), "-o", model, "--checkpoint", weights, "-g", "-1"]
    labels.write_text("path,score\n0.png,1\n1.png,2\n2.png,5\n")
    seen = []
    read = models.load_image
    monkeypatch.setattr(models, "load_image", lambda path: [seen.append(path), read(path)][1])
    assert grepq.main(arguments) == 0
    assert seen == [str(folder / f"{number}.png") for number in range(3)]
    assert "rests on 3 labels" in capsys.readouterr().err
    for name, message in (("broken.png", "broken.png can't be read"), ("away.png", "is not in")):
        labels.write_text(f"path,score\n0.png,1\n1.png,2\n2.png,5\n{name},3\n")
        seen.clear()
        assert grepq.main(arguments) == 2
        assert message in capsys.readouterr().err and bool(seen) == (name == "broken.png")


def test_what_more_labels_would_add_is_said_of_enough_alone():
    curve = ((10, 0.5), (20, 0.6), (40, 0.605))
    assert models.more_labels(curve, 50).endswith("more would help little")
    assert models.more_labels(((5, 1.0), (10, 1.0)), 12).startswith("this rests on 12 labels")


def test_a_fit_says_how_far_off_it_is(folder, weights, tmp_path, capsys):
    for number in range(6, 14):
        Image.new("RGB", (64, 64), (number * 12, 90, 60)).save(folder / f"{number}.png")
    labels, model = tmp_path / "mos.csv", str(tmp_path / "own.safetensors")
    labels.write_text("path,score\n" + "".join(f"{i}.png,{i}\n" for i in range(14)))
    assert (
        grepq.main(["fit", str(folder), "--labels", str(labels), "-o", model, "--checkpoint", weights, "-g", "-1"]) == 0
    )
    told = capsys.readouterr().err
    assert "90 % of resamples" in told
    assert "nine of ten images lie within" in told
    _, facts = checkpoints.load(model, metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version)
    assert float(facts["within"]) > 0


def test_score_prints_a_row_for_each_image_that_can_be_read(folder, weights, capsys):
    broken = folder / "broken.png"
    broken.write_bytes(b"no image")
    assert grepq.main(["score", str(folder / "0.png"), str(broken), "--checkpoint", weights, "-g", "-1"]) == 0
    out, err = capsys.readouterr()
    assert [row["path"] for row in csv.DictReader(out.splitlines())] == [str(folder / "0.png")]
    assert "broken.png" in err

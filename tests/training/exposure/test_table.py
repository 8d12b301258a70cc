"""Training from a table of labels: reading it, partial labels, both losses, and the unaries that come out."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import UsageError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import load_metric
from cliqa.metrics.base import View
from cliqa.signal.exposure.labels import ALIASES, LABELS
from cliqa.signal.exposure.schema import SCHEMA, graph_from_schema
from cliqa.training.exposure import table as exposure_table
from tests.exposed_pictures import scene
from tests.tiny_clip import TRANSFORMER, tiny_clip

torch = pytest.importorskip("torch")
GRAPH = graph_from_schema(SCHEMA)
# The documented rules, under the documented names.
CHINESE = {
    "Nodes": [{"label": alias, "levels": [1, 2, 3, 4]} for alias in ALIASES],
    "Exclusions": [
        {"label_a": ALIASES[i], "a_levels": [2, 3, 4], "label_b": ALIASES[i + 1], "b_levels": [2, 3, 4]}
        for i in (0, 2, 4)
    ],
    "Subsumptions": [{"label_a": alias, "label_b": alias, "map": [[3, 2], [4, 2], [4, 3]]} for alias in ALIASES],
}


def open_text(path):
    return io.StringIO(path.read_text(encoding="utf-8"))


@pytest.fixture
def labelled(tmp_path):
    """Twelve pictures, a third dark, a third bright, with levels; contrast was not judged."""
    lines = ["image,整体偏暗,too_bright,高光过曝"]
    for index in range(12):
        kind = index % 3
        pixels = scene(index, (60, 80)) * (1.0, 0.25, 1.0)[kind] + (0, 0, 120)[kind]
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(tmp_path / f"{index}.png")
        lines.append(f"{index}.png,{(1, 3, 1)[kind]},{(1, 1, 3)[kind]},{('', 1, 2)[kind]}")
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def test_cells_may_be_empty_and_names_chinese(labelled):
    table = exposure_table.read_table(labelled, GRAPH)
    names, levels = table.names, table.levels
    assert names[:2] == ["0.png", "1.png"]
    assert set(table.split) <= set(exposure_table.SPLITS)
    assert levels[0].tolist() == [1, 1, 0, 0, 0, 0]
    assert levels[2].tolist() == [3, 1, 0, 0, 2, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,too_dark\na.png,5\n", "row 2.*too_dark is '5'"),
        ("image,too_dark,too_bright\na.png,1,1\nb.png,2,2\n", "row 3.*breaks"),
        ("file,too_dark\na.png,1\n", "column 'image'"),
        ("image,sharpness\na.png,1\n", "no label column"),
        ("", "needs rows"),
        ("image,too_dark,split\na.png,1,holiday\n", "split is 'holiday'"),
        ("image,too_dark,split\na.png,1,test\n", "no row to train on"),
    ],
)
def test_bad_tables_say_so(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        exposure_table.read_table(path, GRAPH)


@pytest.mark.parametrize("loss", ["marginal", "focal"])
def test_light_unary_learns_the_table_and_loads_as_the_metric(labelled, tmp_path, loss):
    out = tmp_path / "mine.safetensors"
    options = ["--table", str(labelled), "--images", str(tmp_path), "--out", str(out), "--loss", loss]
    assert exposure_table.main([*options, "--epochs", "40", "--split", "100", "0", "0"]) == 0
    metric = load_metric("exposure", str(out))
    table = exposure_table.read_table(labelled, GRAPH)
    names, levels = table.names, table.levels
    right = []
    for name, row in zip(names, levels, strict=True):
        fields = metric.score_view(View(LoadedImage.from_pil(Image.open(tmp_path / name))))
        right += [(fields[f"{LABELS[j]}_level"] >= 2) == (row[j] >= 2) for j in (0, 1)]
    assert np.mean(right) >= 0.9


@pytest.mark.parametrize("unary", ["v1", "v2"])
@pytest.mark.parametrize("loss", ["marginal", "focal"])
def test_from_a_table_to_the_filter_with_clip(labelled, tmp_path, unary, loss):
    """The documented way: table -> weights and their report -> `filter_bad_exposure --checkpoint`, with rules of one's own."""
    model, clip = tiny_clip(tmp_path, TRANSFORMER)
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(CHINESE, ensure_ascii=False), encoding="utf-8")
    out, photos, kept = tmp_path / "mine.safetensors", tmp_path / "photos", tmp_path / "kept"
    options = ["--table", str(labelled), "--images", str(tmp_path), "--out", str(out), "--unary", unary, "--loss", loss]
    options += ["--clip-model", model, "--clip-weights", clip, "--schema", str(rules), "--split", "60", "20", "20"]
    assert exposure_table.main([*options, "--epochs", "4"]) == 0
    curve = list(csv.DictReader(open_text(out.with_suffix(".curve.csv"))))
    assert [int(row["epoch"]) for row in curve] == [0, 1, 2, 3]
    assert float(curve[-1]["train"]) < float(curve[0]["train"])
    answers = list(csv.DictReader(open_text(out.with_suffix(".predictions.csv"))))
    assert len(answers) == 12 and answers[1]["too_dark_true"] == "3" and answers[1]["contrast_too_low_true"] == ""
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert "| train, issue or none |" in card and "| all | 12 | 8 | 4 |" in card

    from cliqa.filter_bad_exposure import main

    photos.mkdir()
    for name in ("0.png", "1.png"):
        (tmp_path / name).rename(photos / name)
    common = ["-i", str(photos), "-o", str(kept), "--checkpoint", str(out), "--workers", "0", "--quiet", "-g", "-1"]
    assert main([*common, "--results", str(tmp_path / "r.csv")]) == 0
    rows = {row["path"][-5:]: row for row in csv.DictReader(open_text(tmp_path / "r.csv"))}
    assert sorted(rows) == ["0.png", "1.png"]
    assert rows["1.png"]["exposure_clip.too_dark_level"] == answers[1]["too_dark"]


def test_the_rules_of_a_fit_may_list_the_labels_in_any_order(labelled, tmp_path):
    out = tmp_path / "mine.safetensors"
    rules = tmp_path / "rules.json"
    turned = CHINESE | {"Nodes": CHINESE["Nodes"][::-1]}
    rules.write_text(json.dumps(turned, ensure_ascii=False), encoding="utf-8")
    options = ["--table", str(labelled), "--images", str(tmp_path), "--out", str(out), "--split", "100", "0", "0"]
    assert exposure_table.main([*options, "--schema", str(rules), "--epochs", "40"]) == 0
    metric = load_metric("exposure", str(out))
    assert metric.graph.names == ALIASES[::-1]
    dark = metric.score_view(View(LoadedImage.from_pil(Image.open(tmp_path / "1.png"))))
    assert dark["too_dark_level"] >= 2 and dark["too_bright_level"] == 1


def test_partial_likelihood_agrees_with_the_graph():
    from cliqa.training.exposure.fit import HexLikelihood, likelihood_loss

    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, (20, 18)).astype(np.float32)
    levels = np.array([[0, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 4], [1, 1, 1, 1, 1, 1], [0, 3, 0, 2, 1, 0]] * 5)
    cells = GRAPH.admissible(levels)
    found = HexLikelihood(GRAPH)(torch.from_numpy(z), torch.from_numpy(cells)).sum(dim=1)
    np.testing.assert_allclose(found, GRAPH.log_likelihood(z, cells), atol=1e-4)
    ones = torch.log(torch.full((4, 1), 0.9))
    assert float(likelihood_loss(ones, "focal")) == pytest.approx(
        0.01 * float(likelihood_loss(ones, "marginal")), rel=1e-4
    )


def test_chinese_names_cover_all_labels():
    assert len(set(ALIASES)) == len(LABELS) == 6

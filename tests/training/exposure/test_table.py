"""Training from a table of labels: reading it, partial labels, both losses, and the unaries that come out."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import UsageError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import load_metric
from cliqa.metrics.base import View
from cliqa.signal.exposure.schema import ALIASES, LABELS, SCHEMA, graph_from_schema
from cliqa.training.exposure import table as exposure_table
from tests.metrics.test_exposure import scene

torch = pytest.importorskip("torch")
GRAPH = graph_from_schema(SCHEMA)


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
    names, levels = exposure_table.read_table(labelled, GRAPH)
    assert names[:2] == ["0.png", "1.png"]
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
    assert exposure_table.main([*options, "--epochs", "40"]) == 0
    metric = load_metric("exposure", str(out))
    names, levels = exposure_table.read_table(labelled, GRAPH)
    right = []
    for name, row in zip(names, levels, strict=True):
        fields = metric.score_view(View(LoadedImage.from_pil(Image.open(tmp_path / name))))
        right += [(fields[f"{LABELS[j]}_level"] >= 2) == (row[j] >= 2) for j in (0, 1)]
    assert np.mean(right) >= 0.9


@pytest.mark.parametrize("unary", ["v1", "v2"])
@pytest.mark.parametrize("loss", ["marginal", "focal"])
def test_clip_unaries_learn_the_table(labelled, tmp_path, unary, loss):
    pytest.importorskip("open_clip")
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    from cliqa.metrics.exposure_clip import ExposureClip

    torch.manual_seed(0)
    vision = CLIPVisionCfg(layers=1, width=32, head_width=16, patch_size=16, image_size=32)
    backbone = CLIP(24, vision, CLIPTextCfg(context_length=77, width=32, heads=2, layers=1))
    names, levels = exposure_table.read_table(labelled, GRAPH)
    views = [View(LoadedImage.from_pil(Image.open(tmp_path / name))) for name in names]
    out = tmp_path / "clip.safetensors"
    facts = {"backbone": "tiny", "backbone_weights": ""}
    losses = [
        exposure_table.train_clip(
            views,
            levels,
            GRAPH,
            exposure_table.TableFit(loss=loss, epochs=epochs, rate=5e-3),
            out,
            unary,
            backbone,
            facts,
        )
        for epochs in (1, 4)
    ]
    assert losses[1] < losses[0]

    from cliqa.metrics import checkpoints

    tensors, metadata = checkpoints.load(out, metric="exposure_clip", architecture="clip-hex", version=1)
    metric = ExposureClip(tensors, metadata, backbone=backbone)
    assert set(metric.score_view(views[0])) == {field.name for field in ExposureClip.fields}


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

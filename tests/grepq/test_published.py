"""GRepQ as published, from the folders of versions to the evaluation, on a tiny CLIP of the same class."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cliqa.errors import CheckpointError
from cliqa.grepq import __main__ as grepq
from cliqa.grepq.low_level import load_low
from cliqa.metrics import checkpoints
from cliqa.metrics.grepq_clip import ClipEncoder
from cliqa.training import train
from tests.tiny_clip import tiny_clip

pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The options that name a tiny CLIP."""
    name, weights = tiny_clip(tmp_path_factory.mktemp("clip"))
    return ["--clip-model", name, "--clip-weights", weights]


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """The documented layout: a folder for each of four photographs, three versions in each."""
    root = tmp_path_factory.mktemp("versions")
    for number in range(4):
        rng = np.random.default_rng(number)
        small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        picture = np.asarray(small.resize((256, 240), Image.Resampling.BICUBIC))
        (root / f"image{number}").mkdir()
        for kind in range(1, 4):
            noisy = picture + rng.normal(0, 12 * (kind - 1), picture.shape)
            pixels = np.clip(noisy, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / f"image{number}" / f"image{number}_distortion{kind}.png")
    return root


@pytest.fixture(scope="module")
def models(versions, clip, tmp_path_factory):
    """LLM and HLM, as the two recipes make them."""
    pytest.importorskip("piq")
    root = tmp_path_factory.mktemp("Results")
    common = ["--data", str(versions), "--out", str(root), "--epochs", "1"]
    assert train.main(["grepq_low", *common, "--work", str(root / "low")]) == 0
    assert train.main(["grepq_high", *common, "--work", str(root / "high"), *clip]) == 0
    return str(root / "LLM" / "grepq_low.safetensors"), str(root / "HLM" / "grepq_high.safetensors")


def rows(text):
    return list(csv.DictReader(text.splitlines()))


def run(words, *options):
    return grepq.main([*map(str, words), "--encoder", "clip", "-g", "-1", *map(str, options)])


def test_single_images_zero_shot(folder, clip, weights, capsys):
    assert run(["score", folder / "0.png", folder / "1.png"], "--checkpoint", weights, *clip) == 0
    found = rows(capsys.readouterr().out)
    assert [row["path"] for row in found] == [str(folder / "0.png"), str(folder / "1.png")]
    for row in found:
        assert 0 < float(row["q_low"]) <= 0.5 and 0 < float(row["q_high"]) < 1
        assert float(row["q"]) == pytest.approx((float(row["q_low"]) + float(row["q_high"])) / 2, abs=1e-5)
    assert found[0]["q_high"] != found[1]["q_high"]


def test_the_models_that_the_recipes_train_are_what_the_command_takes(folder, models, clip, capsys):
    low, high = models
    assert run(["score", folder / "3.png"], "--checkpoint", low, "--clip-weights", high) == 0
    own = rows(capsys.readouterr().out)[0]
    assert run(["score", folder / "3.png"], "--checkpoint", low, *clip) == 0
    untuned = rows(capsys.readouterr().out)[0]
    assert own["q_low"] == untuned["q_low"]
    assert float(own["q_high"]) == pytest.approx(float(untuned["q_high"]), abs=0.02)  # one step at a rate of 1e-6
    assert all("Made by" in Path(model).with_suffix(".md").read_text() for model in models)


def test_training_resumes_and_a_finished_one_is_not_run_again(versions, models, clip, tmp_path):
    low, _ = models
    for work in ("a", "a"):
        common = ["--data", str(versions), "--out", str(tmp_path), "--work", str(tmp_path / work), "--epochs", "1"]
        assert train.main(["grepq_low", *common]) == 0
        tensors, _ = checkpoints.load(
            tmp_path / "LLM" / "grepq_low.safetensors", metric="grepq_low", architecture="resnet18-patches", version=1
        )
    first, _ = checkpoints.load(low, metric="grepq_low", architecture="resnet18-patches", version=1)
    assert all(np.array_equal(tensors[name], first[name]) for name in first)


@pytest.mark.parametrize("layout", ["clive", "koniq"])
def test_evaluation_on_the_documented_data_sets(layout, weights, clip, tmp_path, capsys):
    names = [f"{number}.jpg" for number in range(6)]
    folder = tmp_path / ("Images" if layout == "clive" else "1024x768")
    folder.mkdir()
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 60 + 30 * number, (72, 96, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    if layout == "clive":
        scipy_io = pytest.importorskip("scipy.io")
        (tmp_path / "Data").mkdir()
        cells = np.array([[name] for name in names], dtype=object)
        scipy_io.savemat(tmp_path / "Data" / "AllImages_release.mat", {"AllImages_release": cells})
        scipy_io.savemat(tmp_path / "Data" / "AllMOS_release.mat", {"AllMOS_release": np.arange(6.0)[None]})
    else:
        lines = ["image_name,MOS_zscore", *(f"{name},{10 * number}" for number, name in enumerate(names))]
        (tmp_path / "koniq10k_scores_and_distributions.csv").write_text("\n".join(lines) + "\n")
    assert run(["evaluate", tmp_path], "--checkpoint", weights, *clip) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "6 photographs"
    assert [line.split(",")[0] for line in lines[2:]] == ["low", "high", "combined"]


def test_joined_features_and_a_ridge_on_them(folder, weights, clip, tmp_path, capsys):
    stored, model, labels = tmp_path / "f.npz", tmp_path / "own.safetensors", tmp_path / "mos.csv"
    labels.write_text("path,score\n" + "".join(f"{i}.png,{i}\n" for i in range(6)))
    common = ["--checkpoint", weights, *clip]
    assert run(["features", folder, "-o", stored], *common) == 0
    with np.load(stored) as content:
        assert content["features"].shape == (6, 24 + 128)  # 1024 + 128 of RN50
    assert run(["fit", stored, "--labels", labels, "-o", model, "--alpha", "1", "10"], *common) == 0
    assert "published features, alpha 1" in capsys.readouterr().err
    assert grepq.main(["predict", str(stored), "--model", str(model)]) == 0  # needs no encoder
    from_file = rows(capsys.readouterr().out)
    assert grepq.main(["predict", str(folder), "--model", str(model), "-g", "-1", *common]) == 0
    assert rows(capsys.readouterr().out) == from_file
    assert grepq.main(["predict", str(folder), "--model", str(model), "-g", "-1", "--max-side", "48", *common]) == 2
    assert "other encoders" in capsys.readouterr().err
    assert run(["features", folder, "-o", tmp_path / "g.npz", "--kind", "rated"], *common) == 2


def test_large_pictures_are_bounded_and_sizes_up_to_the_bound_are_read_as_they_are(
    folder, weights, clip, tmp_path, capsys
):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (500, 800, 3), dtype=np.uint8)).save(tmp_path / "b.png")
    scores = []
    for side in ("800", "0", "160"):
        assert run(["score", tmp_path / "b.png"], "--checkpoint", weights, "--max-side", side, *clip) == 0
        scores.append(rows(capsys.readouterr().out)[0])
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.filterwarnings("ignore")  # of tracing
def test_openais_own_archive_is_read(clip, tmp_path):
    open_clip = pytest.importorskip("open_clip")
    name, weights = clip[1], clip[3]
    model = open_clip.create_model(name, pretrained=weights, require_pretrained=True).eval()
    given = torch.zeros(1, 3, 64, 64), torch.zeros(1, 77, dtype=torch.int64)
    path = tmp_path / "RN50.pt"
    torch.jit.trace(model, given, check_trace=False).save(str(path))
    expected = ClipEncoder(model, open_clip.get_tokenizer(name)).prompts()
    assert torch.allclose(ClipEncoder.load(path, model=name).prompts(), expected, atol=1e-5)


def test_a_file_that_is_no_clip_is_refused(clip, tmp_path):
    other = tmp_path / "x.json"
    other.write_text("{}")
    with pytest.raises(CheckpointError, match="CLIP"):
        ClipEncoder.load(other, model=clip[1])


def test_the_high_level_model_is_no_low_level_one(models, clip):
    with pytest.raises(CheckpointError, match="grepq_high"):
        load_low(models[1])

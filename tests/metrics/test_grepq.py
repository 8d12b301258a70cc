"""The metrics grepq and aesthetic on random weights of the right shapes: contract, sharing, fitted models, the command."""

import csv
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from cliqa.grepq import __main__ as grepq
from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, checkpoints
from cliqa.metrics.aesthetic import LABELS, Aesthetic, probabilities
from cliqa.metrics.encoder import (
    POOLED_WIDTH,
    Branch,
    LowHead,
    RatedHead,
    Trunk,
    pool,
    pool_statistics,
    standardise,
    window_features,
)
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import FEATURE_PARTS, KINDS, LABEL_FREE_WIDTH, of_kind, zero_shot_columns
from cliqa.signal.densities import logit
from cliqa.signal.quality.trace_statistics import WIDTH


@pytest.fixture(scope="module")
def tensors():
    torch.manual_seed(0)
    modules = {
        "trunk.": Trunk(),
        "free.": Branch(),
        "low.": LowHead(),
        "rated.branch.": Branch(),
        "rated.head.": RatedHead(),
    }
    found = {p + n: v.detach().numpy().copy() for p, m in modules.items() for n, v in m.state_dict().items()}
    rng = np.random.default_rng(0)
    return found | {
        "high.mean": np.zeros(POOLED_WIDTH), "high.scale": np.ones(POOLED_WIDTH),
        "high.weight": np.stack([rng.normal(size=POOLED_WIDTH), np.zeros(POOLED_WIDTH)]), "high.bias": np.array([0.0, 12.0]),
        "high.good": np.array([1.0, 0.0]), "high.bad": np.array([-1.0, 0.0]),
        "damage.weight": rng.normal(size=(5, POOLED_WIDTH)), "damage.bias": np.zeros(5),
        "statistics.mean": np.zeros(15), "statistics.scale": np.full(15, 50.0),
        "pristine.mean": np.zeros(128), "pristine.covariance": np.eye(128), "blend": np.array([60.0, 1.0, 4.0]),
        "traces.mean": np.zeros(WIDTH), "traces.scale": np.ones(WIDTH), "traces.weight.0": np.zeros((2, WIDTH)),
        "traces.bias.0": np.array([0.5, 0.1]), "blend.traces": np.array([1.0, 0.0]), "quality.traces": np.zeros(2),
        "quality.weight": np.array([1.0, 0, 0, 0, 0]), "quality.bias": np.array([0.5]),
        "calibration.weight": np.zeros((3, 5)), "calibration.bias": np.array([0.0, 1.0, 0.0]), "decision": np.zeros(3),
    }  # fmt: skip


@pytest.fixture(scope="module")
def weights(tensors, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "grepq.safetensors"
    checkpoints.save(path, tensors, metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version)
    return str(path)


def view(height=96, width=128, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return View(LoadedImage.from_array(pixels))


def test_fields_are_in_range_and_do_not_depend_on_what_came_before(tensors):
    metric = GRepQ(tensors, {})
    observations = [metric.observe(view(seed=0)), metric.observe(view(400, 600, 1)), metric.observe(view(33, 200, 2))]
    for observation in observations:
        fields = metric.score(observation)
        assert all(0 <= fields[f.name] <= f.high for f in metric.fields)
        assert GRepQ(tensors, {}).score(observation) == fields


def test_pictures_larger_than_needed_cost_no_more(tensors):
    observed = GRepQ.observe(view(900, 1400))
    assert max(observed["picture"].shape) == 384
    assert max(observed["detail"].shape) == 512


def test_both_metrics_share_one_encoder_and_one_pass(tensors, monkeypatch):
    both = GRepQ(tensors, {}), Aesthetic(tensors, {})
    assert both[0].encoder is both[1].encoder
    passes = []
    original = both[0].encoder.branch.forward
    monkeypatch.setattr(both[0].encoder.branch, "forward", lambda x: passes.append(1) or original(x))
    seen = view()
    # As one worker process sends what all metrics observed of a file.
    observations = pickle.loads(pickle.dumps([metric.observe(seen) for metric in both]))
    assert observations[0]["picture"] is observations[1]["picture"]
    both[0].score(observations[0])
    both[1].score(observations[1])
    assert len(passes) == 1
    both[1].score(Aesthetic.observe(view(seed=9)))
    assert len(passes) == 2


def test_other_weights_get_another_encoder(tensors):
    changed = tensors | {"rated.head.out.bias": np.ones(5, dtype=np.float32)}
    assert Aesthetic(tensors, {}).encoder is not Aesthetic(changed, {}).encoder


def test_aesthetic_chances_sum_to_one_and_agree_with_label_and_score(tensors):
    metric = Aesthetic(tensors, {})
    fields = metric.score(metric.observe(view()))
    chances = [fields[f"p_{label}"] for label in LABELS]
    assert sum(chances) == pytest.approx(1.0)
    assert fields["label"] == "pending"
    assert fields["score"] == pytest.approx(chances[1] + 2 * chances[2])
    favoured = Aesthetic(tensors | {"decision": np.array([1.5, 0.0, 0.0])}, {})
    assert favoured.score(favoured.observe(view())) == fields | {"label": "rejected"}
    assert probabilities(np.array([1e4, 0, 0, 0, 0]), np.eye(3, 5), np.zeros(3)).tolist() == [1.0, 0.0, 0.0]


def test_windows_hold_the_mean_and_deviation_of_their_part_of_the_maps():
    trunk = Trunk().eval()
    pixels = torch.randint(0, 256, (1, 192, 144, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        shared = trunk(standardise(pixels))
        windows = window_features(shared, 96, 48)[0]
    assert windows.shape == (3 * 2, 2 * (24 + 32))
    cells = shared[1][0, :, 6:18, 6:18].flatten(1)  # the window at row 1, column 1: 96 pixels from 48
    assert torch.allclose(windows[3, 24:56].abs() ** 2, cells.mean(1).abs(), atol=1e-4)
    assert torch.allclose(windows[3, 80:] ** 2, cells.std(1, correction=0), atol=2e-2)


def test_pooling_has_the_stated_width_and_its_scores_come_back_from_the_features(tensors):
    with torch.no_grad():
        shared = Trunk()(torch.zeros(2, 3, 64, 96))
        assert pool(shared + Branch()(shared[-1])).shape == (2, POOLED_WIDTH)
    metric = GRepQ(tensors, {})
    observed = metric.observe(view())
    features, fields = metric.features(observed), metric.score(observed)
    for column, name in zip(zero_shot_columns(features[None]), ("q_low", "q_high", "q"), strict=True):
        assert column[0] == pytest.approx(fields[name], abs=1e-4)
    assert FEATURE_PARTS["combined"][-1] == LABEL_FREE_WIDTH - 1
    kinds = {kind: metric.features(observed, kind) for kind in KINDS}
    assert len(kinds["label-free"]) == LABEL_FREE_WIDTH
    assert np.array_equal(np.concatenate([kinds["label-free"], kinds["rated"]]), kinds["all"])


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 40 * (number + 1), (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / ("sub" if number > 3 else "") / f"{number}.png")
    return root


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
        ("path,score\nnone.png,1\n0.png,2\n1.png,3\n", "no image matches none.png"),
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
    assert message in capsys.readouterr().err


def test_features_of_all_kinds_serve_every_kind():
    features = np.arange(2 * (LABEL_FREE_WIDTH + 3)).reshape(2, -1)
    assert of_kind(features, "all", "label-free").shape == (2, LABEL_FREE_WIDTH)
    assert of_kind(features, "all", "rated").tolist() == features[:, -3:].tolist()
    assert of_kind(features, "all", "all") is features
    with pytest.raises(ValueError, match="rated features, not all"):
        of_kind(features, "rated", "all")


def test_score_prints_a_row_for_each_image_that_can_be_read(folder, weights, capsys):
    broken = folder / "broken.png"
    broken.write_bytes(b"no image")
    assert grepq.main(["score", str(folder / "0.png"), str(broken), "--checkpoint", weights, "-g", "-1"]) == 0
    out, err = capsys.readouterr()
    assert [row["path"] for row in csv.DictReader(out.splitlines())] == [str(folder / "0.png")]
    assert "broken.png" in err


def test_evaluate_prints_the_documented_table(folder, weights, tmp_path, capsys):
    table = tmp_path / "mos.csv"
    table.write_text("image,mos\n" + "".join(f"{i}.png,{i}\n" for i in range(6)))
    assert grepq.main(["evaluate", str(folder), "--table", str(table), "--checkpoint", weights, "-g", "-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "6 photographs"
    assert lines[1].split() == ["SRCC", "PLCC", "KRCC"]
    assert [line.split(",")[0] for line in lines[2:]] == ["low", "high", "combined"]


def test_traces_of_compression_and_noise_take_from_the_scores(tensors):
    plain = GRepQ(tensors | {"blend.traces": np.zeros(2)}, {})
    strict = GRepQ(tensors | {"blend.traces": np.array([2.0, 7.0]), "quality.traces": np.array([0.1, 7.0])}, {})
    seen = plain.observe(view(200, 300))
    before, after = plain.score(seen), strict.score(seen)
    assert logit(after["q"]) == pytest.approx(logit(before["q"]) - 2.0 * 0.5)  # the noise of 0.1 is below the floor
    assert after["quality"] == pytest.approx(before["quality"] - 100 * 0.1 * 0.5)
    assert strict.quality(seen) == after["quality"]
    assert {name: after[name] for name in ("q_low", "q_high")} == {name: before[name] for name in ("q_low", "q_high")}


def test_maps_at_inference_are_those_of_training():
    torch.manual_seed(1)
    trunk, branch = Trunk().to(memory_format=torch.channels_last), Branch().to(memory_format=torch.channels_last)
    pictures = standardise(torch.randint(0, 256, (2, 70, 99, 3), dtype=torch.uint8))
    shared = trunk(pictures)
    trained = shared + branch(shared[-1])
    for pick in (slice(0, 1), slice(0, 2)):
        with torch.inference_mode():
            shared = trunk(pictures[pick])
            inferred = shared + branch(shared[-1])
        for a, b in zip(trained, inferred, strict=True):
            torch.testing.assert_close(a[pick].detach(), b, atol=1e-5, rtol=1e-4)


def test_pooled_statistics_are_mean_and_deviation():
    maps = torch.randn(3, 24, 9, 13).to(memory_format=torch.channels_last) * 2 + 5
    variance, mean = torch.var_mean(maps, dim=(2, 3), correction=0)
    torch.testing.assert_close(pool_statistics(maps), torch.cat([mean, (variance + 1e-6).sqrt()], dim=1))

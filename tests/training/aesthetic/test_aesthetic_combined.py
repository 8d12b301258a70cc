"""The combined task on tiny synthetic copies of the published sets, to weights that the filter takes."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from cliqa.grepq.rated_sets import RatedImage, split_by_image
from cliqa.metrics import load_metric
from cliqa.metrics.encoder import Branch, RatedHead, Trunk
from cliqa.training import train
from cliqa.training.aesthetic import aesthetic_combined
from cliqa.training.aesthetic.confusion import confusion, source_only

COUNT = 24  # photographs of each set


def picture(path, good):
    """Bright stripes, or a dark blur."""
    rng = np.random.default_rng(abs(hash(path.name)) % 1000)
    pixels = rng.integers(0, 60, (48, 64, 3)) + (np.arange(64)[None, :, None] % 8 < 4) * (150 if good else 10)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """AVA, EVA, KonIQ-10k and SPAQ in their published layouts."""
    root = tmp_path_factory.mktemp("sets")
    for name in ("ava", "eva", "koniq", "spaq"):
        (root / name / "images").mkdir(parents=True)
        for number in range(COUNT):
            picture(root / name / "images" / f"{number + (name == 'koniq') * 1000}.jpg", number % 2)
    good = [number % 2 for number in range(COUNT)]
    votes = {0: "0 0 0 9 1 0 0 0 0 0", 1: "0 0 0 0 0 0 9 1 0 0"}  # means 4.1 and 7.1
    (root / "ava" / "AVA.txt").write_text("".join(f"{n} {n} {votes[good[n]]} 0 0 0\n" for n in range(COUNT)))
    rows = [f"{n}=1={8 if good[n] else 3}" for n in range(COUNT)]
    (root / "eva" / "votes_filtered.csv").write_text("\n".join(["image_id=user_id=score", *rows]) + "\n")
    rows = [f"{n + 1000}.jpg,{75 if good[n] else 30}" for n in range(COUNT)]
    table = root / "koniq" / "koniq10k_scores_and_distributions.csv"
    table.write_text("\n".join(["image_name,MOS_zscore", *rows]) + "\n")
    rows = [f"{n}.jpg,{75 if good[n] else 30}" for n in range(COUNT)]
    (root / "spaq" / "MOS and Image attribute scores.csv").write_text("\n".join(["Image name,MOS", *rows]) + "\n")
    return [word for name in ("ava", "eva", "koniq", "spaq") for word in ("--ratings", str(root / name))]


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory):
    """A MobileNetV2 at random, as torchvision would have it in its cache."""
    from torchvision.models import mobilenet_v2

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("imagenet") / "mobilenet_v2.pth"
    torch.save(mobilenet_v2(weights=None).state_dict(), path)
    return ["--imagenet", str(path)]


def test_a_photograph_is_on_one_side_whatever_table_it_comes_from(tmp_path):
    names = [f"{number}.jpg" for number in range(2000)]
    one = split_by_image([RatedImage(tmp_path / name, 0.0, "ava") for name in names])
    other = split_by_image([RatedImage(tmp_path / "EVA" / name.replace(".jpg", ".PNG"), 1.0, "eva") for name in names])
    assert [image.split for image in one] == [image.split for image in other]
    shares = [np.mean([image.split == split for image in one]) for split in ("train", "val", "test")]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_the_four_sets_train_together_and_the_filter_takes_the_weights(sets, mobilenet, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(aesthetic_combined.LightClasses, "side", 64)
    words = [
        "aesthetic_combined",
        *sets,
        *mobilenet,
        "--work",
        str(tmp_path / "work"),
        "--out",
        str(tmp_path),
        "--workers",
        "1",
    ]
    assert train.main([*words, "--epochs", "2"]) == 0
    card = (tmp_path / "aesthetic.md").read_text()
    for source in ("ava", "eva", "koniq10k", "spaq"):
        assert f"| {source} | rejected |" in card and f"| {source} | accepted |" in card
    assert "the commonest class of the photograph's data set" in card
    assert sorted(path.name for path in (tmp_path / "work").glob("epoch-*.pt")) == ["epoch-00.pt", "epoch-01.pt"]
    with open(tmp_path / "work" / "curve.csv", newline="") as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["0", "1"]
    first = (tmp_path / "aesthetic.safetensors").read_bytes()
    capsys.readouterr()
    assert train.main([*words, "--epochs", "2"]) == 0  # nothing is left to do
    assert "epoch" not in capsys.readouterr().err
    assert (tmp_path / "aesthetic.safetensors").read_bytes() == first

    from cliqa.filter_low_aesthetic import main

    photo = sets[1] + "/images/1.jpg"
    common = [
        "-i",
        photo,
        "--checkpoint",
        str(tmp_path / "aesthetic.safetensors"),
        "--workers",
        "0",
        "-g",
        "-1",
        "--quiet",
    ]
    assert main([*common, "--results", str(tmp_path / "r.csv")]) == 0
    assert "aesthetic.p_accepted" in (tmp_path / "r.csv").read_text()


def test_the_whole_size_backbone(sets, tmp_path, monkeypatch):
    from cliqa.metrics.aesthetic_inception import new_inception

    monkeypatch.setattr(aesthetic_combined.InceptionClasses, "side", 75)
    monkeypatch.setattr(aesthetic_combined, "INCEPTION", aesthetic_combined.FitSettings(epochs=1, batch=32, rate=1e-4))
    torch.manual_seed(0)
    torch.save(new_inception(1000).state_dict(), tmp_path / "inception.pth")
    words = ["aesthetic_combined", *sets[4:], "--backbone", "inception", "--imagenet", str(tmp_path / "inception.pth")]
    assert train.main([*words, "--work", str(tmp_path / "work"), "--out", str(tmp_path), "--workers", "1"]) == 0
    weights = str(tmp_path / "aesthetic_inception.safetensors")
    assert load_metric("aesthetic_inception", weights).side == 75

    from cliqa.filter_low_aesthetic import main

    common = ["-i", sets[5] + "/images/1001.jpg", "--checkpoint", weights, "--workers", "0", "-g", "-1", "--quiet"]
    assert main([*common, "--results", str(tmp_path / "r.csv")]) == 0
    assert "aesthetic_inception.label" in (tmp_path / "r.csv").read_text()


def test_what_knowing_the_set_alone_gives():
    labels = np.array([0, 0, 1, 2, 2])
    said = source_only(["a", "a", "a", "b", "b"], labels, ["b", "a", "c"])
    assert said.tolist() == [2, 0, 0]
    assert confusion(np.array([0, 0, 2]), np.array([0, 1, 2])).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_missing_sets_and_weights_say_what_to_give(sets, tmp_path, capsys, monkeypatch):
    assert train.main(["aesthetic_combined", "--work", str(tmp_path)]) == 2
    assert "needs --ratings" in capsys.readouterr().err
    assert train.main(["aesthetic_combined", *sets, "--imagenet", str(tmp_path / "none"), "--work", str(tmp_path)]) == 2
    assert "no file" in capsys.readouterr().err
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert train.main(["aesthetic_combined", *sets, "--backbone", "inception", "--work", str(tmp_path)]) == 2
    assert "inception_v3_google-0cc3c7bd.pth" in capsys.readouterr().err


def test_the_light_network_reads_as_the_metric_does():
    torch.manual_seed(0)
    network = aesthetic_combined.LightClasses(Trunk(), Branch()).eval()
    pixels = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    network.begin(pixels)
    assert isinstance(network.head, RatedHead)
    assert set(network.tensors()) >= {"trunk.stem.0.weight", "rated.head.out.weight"}
    assert network(pixels).shape == (2, 3)

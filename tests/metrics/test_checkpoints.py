"""Weights in, weights out, and everything that is no weights file."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from cliqa.errors import CheckpointError
from cliqa.metrics import checkpoints, load_metric
from tests.toy_metric import Brightness

NAMES = {"metric": "toy", "architecture": "dense", "version": 2}
TENSORS = {"w": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array([1.5])}


def save(path: Path, **names: object) -> Path:
    checkpoints.save(path, TENSORS, **(NAMES | names), note="é")  # type: ignore[arg-type]
    return path


def load(path: Path) -> tuple[checkpoints.Tensors, dict[str, str]]:
    return checkpoints.load(path, metric="toy", architecture="dense", version=2)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "toy.safetensors")
    tensors, facts = load(path)
    assert set(tensors) == {"w", "b"} and tensors["w"].dtype == np.float16
    np.testing.assert_array_equal(tensors["w"], TENSORS["w"])
    assert facts == {"metric": "toy", "architecture": "dense", "version": "2", "note": "é"}
    assert os.listdir(tmp_path) == ["toy.safetensors"]


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    tensors = {"b": np.arange(3.0, dtype=np.float32), "a": np.arange(5, dtype=np.int64)}
    facts = {f"fact {letter}": letter for letter in "abcdefgh"}
    for name in ("one", "other"):
        checkpoints.save(tmp_path / name, tensors, metric="m", architecture="n", version=1, **facts)
        facts = dict(reversed(facts.items()))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    import hashlib

    path = save(tmp_path / "toy.safetensors")
    assert checkpoints.fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    for names, reason in (
        ({"metric": "noise"}, "holds weights of noise, not of toy"),
        ({"architecture": "conv"}, "for conv version 2; this cliqa needs dense version 2"),
        ({"version": 1}, "for dense version 1; this cliqa needs dense version 2"),
    ):
        with pytest.raises(CheckpointError, match=reason):
            load(save(tmp_path / "other.safetensors", **names))


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\xff" * 64, b"\x10\0\0\0\0\0\0\0{}", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}"]
)
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    for name in ("a.safetensors", "a.pth"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError) as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match="no weights file"):
            load(path)


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self.target}'",)


def test_a_pickle_never_runs(tmp_path: Path) -> None:
    import torch

    for name, write in (("plain.pth", pickle.dump), ("torch.pt", torch.save)):
        with open(tmp_path / name, "wb") as stream:
            write({"tensors": {}, "evil": Payload(tmp_path / "ran")}, stream)
        with pytest.raises(CheckpointError, match="no safe torch file"):
            load(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_plain_torch_files_are_read(tmp_path: Path) -> None:
    import torch

    facts = {name: str(value) for name, value in NAMES.items()}
    weights = {"w": torch.ones(2, requires_grad=True)}
    for key in ("tensors", "state_dict"):
        torch.save({key: weights, "metadata": facts}, tmp_path / "toy.pth")
        tensors, found = load(tmp_path / "toy.pth")
        np.testing.assert_array_equal(tensors["w"], [1, 1])
        assert found == facts
    for content in ([1], {"tensors": [1]}, {"metadata": "{"}, {"metadata": [1], "tensors": {}}, weights, torch.ones(1)):
        torch.save(content, tmp_path / "odd.pth")
        with pytest.raises(CheckpointError) as caught:
            load(tmp_path / "odd.pth")
        assert "\n" not in str(caught.value)


def test_weights_that_lack_a_tensor_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wanting(Brightness):
        weights, architecture, version = True, "dense", 2

        def __init__(self, tensors: dict[str, np.ndarray], metadata: dict[str, str], device: str = "cpu") -> None:
            super().__init__(tensors, metadata, device)
            self.bias = tensors["bias"]

    monkeypatch.setattr("cliqa.metrics.metric_class", lambda _: Wanting)
    with pytest.raises(CheckpointError, match="lacks what toy needs"):
        load_metric("toy", str(save(tmp_path / "toy.safetensors")))


def test_shipped_weights_are_found_beside_or_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_INSIDE", tmp_path / "inside")
    monkeypatch.setattr(checkpoints, "_BESIDE", tmp_path / "beside")
    assert checkpoints.shipped_path("toy") == tmp_path / "beside" / "toy.safetensors"
    (tmp_path / "inside").mkdir()
    save(tmp_path / "inside" / "toy.safetensors")
    assert checkpoints.shipped_path("toy") == tmp_path / "inside" / "toy.safetensors"

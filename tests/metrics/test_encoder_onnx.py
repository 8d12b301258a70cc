"""The encoder in ONNX Runtime gives what torch gives."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from cliqa.metrics import checkpoints, encoder_onnx
from cliqa.metrics.aesthetic import Aesthetic
from cliqa.metrics.encoder_layout import EARLY_WIDTH, POOLED_WIDTH, TRUNK_STAGES, checked_part
from cliqa.metrics.encoder_onnx import OnnxBranch, OnnxTrunk, branch_graph, early_graph, trunk_graph
from cliqa.metrics.encoder_torch import TorchBranch, TorchTrunk
from tests.grepq_weights import small_tensors


@pytest.fixture(scope="module")
def shipped():
    path = checkpoints.shipped_path("aesthetic")
    return checkpoints.load(path, metric="aesthetic", architecture=Aesthetic.architecture, version=Aesthetic.version)[0]


@pytest.mark.parametrize("size", [(288, 384), (33, 32), (70, 99), (384, 41)])
def test_features_are_those_of_torch_for_any_size(shipped, size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    branch, shared = OnnxBranch(shipped, "rated.branch."), OnnxTrunk(shipped, "trunk.")(picture)
    torch_branch, torch_shared = TorchBranch(shipped, "rated.branch."), TorchTrunk(shipped, "trunk.")(picture)
    found, expected = branch(shared), torch_branch(torch_shared)
    assert found.shape == (POOLED_WIDTH,)
    np.testing.assert_allclose(found, expected, atol=1e-4)  # square roots: near 0 the last digit counts most
    for early, all_of_it in ((branch.early(shared), found), (torch_branch.early(torch_shared), expected)):
        assert early.shape == (EARLY_WIDTH,)
        np.testing.assert_allclose(early, all_of_it[:EARLY_WIDTH], atol=1e-4)


@pytest.mark.parametrize("size", [(512, 384), (512, 340), (96, 96), (64, 80), (97, 201), (512, 61)])
def test_windows_are_those_of_torch_for_any_size(shipped, size):
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    expected = TorchTrunk(shipped, "trunk.").windows(picture, 96, 48)
    np.testing.assert_allclose(OnnxTrunk(shipped, "trunk.").windows(picture, 96, 48), expected, atol=1e-4)


def test_the_graphs_are_valid_models(shipped):
    for part, graph in (
        (checked_part(shipped, "trunk.", 0, TRUNK_STAGES), trunk_graph),
        (checked_part(shipped, "rated.branch.", TRUNK_STAGES, 7), branch_graph),
        (checked_part(shipped, "rated.branch.", TRUNK_STAGES, 7), early_graph),
    ):
        onnx.checker.check_model(onnx.load_from_string(graph(part)), full_check=True)


def test_tensors_named_as_torch_names_them_give_the_same():
    picture = np.random.default_rng(2).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    tensors = small_tensors()  # by the names of the modules
    assert any(".conv.0.0." in name for name in tensors)
    expected = TorchTrunk(tensors, "trunk.")(picture).statistics
    for found, right in zip(OnnxTrunk(tensors, "trunk.")(picture).statistics, expected, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-4)


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_a_tensor_that_does_not_fit_is_named(shipped, change):
    name = "trunk.stages.1.0.conv.0.0.bias"
    tensors = {key: value for key, value in shipped.items() if key != name}
    if change == "shape":
        tensors[name] = np.zeros(5, np.float16)
    with pytest.raises(KeyError, match=r"trunk\.stages\.1\.0\.expand\.bias"):
        OnnxTrunk(tensors, "trunk.")


def test_the_command_writes_the_graphs_and_nothing_over_anything(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["encoder_onnx", "aesthetic", str(tmp_path)])
    encoder_onnx.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rated.branch.onnx", "trunk.onnx"]
    onnx.checker.check_model(str(tmp_path / "trunk.onnx"))
    with pytest.raises(FileExistsError):
        encoder_onnx.main()

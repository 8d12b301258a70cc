"""Weights and pictures for the sub-commands."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.metrics import checkpoints
from cliqa.metrics.grepq import GRepQ
from tests.grepq_weights import small_tensors


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "grepq.safetensors"
    checkpoints.save(path, small_tensors(), metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 40 * (number + 1), (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / ("sub" if number > 3 else "") / f"{number}.png")
    return root

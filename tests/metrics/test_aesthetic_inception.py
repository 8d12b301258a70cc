"""The classes on the whole-size backbone, with a network at random."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cliqa.errors import CheckpointError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import View
from cliqa.metrics.aesthetic import Aesthetic
from cliqa.metrics.aesthetic_inception import AestheticInception, new_inception

CALIBRATION = {
    "calibration.weight": np.zeros((3, 3)),
    "calibration.bias": np.log([0.2, 0.5, 0.3]),
    "decision": np.zeros(3),
}


def test_probabilities_are_the_calibrated_ones_and_fields_those_of_aesthetic():
    torch.manual_seed(0)
    tensors = {f"network.{name}": value.numpy() for name, value in new_inception().state_dict().items()}
    metric = AestheticInception(tensors | CALIBRATION, {"side": "75"})
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    fields = metric.score_view(View(LoadedImage.from_array(pixels)))
    assert set(fields) == {field.name for field in Aesthetic.fields}
    assert fields["label"] == "pending"
    assert [fields[f"p_{name}"] for name in ("rejected", "pending", "accepted")] == pytest.approx([0.2, 0.5, 0.3])
    assert fields["score"] == pytest.approx(0.5 + 2 * 0.3)


def test_other_weights_are_refused():
    with pytest.raises(CheckpointError, match="no weights of an Inception v3"):
        AestheticInception(CALIBRATION | {"network.fc.bias": np.zeros(3)}, {})

"""The encoder on torchvision's blocks: the names in weights files, and the same maps as plain operations give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cliqa.metrics import checkpoints
from cliqa.metrics.aesthetic import Aesthetic
from cliqa.metrics.encoder import STAGES, TRUNK_STAGES, Branch, Trunk, load_module

Tensors = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def shipped() -> Tensors:
    path = checkpoints.shipped_path("aesthetic")
    return checkpoints.load(path, metric="aesthetic", architecture=Aesthetic.architecture, version=Aesthetic.version)[0]


def plain(tensors: Tensors, prefix: str, x: Tensor, first: int, last: int) -> Tensor:
    """The stages of a part, written out, by the names in the weights file."""

    def convolve(x: Tensor, name: str, **options: Any) -> Tensor:
        weight, bias = (
            torch.from_numpy(tensors[f"{prefix}{name}.{kind}"].astype(np.float32)) for kind in ("weight", "bias")
        )
        return F.conv2d(x, weight, bias, **options)

    if first == 0:
        x = F.relu6(convolve(x, "stem", stride=2, padding=1))
    for stage, (expansion, _, stride, blocks) in enumerate(STAGES[first:last]):
        for block in range(blocks):
            name = f"stages.{stage}.{block}"
            y = F.relu6(convolve(x, f"{name}.expand")) if expansion > 1 else x
            step = stride if block == 0 else 1
            y = F.relu6(convolve(y, f"{name}.filter", stride=step, padding=1, groups=y.shape[1]))
            y = convolve(y, f"{name}.project")
            x = x + y if step == 1 and x.shape[1] == y.shape[1] else y
    return F.relu6(convolve(x, "head")) if last == len(STAGES) else x


def test_shipped_weights_load_by_their_names_and_give_the_maps_of_plain_operations(shipped: Tensors) -> None:
    x = torch.randn(1, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        early = load_module(Trunk(), shipped, "trunk.")(x)[-1]
        late = load_module(Branch(), shipped, "rated.branch.")(early)[-1]
        torch.testing.assert_close(early, plain(shipped, "trunk.", x, 0, TRUNK_STAGES), rtol=1e-4, atol=1e-4)
        expected = plain(shipped, "rated.branch.", early, TRUNK_STAGES, len(STAGES))
        torch.testing.assert_close(late, expected, rtol=1e-4, atol=1e-4)


def test_weights_saved_by_the_modules_own_names_load_too() -> None:
    trunk = Trunk()
    again = load_module(
        Trunk(), {f"trunk.{name}": value.numpy() for name, value in trunk.state_dict().items()}, "trunk."
    )
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in trunk.state_dict().items())


def test_a_file_that_lacks_a_layer_is_refused(shipped: Tensors) -> None:
    fewer = {name: value for name, value in shipped.items() if name != "trunk.stages.1.0.expand.bias"}
    with pytest.raises(RuntimeError, match=r"stages\.1\.0"):
        load_module(Trunk(), fewer, "trunk.")

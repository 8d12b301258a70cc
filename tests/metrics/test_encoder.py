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
from cliqa.metrics.encoder import (
    STAGES,
    TRUNK_STAGES,
    Branch,
    Trunk,
    load_module,
    pool_statistics,
    standardise,
    window_features,
)

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
        x = F.relu6(convolve(x, "stem.0", stride=2, padding=1))
    for stage, (expansion, _, stride, blocks) in enumerate(STAGES[first:last]):
        for block in range(blocks):
            name, first_part = f"stages.{stage}.{block}.conv", 1 if expansion > 1 else 0
            y = F.relu6(convolve(x, f"{name}.0.0")) if expansion > 1 else x
            step = stride if block == 0 else 1
            y = F.relu6(convolve(y, f"{name}.{first_part}.0", stride=step, padding=1, groups=y.shape[1]))
            y = convolve(y, f"{name}.{first_part + 1}")
            x = x + y if step == 1 and x.shape[1] == y.shape[1] else y
    return F.relu6(convolve(x, "head.0")) if last == len(STAGES) else x


def test_shipped_weights_load_by_their_names_and_give_the_maps_of_plain_operations(shipped: Tensors) -> None:
    x = torch.randn(1, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        early = load_module(Trunk(), shipped, "trunk.")(x)[-1]
        late = load_module(Branch(), shipped, "rated.branch.")(early)[-1]
        torch.testing.assert_close(early, plain(shipped, "trunk.", x, 0, TRUNK_STAGES), rtol=1e-4, atol=1e-4)
        expected = plain(shipped, "rated.branch.", early, TRUNK_STAGES, len(STAGES))
        torch.testing.assert_close(late, expected, rtol=1e-4, atol=1e-4)


def test_weights_by_the_names_of_earlier_files_load_too() -> None:
    trunk = Trunk()
    earlier = {}
    for name, value in trunk.state_dict().items():
        parts = {"0.0": "expand", "1.0": "filter", "2": "project"}
        if name.startswith("stages.0."):  # its blocks don't expand
            parts = {"0.0": "filter", "1": "project"}
        for place, part in parts.items():
            name = name.replace(f".conv.{place}.", f".{part}.")
        earlier[f"trunk.{name.replace('stem.0.', 'stem.')}"] = value.numpy()
    assert "trunk.stages.1.0.expand.bias" in earlier and "trunk.stem.weight" in earlier
    again = load_module(Trunk(), earlier, "trunk.")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in trunk.state_dict().items())


def test_a_file_that_lacks_a_layer_is_refused(shipped: Tensors) -> None:
    fewer = {name: value for name, value in shipped.items() if name != "trunk.stages.1.0.conv.0.0.bias"}
    with pytest.raises(RuntimeError, match=r"stages\.1\.0"):
        load_module(Trunk(), fewer, "trunk.")


def test_windows_hold_the_mean_and_deviation_of_their_part_of_the_maps():
    trunk = Trunk().eval()
    pixels = torch.randint(0, 256, (1, 192, 144, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        shared = trunk(standardise(pixels))
        windows = window_features(shared, 96, 48)[0]
    assert windows.shape == (3 * 2, 2 * (24 + 32))
    cells = shared[1][0, :, 6:18, 6:18].flatten(1)  # the window at row 1, column 1: 96 pixels from 48
    assert torch.allclose(windows[3, 24:56].abs() ** 2, cells.mean(1).abs(), atol=1e-4)
    assert torch.allclose(windows[3, 80:] ** 2, cells.std(1, correction=0), atol=2e-2)


def test_maps_at_inference_are_those_of_training():
    torch.manual_seed(1)
    trunk, branch = Trunk().to(memory_format=torch.channels_last), Branch().to(memory_format=torch.channels_last)
    pictures = standardise(torch.randint(0, 256, (2, 70, 99, 3), dtype=torch.uint8))
    shared = trunk(pictures)
    trained = shared + branch(shared[-1])
    for pick in (slice(0, 1), slice(0, 2)):
        with torch.inference_mode():
            shared = trunk(pictures[pick])
            inferred = shared + branch(shared[-1])
        for a, b in zip(trained, inferred, strict=True):
            torch.testing.assert_close(a[pick].detach(), b, atol=1e-5, rtol=1e-4)


def test_pooled_statistics_are_mean_and_deviation():
    maps = torch.randn(3, 24, 9, 13).to(memory_format=torch.channels_last) * 2 + 5
    variance, mean = torch.var_mean(maps, dim=(2, 3), correction=0)
    torch.testing.assert_close(pool_statistics(maps), torch.cat([mean, (variance + 1e-6).sqrt()], dim=1))

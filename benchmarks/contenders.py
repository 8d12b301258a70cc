"""What `throughput.py` measures the product against: decoding alone, and a network of the reference filters' shape.

The reference's documents state its cost, not its weights: 23.4 GMAC for eight 128x128 patches, that is 2.9 GMAC a patch. A plain
stack of 3x3 convolutions of that cost stands in for it; only its speed is ever used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics import Field, Metric, Observation, Value, View


class DecodeOnly(Metric):
    """Opens and decodes, and looks at nothing."""

    name: ClassVar[str] = "decode_only"
    architecture: ClassVar[str] = "none"
    weights: ClassVar[bool] = False
    fields: ClassVar[tuple[Field, ...]] = (Field("width", "width", kind="int"),)

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"width": np.array(view.header.width)}

    def score(self, observation: Observation) -> dict[str, Value]:
        return {"width": int(observation["width"])}


class ReferenceShaped(Metric):
    """Mean over patches of a convolutional network of 23.4 GMAC per eight patches."""

    name: ClassVar[str] = "reference_shaped"
    architecture: ClassVar[str] = "reference_shaped"
    weights: ClassVar[bool] = False
    uses_torch: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (Field("value", "the mean output"),)

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        import torch
        from torch import nn

        torch.set_flush_denormal(True)
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        channels = 3
        for width, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (352, 2), (352, 1)):
            layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.LeakyReLU(0.1)]
            channels = width
        self.net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(352, 1)).eval()

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"patches": view.patches}

    def score(self, observation: Observation) -> dict[str, Value]:
        import torch

        with torch.inference_mode():
            return {"value": float(self.net(torch.from_numpy(observation["patches"]).float() / 255.0).mean())}


def macs_per_patch(side: int = 128) -> float:
    """Multiply-accumulates of one patch, counted by running one through hooks."""
    import torch
    from torch import nn

    net = ReferenceShaped({}, {}).net
    total = 0

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += output[0].numel() * module.in_channels * int(np.prod(module.kernel_size))

    for layer in net:
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    net(torch.zeros(1, 3, side, side))
    return float(total)


if __name__ == "__main__":
    print(f"{8 * macs_per_patch() / 1e9:.1f} GMAC per 8 patches")

"""Networks in ncnn's format (a text graph and a file of weights) as torch modules, so that they run in batches on any device.

Only the layers that published upscalers use are known. The format: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

HALF, SINGLE = 0x01306B47, 0  # the marks before weights that tell how they are stored
AXES = 233  # added to the numbers of keys that hold arrays: -23300 - key


@dataclass(frozen=True)
class Layer:
    """One line of the graph: `numbers` by key, a list where the key holds an array."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[int, list[float]]

    def value(self, key: int, default: float = 0.0) -> float:
        """The number of a key."""
        return self.numbers.get(key, [default])[0]

    def integer(self, key: int, default: int = 0) -> int:
        """The same, whole."""
        return int(self.value(key, default))


def read_graph(path: Path) -> list[Layer]:
    """The layers of a `.param` file, in the order in which they run."""
    layers = []
    for line in path.read_text().splitlines()[2:]:
        kind, name, inputs, outputs, *rest = line.split()
        count, results = int(inputs), int(outputs)
        numbers: dict[int, list[float]] = {}
        for item in rest[count + results :]:
            key, _, text = item.partition("=")
            values = [float(part) for part in text.split(",")]
            numbers[int(key) if int(key) >= 0 else -23300 - int(key)] = values if int(key) >= 0 else values[1:]
        layers.append(Layer(kind, name, tuple(rest[:count]), tuple(rest[count : count + results]), numbers))
    return layers


class _Weights:
    """Reads a `.bin` file from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def marked(self, count: int) -> NDArray[np.float32]:
        """`count` numbers behind a mark."""
        mark = int(self._take("<u4", 1)[0])
        if mark == SINGLE:
            return self.plain(count)
        if mark != HALF:
            raise ValueError(f"weights stored as {mark:#x} are not known here")
        found = self._take("<f2", count).astype(np.float32)
        self.place = (self.place + 3) // 4 * 4
        return found

    def plain(self, count: int) -> NDArray[np.float32]:
        """`count` single numbers."""
        return self._take("<f4", count).astype(np.float32)

    def _take(self, kind: str, count: int) -> NDArray[np.generic]:
        found = np.frombuffer(self.data, kind, count, self.place)
        self.place += found.nbytes
        return found


class NcnnNetwork(nn.Module):
    """A graph with one input and one output: float (n, 3, h, w) -> (n, 3, h', w')."""

    def __init__(self, graph: Path, weights: Path) -> None:
        super().__init__()
        self.layers = read_graph(graph)
        stored = _Weights(weights.read_bytes())
        self.tensors = nn.ParameterDict()
        channels: dict[str, int] = {}
        for index, layer in enumerate(self.layers):
            for key, values in _stored(layer, stored, channels).items():
                self.tensors[f"{index}_{key}"] = nn.Parameter(torch.from_numpy(values.copy()), requires_grad=False)
        if stored.place != len(stored.data):
            raise ValueError(f"{weights.name}: {len(stored.data) - stored.place} bytes are left over")

    def forward(self, x: Tensor) -> Tensor:
        """Run every layer."""
        values: dict[str, Tensor] = {}
        last = x
        for index, layer in enumerate(self.layers):
            if layer.kind == "Input":
                results = [x]
            elif layer.kind == "MemoryData":
                results = [self.tensors[f"{index}_data"][None]]
            elif layer.kind == "Split":
                results = [values.pop(layer.inputs[0])] * len(layer.outputs)
            else:
                given = [values.pop(name) for name in layer.inputs]
                results = [self._run(index, layer, given)]
            values.update(zip(layer.outputs, results, strict=True))
            last = results[0]
        return last

    def _run(self, index: int, layer: Layer, given: list[Tensor]) -> Tensor:
        x = given[0]
        weights = {
            key: self.tensors[f"{index}_{key}"]
            for key in ("weight", "bias", "slope")
            if f"{index}_{key}" in self.tensors
        }
        if layer.kind in ("Convolution", "Deconvolution"):
            run: Callable[..., Tensor] = F.conv2d if layer.kind == "Convolution" else F.conv_transpose2d
            stride, padding = layer.integer(3, 1), layer.integer(4)
            return _activated(run(x, weights["weight"], weights.get("bias"), stride, padding), layer)
        if layer.kind == "InnerProduct":
            return _activated(F.linear(x.flatten(1), weights["weight"], weights.get("bias"))[:, :, None, None], layer)
        if layer.kind == "PReLU":
            return F.prelu(x, weights["slope"])
        if layer.kind == "Interp":
            scale = (layer.value(1), layer.value(2))
            if layer.integer(0) == 1:
                return F.interpolate(x, scale_factor=scale, mode="nearest")
            return F.interpolate(
                x, scale_factor=scale, mode={2: "bilinear", 3: "bicubic"}[layer.integer(0)], align_corners=False
            )
        if layer.kind == "Crop":
            return _cropped(layer, given)
        if layer.kind in ("Eltwise", "BinaryOp"):
            return _combined(layer, given)
        return _SIMPLE[layer.kind](layer, given)


_SIMPLE: dict[str, Callable[[Layer, list[Tensor]], Tensor]] = {
    "Concat": lambda layer, given: torch.cat(given, dim=1),
    "Pooling": lambda layer, given: given[0].mean((2, 3), keepdim=True),  # the upscalers pool globally alone
    "Scale": lambda layer, given: given[0] * given[1],
    "PixelShuffle": lambda layer, given: F.pixel_shuffle(given[0], layer.integer(0)),
    "Sigmoid": lambda layer, given: torch.sigmoid(given[0]),
    "Swish": lambda layer, given: F.silu(given[0]),
}


def _stored(layer: Layer, stored: _Weights, channels: dict[str, int]) -> dict[str, NDArray[np.float32]]:
    """The weights of a layer, in torch's order."""
    if layer.kind in ("Convolution", "Deconvolution"):
        outputs, side = layer.integer(0), layer.integer(1)
        weight = stored.marked(layer.integer(6)).reshape(outputs, -1, side, side)
        found = {"weight": weight if layer.kind == "Convolution" else weight.swapaxes(0, 1)}
        return found | ({"bias": stored.plain(outputs)} if layer.integer(5) else {})
    if layer.kind == "InnerProduct":
        found = {"weight": stored.marked(layer.integer(2)).reshape(layer.integer(0), -1)}
        return found | ({"bias": stored.plain(layer.integer(0))} if layer.integer(1) else {})
    if layer.kind == "PReLU":
        return {"slope": stored.plain(layer.integer(0))}
    if layer.kind == "MemoryData":
        shape = [max(1, layer.integer(key)) for key in (2, 1, 0)]
        return {"data": stored.plain(int(np.prod(shape))).reshape(shape)}
    return {}


def _activated(x: Tensor, layer: Layer) -> Tensor:
    kind = layer.integer(9)
    if kind == 0:
        return x
    if kind == 1:
        return F.relu(x)
    if kind == 2:
        return F.leaky_relu(x, layer.value(10))
    if kind == 4:
        return torch.sigmoid(x)
    raise ValueError(f"activation {kind} is not known here")


def _cropped(layer: Layer, given: list[Tensor]) -> Tensor:
    x = given[0]
    if len(given) == 2:  # to the size of the second
        left, top = layer.integer(0), layer.integer(1)
        return x[:, :, top : top + given[1].shape[2], left : left + given[1].shape[3]]
    for start, end, axis in zip(layer.numbers[9], layer.numbers[10], layer.numbers[11], strict=True):
        place = int(axis) if axis >= 0 else x.dim() + int(axis)
        x = x.narrow(place, int(start), x.shape[place] + int(end) - int(start))
    return x


def _combined(layer: Layer, given: list[Tensor]) -> Tensor:
    if layer.kind == "Eltwise":
        if layer.integer(0) == 0:
            return given[0] * given[1]
        first, second = layer.numbers.get(1, [1.0, 1.0])
        return given[0] * first + given[1] * second
    left: Tensor = given[0]
    right: Tensor | float = layer.value(2) if layer.integer(1) else given[1]
    operation = layer.integer(0)
    if operation not in (0, 1, 2):
        raise ValueError(f"operation {operation} is not known here")
    return left + right if operation == 0 else left - right if operation == 1 else left * right

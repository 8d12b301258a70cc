"""Networks as TensorFlow.js stores Keras models (`model.json` and shards) as torch modules, for published upscalers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn


class KerasNetwork(nn.Module):
    """Convolutions, sums and joins in one pass: float (n, 3, h, w) -> (n, 3, h', w')."""

    def __init__(self, model: Path) -> None:
        super().__init__()
        content = json.loads(model.read_text())
        topology = content["modelTopology"]
        config = topology.get("model_config", topology)["config"]
        self.layers: list[dict[str, Any]] = config["layers"]
        self.output: str = config["output_layers"][0][0]
        self.tensors = nn.ParameterDict()
        for name, values in _weights(model.parent, content["weightsManifest"]).items():
            layer, _, part = name.rpartition("/")
            array = values.transpose(3, 2, 0, 1) if part == "kernel" else values
            key = f"{layer.split('/')[-1]}_{part}".replace(".", "_")
            self.tensors[key] = nn.Parameter(torch.from_numpy(array.copy()), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Run every layer, in the order in which they are listed."""
        values: dict[str, Tensor] = {}
        for layer in self.layers:
            name, config = layer["name"], layer["config"]
            given = [values[node[0]] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else [x]
            values[name] = self._run(layer["class_name"], name, config, given)
        return values[self.output]

    def _run(self, kind: str, name: str, config: dict[str, Any], given: list[Tensor]) -> Tensor:
        x = given[0]
        if kind == "Conv2D":
            key = name.replace(".", "_")
            weight, bias = self.tensors[f"{key}_kernel"], self.tensors.get(f"{key}_bias")
            padding = [side // 2 for side in weight.shape[2:]] if config["padding"] == "same" else [0, 0]
            return _activated(F.conv2d(x, weight, bias, padding=padding), config["activation"])
        if kind == "Activation":
            return _activated(x, config["activation"])
        if kind == "Concatenate":
            return torch.cat(given, dim=1)
        if kind == "Add":
            return torch.stack(given).sum(0) if len(given) > 2 else given[0] + given[1]
        if kind == "MultiplyBeta":
            return x * float(config["beta"])
        if kind == "UpSampling2D":
            mode = config.get("interpolation", "nearest")
            if mode == "nearest":
                return F.interpolate(x, scale_factor=float(config["size"][0]), mode="nearest")
            return F.interpolate(x, scale_factor=float(config["size"][0]), mode=mode, align_corners=False)
        if kind.startswith("PixelShuffle"):
            return _depth_to_space(x, int(config["scale"]))
        if kind == "InputLayer":
            return x
        raise ValueError(f"layers of kind {kind} are not known here")


def _depth_to_space(x: Tensor, scale: int) -> Tensor:
    """TensorFlow's order of channels: row, column, then colour, unlike torch's pixel shuffle."""
    n, channels, height, width = x.shape
    colours = channels // scale**2
    return F.pixel_shuffle(x.reshape(n, scale**2, colours, height, width).transpose(1, 2).reshape_as(x), scale)


def _activated(x: Tensor, kind: str) -> Tensor:
    if kind == "linear":
        return x
    if kind in ("relu", "tanh", "sigmoid"):
        return {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[kind](x)
    raise ValueError(f"activation {kind} is not known here")


def _weights(folder: Path, manifest: list[dict[str, Any]]) -> dict[str, NDArray[np.float32]]:
    """All weights by name; those stored as whole numbers are scaled back."""
    found: dict[str, NDArray[np.float32]] = {}
    for group in manifest:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        place = 0
        for weight in group["weights"]:
            stored = weight.get("quantization")
            kind = np.dtype(stored["dtype"] if stored else weight["dtype"])
            count = int(np.prod(weight["shape"]))
            values = np.frombuffer(data, kind, count, place).astype(np.float32)
            place += count * kind.itemsize
            if stored and "scale" in stored:
                values = values * np.float32(stored["scale"]) + np.float32(stored["min"])
            found[weight["name"]] = values.reshape(weight["shape"])
    return found

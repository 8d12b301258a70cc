"""The encoder as an ONNX graph, made from the tensors of a weights file whenever it is loaded: there is no second file of truth.

    python -m cliqa.metrics.encoder_onnx grepq OUT_FOLDER      # to look at it: trunk.onnx, rated.branch.onnx, free.onnx

A part of the encoder (the trunk, or a branch) is one graph: convolutions with their bias, ReLU6 and additions, as in
`cliqa.metrics.encoder`. Its outputs are the maps that are pooled. ONNX Runtime runs it on the CPU, faster than torch and without
torch's 2.7 seconds and 500 MiB at the start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cliqa.metrics.encoder_heads import join_pooled, pool_statistics, standardised, window_features
from cliqa.metrics.encoder_layout import (
    EARLY_STAGES,
    POOLED,
    STAGES,
    TRUNK_STAGES,
    Shared,
    checked_part,
    plain_names,
)

OPSET = 17  # of 2022: what every onnxruntime since 1.13 runs
IR_VERSION = 8  # the one that goes with it


class _Graph:
    """Nodes and weights under construction."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.tensors = tensors
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.constant("low", np.float32(0.0))
        self.constant("high", np.float32(6.0))

    def constant(self, name: str, value: Any) -> str:
        self.initializers.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        made = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [made], **attributes))
        return made

    def convolution(self, x: str, name: str, stride: int = 1, by_channel: bool = False) -> str:
        weight = self.tensors[f"{name}.weight"]
        parts = [self.constant(f"{name}.{kind}", self.tensors[f"{name}.{kind}"]) for kind in ("weight", "bias")]
        side = weight.shape[2]
        groups = weight.shape[0] if by_channel else 1
        return self.node(
            "Conv", [x, *parts], kernel_shape=[side] * 2, strides=[stride] * 2, pads=[side // 2] * 4, group=groups
        )

    def relu6(self, x: str) -> str:
        return self.node("Clip", [x, "low", "high"])

    def block(self, x: str, name: str, stride: int, adds: bool) -> str:
        """Inverted residual: expand (1x1), filter each channel (3x3), project (1x1)."""
        y = x
        if f"{name}.expand.weight" in self.tensors:
            y = self.relu6(self.convolution(y, f"{name}.expand"))
        y = self.relu6(self.convolution(y, f"{name}.filter", stride, by_channel=True))
        y = self.convolution(y, f"{name}.project")
        return self.node("Add", [x, y]) if adds else y

    def stages(self, x: str, first: int, last: int) -> tuple[str, list[str]]:
        """The last map, and those that are pooled."""
        maps, channels = [], STAGES[first - 1][1]
        for stage, (_, out, stride, blocks) in enumerate(STAGES[first:last]):
            for index in range(blocks):
                step = stride if index == 0 else 1
                x = self.block(x, f"stages.{stage}.{index}", step, step == 1 and channels == out and index > 0)
                channels = out
            if first + stage in POOLED:
                maps.append(x)
        return x, maps

    def model(self, source: onnx.ValueInfoProto, outputs: Sequence[str]) -> bytes:
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, None]) for name in outputs]
        graph = helper.make_graph(self.nodes, "encoder", [source], results, self.initializers)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        found: bytes = made.SerializeToString()
        return found


def trunk_graph(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """An ONNX model of the trunk's tensors: `standardised` (1, 3, h, w) -> the maps (1, 24, h/4, w/4) and (1, 32, h/8, w/8)."""
    graph = _Graph(tensors)
    x = graph.relu6(graph.convolution("picture", "stem", 2))
    _, maps = graph.stages(x, 0, TRUNK_STAGES)
    return graph.model(helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, None, None]), maps)


def branch_graph(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """An ONNX model of a branch's tensors: the trunk's last map -> the maps that are pooled, the head's last."""
    graph = _Graph(tensors)
    last, maps = graph.stages("shared", TRUNK_STAGES, len(STAGES))
    return graph.model(_trunk_map(), [*maps, graph.relu6(graph.convolution(last, "head"))])


def early_graph(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """The first of those maps alone."""
    graph = _Graph(tensors)
    return graph.model(_trunk_map(), graph.stages("shared", TRUNK_STAGES, EARLY_STAGES)[1])


def _trunk_map() -> onnx.ValueInfoProto:
    channels = STAGES[TRUNK_STAGES - 1][1]
    return helper.make_tensor_value_info("shared", TensorProto.FLOAT, [1, channels, None, None])


class _OnnxPart:
    """A part of the encoder. Its session is made when it is first needed, and stays where it was made: a copy makes its own."""

    def __init__(
        self, tensors: Mapping[str, NDArray[Any]], graph: Callable[[Mapping[str, NDArray[Any]]], bytes]
    ) -> None:
        self._tensors, self._graph = tensors, graph

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return _open_session(self._graph(self._tensors))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    def run(self, name: str, x: NDArray[Any]) -> list[NDArray[np.float32]]:
        """The maps that are pooled, (1, channels, rows, columns) each."""
        found: list[NDArray[np.float32]] = self._session.run(None, {name: np.ascontiguousarray(x)})
        return found


class OnnxTrunk(_OnnxPart):
    """The shared first stages, in ONNX Runtime."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Raises KeyError for a tensor that is missing or of another shape."""
        super().__init__(checked_part(tensors, prefix, 0, TRUNK_STAGES), trunk_graph)

    def __call__(self, picture: NDArray[np.uint8]) -> Shared:
        """Of a picture (h, w, 3): the last map, for branches, and the statistics of those that are pooled."""
        maps = self.run("picture", standardised(picture)[None])
        return Shared(maps[-1], [pool_statistics(x[0]) for x in maps])

    def batch(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Shared]:
        """Of several, one by one: on a CPU nothing is gained at once."""
        return [self(picture) for picture in pictures]

    def windows(self, picture: NDArray[np.uint8], window: int, stride: int) -> NDArray[np.float32]:
        """`window_features` of a picture (h, w, 3)."""
        return window_features([x[0] for x in self.run("picture", standardised(picture)[None])], window, stride)

    def windows_batch(
        self, pictures: Sequence[NDArray[np.uint8]], window: int, stride: int
    ) -> list[NDArray[np.float32]]:
        """`window_features` of several."""
        return [self.windows(picture, window, stride) for picture in pictures]


class OnnxBranch(_OnnxPart):
    """The remaining stages, in ONNX Runtime."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Raises KeyError for a tensor that is missing or of another shape."""
        super().__init__(checked_part(tensors, prefix, TRUNK_STAGES, len(STAGES)), branch_graph)
        self._early = _OnnxPart(self._tensors, early_graph)

    def __call__(self, shared: Shared) -> NDArray[np.float32]:
        """The features of the picture, (POOLED_WIDTH,)."""
        return self._pooled(self, shared)

    def early(self, shared: Shared) -> NDArray[np.float32]:
        """The first of them, (EARLY_WIDTH,), at half the cost."""
        return self._pooled(self._early, shared)

    def batch(self, shared: Sequence[Shared]) -> list[NDArray[np.float32]]:
        """The features of several."""
        return [self(each) for each in shared]

    @staticmethod
    def _pooled(part: _OnnxPart, shared: Shared) -> NDArray[np.float32]:
        return join_pooled([*shared.statistics, *(pool_statistics(x[0]) for x in part.run("shared", shared.last))])


def _open_session(model: bytes) -> onnxruntime.InferenceSession:
    """A session on the CPU, with as many threads as OMP_NUM_THREADS says: one in decode workers, else all."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 0)
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pictures differ in shape: the arena would keep blocks for each
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # decode workers need the processors
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Write the graphs of a weights file."""
    from cliqa.metrics import checkpoints, metric_class

    name, folder = sys.argv[1:]
    cls = metric_class(name)
    path = checkpoints.shipped_path(name)
    tensors, _ = checkpoints.load(path, metric=name, architecture=cls.architecture, version=cls.version)
    os.makedirs(folder, exist_ok=True)
    for prefix in ("trunk.", "rated.branch.", "free."):
        part = plain_names(tensors, prefix)
        if part:
            with open(os.path.join(folder, f"{prefix}onnx"), "xb") as stream:
                stream.write(trunk_graph(part) if prefix == "trunk." else branch_graph(part))


if __name__ == "__main__":
    main()

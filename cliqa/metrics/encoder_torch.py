"""The encoder by torch, on a GPU or a CPU: as `encoder_onnx`, which see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cliqa.metrics.encoder import Branch, Trunk, load_module, pool_statistics, standardise, window_features
from cliqa.metrics.encoder_heads import join_pooled
from cliqa.metrics.encoder_layout import Shared


class TorchTrunk:
    """The shared first stages on a device: as `encoder_onnx.OnnxTrunk`, for GPUs, and where ONNX Runtime is not installed."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str, device: str = "cpu") -> None:
        """Raises RuntimeError for a tensor that is missing or of another shape."""
        if device == "cpu":
            torch.set_flush_denormal(True)  # denormal numbers cost a CPU many times what others do
        self.device = torch.device(device)
        if self.device.type == "cuda":  # TF32 moves `q` by 0.011, half precision by 0.017, and neither saves time
            torch.backends.cudnn.allow_tf32 = False
        self._trunk = load_module(Trunk(), tensors, prefix).to(self.device)

    def __call__(self, picture: NDArray[np.uint8]) -> Shared:
        """Of a picture (h, w, 3): the last map, for branches, and the statistics of those that are pooled."""
        return self.batch([picture])[0]

    def batch(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Shared]:
        """Of pictures of one shape."""
        with torch.inference_mode():
            maps = self._maps(pictures)
            statistics = [pool_statistics(x).cpu().numpy() for x in maps]
            return [
                Shared(maps[-1][number : number + 1], [x[number] for x in statistics])
                for number in range(len(pictures))
            ]

    def windows(self, picture: NDArray[np.uint8], window: int, stride: int) -> NDArray[np.float32]:
        """`window_features` of a picture (h, w, 3)."""
        return self.windows_batch([picture], window, stride)[0]

    def windows_batch(
        self, pictures: Sequence[NDArray[np.uint8]], window: int, stride: int
    ) -> list[NDArray[np.float32]]:
        """`window_features` of pictures of one shape."""
        with torch.inference_mode():
            return list(window_features(self._maps(pictures), window, stride).cpu().numpy())

    def _maps(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Tensor]:
        pixels = torch.from_numpy(np.stack(pictures))
        if self.device.type == "cuda":  # from pinned memory the copy runs beside the kernels of the batch before
            pixels = pixels.pin_memory().to(self.device, non_blocking=True)
        found: list[Tensor] = self._trunk(standardise(pixels))
        return found


class TorchBranch:
    """The remaining stages on a device: as `encoder_onnx.OnnxBranch`."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], prefix: str, device: str = "cpu") -> None:
        """Raises RuntimeError for a tensor that is missing or of another shape."""
        self._branch = load_module(Branch(), tensors, prefix).to(device)

    def __call__(self, shared: Shared) -> NDArray[np.float32]:
        """The features of the picture, (POOLED_WIDTH,)."""
        return self.batch([shared])[0]

    def early(self, shared: Shared) -> NDArray[np.float32]:
        """The first of them, (EARLY_WIDTH,), at half the cost."""
        return self._pooled([shared], self._branch.early)[0]

    def batch(self, shared: Sequence[Shared]) -> list[NDArray[np.float32]]:
        """The features of pictures of one shape."""
        return self._pooled(shared, self._branch)

    @staticmethod
    def _pooled(shared: Sequence[Shared], maps: Callable[[Tensor], list[Tensor]]) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            late = [pool_statistics(x).cpu().numpy() for x in maps(torch.cat([each.last for each in shared]))]
        return [join_pooled([*each.statistics, *(x[number] for x in late)]) for number, each in enumerate(shared)]

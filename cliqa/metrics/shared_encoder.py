"""One encoder pass for all the metrics that read a picture: encoders are shared by weights, passes by picture.

On the CPU ONNX Runtime runs the encoder where it is installed (extra `[onnx]`), inside the decode workers; else torch does, on a GPU
or in the main process. The scores are the same within 1e-4.

Metrics that observe the same thumbnail hold the same array (`View` makes it once, and it crosses to the main process once), so
the array itself is the key of the memory.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.encoder_heads import RatedHead
from cliqa.metrics.encoder_layout import Shared

REMEMBERED = 64  # pictures; at least as many as are scored side by side


class EncoderTrunk(Protocol):
    """The first stages, with their weights."""

    def __call__(self, picture: NDArray[np.uint8]) -> Shared:
        """Of a picture (h, w, 3)."""
        ...

    def batch(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Shared]:
        """Of pictures of one shape."""
        ...

    def windows(self, picture: NDArray[np.uint8], window: int, stride: int) -> NDArray[np.float32]:
        """(n, WINDOW_WIDTH), see `encoder_heads.window_features`."""
        ...

    def windows_batch(
        self, pictures: Sequence[NDArray[np.uint8]], window: int, stride: int
    ) -> list[NDArray[np.float32]]:
        """The same of pictures of one shape."""
        ...


class EncoderBranch(Protocol):
    """The remaining stages, with their weights."""

    def __call__(self, shared: Shared) -> NDArray[np.float32]:
        """The features of the picture, (POOLED_WIDTH,)."""
        ...

    def early(self, shared: Shared) -> NDArray[np.float32]:
        """The first of them, (EARLY_WIDTH,), at half the cost."""
        ...

    def batch(self, shared: Sequence[Shared]) -> list[NDArray[np.float32]]:
        """The features of pictures of one shape."""
        ...


@cache
def has_onnx() -> bool:
    """Whether ONNX Runtime can run the encoder here."""
    return all(importlib.util.find_spec(name) for name in ("onnxruntime", "onnx"))


def runs_in_worker(device: str) -> bool:
    """Whether the encoder runs where a picture is decoded: on every core, without torch, and only scores cross between processes."""
    return device == "cpu" and has_onnx()


def load_trunk(tensors: Mapping[str, NDArray[Any]], device: str) -> EncoderTrunk:
    """The tensors `trunk.*` on a device. Raises KeyError or RuntimeError where they don't fit."""
    if runs_in_worker(device):
        from cliqa.metrics.encoder_onnx import OnnxTrunk

        return OnnxTrunk(tensors, "trunk.")
    from cliqa.metrics.encoder_torch import TorchTrunk

    return TorchTrunk(tensors, "trunk.", device)


def load_branch(tensors: Mapping[str, NDArray[Any]], prefix: str, device: str) -> EncoderBranch:
    """The tensors of a branch on a device. Raises KeyError or RuntimeError where they don't fit."""
    if runs_in_worker(device):
        from cliqa.metrics.encoder_onnx import OnnxBranch

        return OnnxBranch(tensors, prefix)
    from cliqa.metrics.encoder_torch import TorchBranch

    return TorchBranch(tensors, prefix, device)


class PictureMemory:
    """What was made of the last pictures, by what it is; a picture is known by its array."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[int, tuple[NDArray[np.uint8], dict[str, Any]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pictures)

    def __getstate__(self) -> dict[str, Any]:
        return {"_pictures": OrderedDict()}  # another process has arrays of its own

    def of(self, picture: NDArray[np.uint8]) -> dict[str, Any]:
        """What there is of a picture, to be read and added to."""
        # The picture is kept with its results: while it is, no other array can have its identity.
        found = self._pictures.get(id(picture))
        if found is None or found[0] is not picture:
            found = self._pictures[id(picture)] = (picture, {})
            while len(self._pictures) > REMEMBERED:
                self._pictures.popitem(last=False)
        return found[1]

    def unknown(self, pictures: Sequence[NDArray[np.uint8]], what: str) -> list[list[NDArray[np.uint8]]]:
        """The pictures of which that is not known yet, those of one shape together."""
        groups: dict[tuple[int, ...], list[NDArray[np.uint8]]] = {}
        for picture in pictures:
            if what not in self.of(picture):
                groups.setdefault(picture.shape, []).append(picture)
        return list(groups.values())


class RatedEncoder:
    """Trunk, rated branch and head, with a memory of the last pictures.

    Tensors: `trunk.*`, `rated.branch.*`, `rated.head.*`.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], device: str = "cpu") -> None:
        self.trunk = load_trunk(tensors, device)
        self.branch = load_branch(tensors, "rated.branch.", device)
        self.head = RatedHead(tensors, "rated.head.")
        self.memory = PictureMemory()

    def shared(self, picture: NDArray[np.uint8]) -> Shared:
        """What the trunk gives of uint8 (h, w, 3), one pass for all that ask."""
        known = self.memory.of(picture)
        if "shared" not in known:
            known["shared"] = self.trunk(picture)
        found: Shared = known["shared"]
        return found

    def rated(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The head's five outputs: opinion, logit of curated, logits of rejected, pending, accepted."""
        return self._head(picture)[1]

    def rated_hidden(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The head's hidden layer, (256,), not negative."""
        return self._head(picture)[0]

    def foresee(self, pictures: Sequence[NDArray[np.uint8]], rated: bool = True) -> None:
        """Run trunk, and branch, for pictures that are asked for next: those of one shape at once."""
        for group in self.memory.unknown(pictures, "shared"):
            for picture, shared in zip(group, self.trunk.batch(group), strict=True):
                self.memory.of(picture)["shared"] = shared
        for group in self.memory.unknown(pictures, "rated") if rated else []:
            for picture, features in zip(group, self.branch.batch([self.shared(each) for each in group]), strict=True):
                self.memory.of(picture)["rated"] = self.head(features)

    def _head(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        known = self.memory.of(picture)
        if "rated" not in known:
            known["rated"] = self.head(self.branch(self.shared(picture)))
        found: tuple[NDArray[np.float32], NDArray[np.float32]] = known["rated"]
        return found


_encoders: WeakValueDictionary[tuple[str, str], RatedEncoder] = WeakValueDictionary()


def rated_encoder(tensors: Mapping[str, NDArray[Any]], device: str = "cpu") -> RatedEncoder:
    """The encoder with these weights on this device; metrics whose files hold the same weights get the same one."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith(("trunk.", "rated.")):
            digest.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    key = digest.hexdigest(), "onnx" if runs_in_worker(device) else device
    encoder = _encoders.get(key)
    if encoder is None:
        encoder = _encoders[key] = RatedEncoder(tensors, device)
    return encoder

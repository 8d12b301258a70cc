"""One encoder pass for all the metrics that read a picture: encoders are shared by weights, passes by picture.

Metrics that observe the same thumbnail hold the same array (the decode worker's `View` makes it once, and it crosses to the
main process once), so the array itself is the key of the memory.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cliqa.metrics.encoder import Branch, RatedHead, Trunk, load_module, pool, standardise

REMEMBERED = 64  # pictures; at least a batch, so that the next metric finds them all


class RatedEncoder:
    """Trunk, rated branch and head, with a memory of the last pictures.

    Tensors: `trunk.*`, `rated.branch.*`, `rated.head.*`.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], device: str = "cpu") -> None:
        if device == "cpu":
            torch.set_flush_denormal(True)  # denormal numbers cost a CPU many times what others do
        self.device = device
        self.trunk = load_module(Trunk(), tensors, "trunk.").to(device)
        self.branch = load_module(Branch(), tensors, "rated.branch.").to(device)
        self.head = load_module(RatedHead(), tensors, "rated.head.").to(device)
        self._memory: OrderedDict[int, tuple[NDArray[np.uint8], dict[str, Any]]] = OrderedDict()

    def shared(self, picture: NDArray[np.uint8]) -> list[Tensor]:
        """The trunk's maps of uint8 (h, w, 3), one pass for all that ask."""
        found: list[Tensor] = self._remember(picture, "shared", lambda: self.trunk(standardise(self._tensor(picture))))
        return found

    def rated(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The head's five outputs: opinion, logit of curated, logits of rejected, pending, accepted."""
        return self._head(picture)[1]

    def rated_hidden(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The head's hidden layer, (256,), not negative."""
        return self._head(picture)[0]

    def _head(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        def run() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            shared = self.shared(picture)
            hidden, outputs = self.head(pool(shared + self.branch(shared[-1])))
            return hidden[0].float().cpu().numpy(), outputs[0].float().cpu().numpy()

        found: tuple[NDArray[np.float32], NDArray[np.float32]] = self._remember(picture, "rated", run)
        return found

    def _tensor(self, picture: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(np.array(picture)[None]).to(self.device)

    def _remember(self, picture: NDArray[np.uint8], what: str, run: Any) -> Any:
        # The picture is kept with its results: while it is, no other array can have its identity.
        found = self._memory.get(id(picture))
        if found is None or found[0] is not picture:
            found = self._memory[id(picture)] = (picture, {})
            while len(self._memory) > REMEMBERED:
                self._memory.popitem(last=False)
        results = found[1]
        if what not in results:
            with torch.inference_mode():
                results[what] = run()
        return results[what]


_encoders: WeakValueDictionary[tuple[str, str], RatedEncoder] = WeakValueDictionary()


def rated_encoder(tensors: Mapping[str, NDArray[Any]], device: str = "cpu") -> RatedEncoder:
    """The encoder with these weights on this device; metrics whose files hold the same weights get the same one."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith(("trunk.", "rated.")):
            digest.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    key = digest.hexdigest(), device
    encoder = _encoders.get(key)
    if encoder is None:
        encoder = _encoders[key] = RatedEncoder(tensors, device)
    return encoder

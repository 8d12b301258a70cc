"""The aesthetic classes on the whole-size backbone of the reference system: Inception v3 at 299 pixels, with weights of one's own.

`python -m cliqa.training.train aesthetic_combined --backbone inception` makes them; none are shipped (110 MB). A file of them is given
to `filter_low_aesthetic --checkpoint`, and its fields are those of `aesthetic`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.errors import CheckpointError
from cliqa.metrics.aesthetic import Aesthetic, class_fields, probabilities
from cliqa.metrics.base import Metric, Observation, Value, View

if TYPE_CHECKING:
    import torch

SIDE = 299  # pixels: what the network was made for; any from 75 on will do, 320 is the document's largest
OBSERVED = 640  # long side: enough to resize from, whatever the proportions


def new_inception(classes: int = 3) -> torch.nn.Module:
    """Inception v3 without its auxiliary head, at random; it takes what `standardise` gives."""
    from torchvision.models import inception_v3

    made: torch.nn.Module = inception_v3(
        weights=None, num_classes=classes, aux_logits=False, transform_input=True, init_weights=False
    )
    return made


class AestheticInception(Metric):
    """Rejected, pending, accepted.

    Tensors: `network.*` of `new_inception`; `calibration.weight` (3, 3), `calibration.bias` (3), from its outputs to the logits of the
    classes; `decision` (3), as in `Aesthetic`. Metadata: `side`.
    """

    name = "aesthetic_inception"
    architecture = "inception-v3-classes"
    version = 1
    summary = "rejected, pending or accepted, by Inception v3; needs own weights"
    fields = Aesthetic.fields
    uses_torch = True

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        from cliqa.metrics.encoder import load_module

        self.side = int(metadata.get("side", SIDE))
        self.calibration = (
            tensors["calibration.weight"].astype(np.float64),
            tensors["calibration.bias"].astype(np.float64),
        )
        self.decision = tensors["decision"].astype(np.float64)
        try:
            self.network = load_module(new_inception(), tensors, "network.").to(device)
        except RuntimeError as error:
            raise CheckpointError(f"these are no weights of an Inception v3 with three classes: {error}") from error

    @classmethod
    def observe(cls, view: View) -> Observation:
        """`picture`: upright, uint8 (h, w, 3), long side at most 640."""
        return {"picture": view.thumbnail(OBSERVED)}

    def score(self, observation: Observation) -> dict[str, Value]:
        """The label, the probabilities of the classes, and the expected class."""
        import torch

        from cliqa.metrics.encoder import standardise

        square = Image.fromarray(observation["picture"]).resize((self.side, self.side), Image.Resampling.BICUBIC)
        with torch.inference_mode():
            pixels = standardise(torch.from_numpy(np.array(square)[None]).to(self.device))
            outputs = self.network(pixels)[0].double().cpu().numpy()
        return class_fields(probabilities(outputs, *self.calibration), self.decision)

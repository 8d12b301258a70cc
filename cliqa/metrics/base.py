"""What a metric is: its fields, what it needs of an image, and two functions.

`observe` runs in a decode worker, on one image, in NumPy alone: it reduces the image to the small arrays that the
network reads (patches, a thumbnail, or better, numbers). `score` makes fields of one observation: in the main process, or in the
worker too where the class says that it may (`in_worker`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cliqa.images.loading import View

__all__ = ["Field", "Metric", "Observation", "Value", "View"]

Value = float | int | str | None
Observation = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Field:
    """One number (or label) that a metric returns.

    `kind` is "float", "int" or "str"; `low` and `high` bound numbers; `better` says which way is good, "" where neither is.
    An `opaque` text is no label that a person could choose by, such as a hash.
    An `optional` field may be None (for example the header's quality of a file that is no JPEG).
    """

    name: str
    meaning: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    better: Literal["higher", "lower", ""] = ""
    kind: Literal["float", "int", "str"] = "float"
    optional: bool = False
    opaque: bool = False


class Metric(ABC):
    """A scorer. Subclasses are registered in `cliqa.metrics` or through the entry-point group of that name.

    Class attributes:
        name: the metric's name, and the prefix of its fields in records.
        architecture: name of the network or estimator; weights files must carry the same.
        version: version of that architecture; weights files must carry the same.
        summary: one line for listings.
        fields: what `score` returns.
        weights: whether a weights file `<name>.safetensors` is needed.
        reads_grid: whether it measures the pixel grid, so that a raw file's preview tells it nothing.
        uses_torch: whether `score` runs a torch network (and so can use a GPU).
        in_worker: whether `score` too runs in the decode worker, so that it uses every core and only its fields cross: it needs no
            torch, and the loaded metric can be pickled.
    """

    name: ClassVar[str]
    architecture: ClassVar[str]
    version: ClassVar[int] = 1
    summary: ClassVar[str] = ""
    fields: ClassVar[tuple[Field, ...]]
    weights: ClassVar[bool] = True
    uses_torch: ClassVar[bool] = False
    reads_grid: ClassVar[bool] = False
    in_worker: bool = False

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        """Build from the tensors and metadata of a checkpoint; `cliqa.metrics.load_metric` does both."""
        self.metadata = dict(metadata)
        self.device = device

    def prepare(self) -> None:  # noqa: B027
        """Build what takes long, such as a torch network, ahead of the first score; nothing by default.

        The pipeline calls it when the first image has been observed: the workers are busy by then, and a run that has nothing to score
        doesn't import torch. May raise CheckpointError.
        """

    def foresee(self, observations: Sequence[Observation]) -> None:  # noqa: B027
        """Run at once what is cheaper so on a GPU, for images that `score` is asked for next; nothing by default."""

    @classmethod
    @abstractmethod
    def observe(cls, view: View) -> Observation:
        """Reduce one image to small arrays. NumPy only, no weights, deterministic.

        Raises:
            ImageSkipped: the image can't be scored by this metric (too little content, say).
        """

    @abstractmethod
    def score(self, observation: Observation) -> dict[str, Value]:
        """The fields of one image. May raise ImageIssue.

        A metric that runs a torch network on the CPU is called from several threads at once, an image each.
        """

    def map(self, view: View) -> NDArray[np.float32] | None:
        """Where in the picture: a number for each part of it, float32 (rows, columns), as stored; None: the metric has no map."""
        return None

    @property
    def target(self) -> str:
        """Where a worker process finds the class again: `package.module:Class`."""
        return f"{type(self).__module__}:{type(self).__qualname__}"

    def score_view(self, view: View) -> dict[str, Value]:
        """Fields of one image."""
        return self.score(self.observe(view))

"""Ordinal labels under hard rules: a HEX graph (hierarchy and exclusion) whose distribution is exact.

A label with levels 1 ... K has K-1 bits, bit k = [level >= k] for k = 2 ... K. Two kinds of rules bind bits:

* an exclusion (undirected edge) forbids two bits to be set together;
* a subsumption (directed edge) says that one bit implies another.

Bits of one label always imply the lower ones, so a state is one level per label. Labels that no chain of rules connects are
independent: legal states are enumerated per connected component, and

    P(state) = exp(sum of z over the state's set bits) / Z        for legal states, exactly 0 for all others.

The family of models is that of Deng et al., "Large-scale object classification using label relation graphs" (ECCV 2014); the
partial-label likelihood sums P over every state that an incomplete annotation admits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.exposure.hex_rules import (
    Exclusion,
    Label,
    Subsumption,
    allowed_pairs,
    connected,
    label_index,
    legal_states,
    position,
)

MAX_STATES = 65_536
"""Legal states that one connected component may have; beyond it the exact sums stop being cheap."""


@dataclass(frozen=True)
class Component:
    """A connected component: `labels` (indices) and its legal `states`, int64 (states, labels), levels from 1."""

    labels: tuple[int, ...]
    states: NDArray[np.int64]
    bits: NDArray[np.int64]  # positions in the vector of all bits
    indicator: NDArray[np.float64]  # (states, bits): which bits a state sets
    cells: NDArray[np.int64]  # (states, labels): positions in the vector of all (label, level) pairs


class HexGraph:
    """Labels and rules, with the exact distribution over legal states.

    Vectors: `z` has one number per bit, labels in order, levels 2 ... K within a label; `cells` have one entry per (label,
    level) pair, levels 1 ... K. Both may have leading batch axes.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        exclusions: Sequence[Exclusion] = (),
        subsumptions: Sequence[Subsumption] = (),
        max_states: int = MAX_STATES,
    ) -> None:
        """Enumerate the legal states.

        Raises:
            SchemaError: a rule names an unknown label or level, a level can't occur under the rules (so the schema
                contradicts itself), or a component has more than `max_states` legal states.
        """
        self.labels = tuple(labels)
        self.exclusions = tuple(exclusions)
        self.subsumptions = tuple(subsumptions)
        self._index = label_index(self.labels)
        counts = [label.levels for label in self.labels]
        self.bit_offsets = np.concatenate([[0], np.cumsum([count - 1 for count in counts])]).astype(int)
        self.cell_offsets = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        allowed = allowed_pairs(self.labels, self.exclusions, self.subsumptions)
        self.components = tuple(
            self._component(members, legal_states(self.labels, members, allowed, max_states))
            for members in connected(len(self.labels), allowed)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in order."""
        return tuple(label.name for label in self.labels)

    def index(self, name: str) -> int:
        """Position of a label, by name or alias. Raises SchemaError."""
        return position(self._index, self.labels, name)

    def _component(self, members: tuple[int, ...], states: NDArray[np.int64]) -> Component:
        bits = np.concatenate(
            [np.arange(self.bit_offsets[label], self.bit_offsets[label + 1]) for label in members]
        ).astype(np.int64)
        indicator = np.concatenate(
            [
                states[:, [column]] >= np.arange(2, self.labels[label].levels + 1)
                for column, label in enumerate(members)
            ],
            axis=1,
        ).astype(np.float64)
        return Component(members, states, bits, indicator, states - 1 + self.cell_offsets[list(members)])

    def log_partition(self, z: NDArray[Any], admissible: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """log of the sum over legal (and, where given, admissible) states of exp(score); float64, batch axes of `z`.

        Args:
            z: (..., bits).
            admissible: bool (..., cells), which levels of each label an annotation leaves open. -inf where no legal
                state is admissible.
        """
        total = np.zeros(np.shape(z)[:-1])
        for part in self.components:
            total = total + _log_sum_exp(self._scores(part, z, admissible))
        return total

    def _scores(self, part: Component, z: NDArray[Any], admissible: NDArray[Any] | None) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = np.asarray(z, dtype=np.float64)[..., part.bits] @ part.indicator.T
        if admissible is not None:
            scores = np.where(np.asarray(admissible, dtype=bool)[..., part.cells].all(axis=-1), scores, -np.inf)
        return scores

    def probabilities(self, z: NDArray[Any]) -> list[NDArray[np.float64]]:
        """Per component, the probability of each legal state: float64 (..., states)."""
        found = []
        for part in self.components:
            scores = self._scores(part, z, None)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            found.append(weights / weights.sum(axis=-1, keepdims=True))
        return found

    def marginals(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """P(level >= k) for every bit: float64 (..., bits), in [0, 1]."""
        result = np.empty(np.shape(z), dtype=np.float64)
        for part, probability in zip(self.components, self.probabilities(z), strict=True):
            result[..., part.bits] = np.minimum(probability @ part.indicator, 1.0)
        return result

    def map_levels(self, z: NDArray[Any]) -> NDArray[np.int64]:
        """The most probable legal state: int64 (..., labels), levels from 1. Of equals, the lower levels win."""
        result = np.ones((*np.shape(z)[:-1], len(self.labels)), dtype=np.int64)
        for part in self.components:
            best = np.argmax(self._scores(part, z, None), axis=-1)
            result[..., list(part.labels)] = part.states[best]
        return result

    def log_likelihood(self, z: NDArray[Any], admissible: NDArray[Any]) -> NDArray[np.float64]:
        """log P(the state is one of the admissible ones): the partial-label marginal log likelihood, <= 0."""
        return self.log_partition(z, admissible) - self.log_partition(z)

    def admissible(self, levels: NDArray[Any]) -> NDArray[np.bool_]:
        """Annotated levels, int (..., labels), 0 for "not annotated" -> bool (..., cells)."""
        given = np.asarray(levels)
        parts = [
            (given[..., [label]] == np.arange(1, self.labels[label].levels + 1)) | (given[..., [label]] == 0)
            for label in range(len(self.labels))
        ]
        return np.concatenate(parts, axis=-1)

    def is_legal(self, levels: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether complete levels, int (..., labels), break no rule."""
        finite = np.isfinite(self.log_partition(np.zeros((*np.shape(levels)[:-1], self.bit_offsets[-1])),
                                                self.admissible(levels)))  # fmt: skip
        return np.asarray(finite & (np.asarray(levels) > 0).all(axis=-1))


def _log_sum_exp(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    top = scores.max(axis=-1)
    base = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = np.log(np.exp(scores - base[..., None]).sum(axis=-1)) + base
    return result

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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import UsageError

MAX_STATES = 65_536
"""Legal states that one connected component may have; beyond it the exact sums stop being cheap."""


@dataclass(frozen=True)
class Label:
    """One label: `levels` ordered levels, the first of which is the absence of the issue. `alias` is another name of it."""

    name: str
    levels: int = 4
    alias: str = ""


@dataclass(frozen=True)
class Exclusion:
    """No bit (`a`, one of `a_levels`) may be set together with a bit (`b`, one of `b_levels`)."""

    a: str
    a_levels: tuple[int, ...]
    b: str
    b_levels: tuple[int, ...]


@dataclass(frozen=True)
class Subsumption:
    """For each pair (i, j): level of `a` >= i implies level of `b` >= j."""

    a: str
    b: str
    pairs: tuple[tuple[int, int], ...]


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
            UsageError: a rule names an unknown label or level, a level can't occur under the rules (so the schema
                contradicts itself), or a component has more than `max_states` legal states.
        """
        self.labels = tuple(labels)
        self.exclusions = tuple(exclusions)
        self.subsumptions = tuple(subsumptions)
        self._index = _index(self.labels)
        counts = [label.levels for label in self.labels]
        self.bit_offsets = np.concatenate([[0], np.cumsum([count - 1 for count in counts])]).astype(int)
        self.cell_offsets = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        allowed = self._pairwise()
        self.components = tuple(
            self._component(members, allowed, max_states) for members in _connected(len(self.labels), allowed)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in order."""
        return tuple(label.name for label in self.labels)

    def index(self, name: str) -> int:
        """Position of a label, by name or alias. Raises UsageError."""
        if name not in self._index:
            raise UsageError(f"there is no label {name!r}; known: {', '.join(self.names)}")
        return self._index[name]

    def _level(self, name: str, level: int) -> tuple[int, int]:
        label = self.index(name)
        if not 1 <= level <= self.labels[label].levels:
            raise UsageError(f"label {name!r} has levels 1 to {self.labels[label].levels}, not {level}")
        return label, level

    def _pairwise(self) -> dict[tuple[int, int], NDArray[np.bool_]]:
        """(a, b), a <= b -> bool (levels of a, levels of b): the pairs of levels that the rules allow."""
        allowed: dict[tuple[int, int], NDArray[np.bool_]] = {}

        def forbid(a: int, b: int, bad: NDArray[np.bool_]) -> None:
            key, bad = ((a, b), bad) if a <= b else ((b, a), bad.T)
            if key not in allowed:
                allowed[key] = np.ones((self.labels[key[0]].levels, self.labels[key[1]].levels), dtype=bool)
            allowed[key] &= ~bad

        for rule in self.exclusions:
            for a_level in rule.a_levels:
                for b_level in rule.b_levels:
                    (a, i), (b, j) = self._level(rule.a, a_level), self._level(rule.b, b_level)
                    forbid(a, b, np.logical_and.outer(self._bit(a, i), self._bit(b, j)))
        for edge in self.subsumptions:
            for source, target in edge.pairs:
                (a, i), (b, j) = self._level(edge.a, source), self._level(edge.b, target)
                forbid(a, b, np.logical_and.outer(self._bit(a, i), ~self._bit(b, j)))
        return allowed

    def _bit(self, label: int, level: int) -> NDArray[np.bool_]:
        """For each level of a label, whether its bit `level` is set."""
        return np.arange(1, self.labels[label].levels + 1) >= level

    def _component(
        self, members: tuple[int, ...], allowed: Mapping[tuple[int, int], NDArray[np.bool_]], limit: int
    ) -> Component:
        names = ", ".join(self.labels[label].name for label in members)
        found: list[tuple[int, ...]] = []
        for state in self._states(members, allowed):
            found.append(state)
            if len(found) > limit:
                raise UsageError(f"the schema is too large: the labels {names} have more than {limit} legal states")
        if not found:
            raise UsageError(f"the schema contradicts itself: the labels {names} have no legal state")
        states = np.array(found, dtype=np.int64)
        for position, label in enumerate(members):
            for level in range(1, self.labels[label].levels + 1):
                if not (states[:, position] == level).any():
                    raise UsageError(
                        f"the schema contradicts itself: its rules leave no state where {self.labels[label].name} is {level}"
                    )
        bits = np.concatenate(
            [np.arange(self.bit_offsets[label], self.bit_offsets[label + 1]) for label in members]
        ).astype(np.int64)
        indicator = np.concatenate(
            [
                states[:, [position]] >= np.arange(2, self.labels[label].levels + 1)
                for position, label in enumerate(members)
            ],
            axis=1,
        ).astype(np.float64)
        cells = states - 1 + self.cell_offsets[list(members)]
        return Component(members, states, bits, indicator, cells)

    def _states(
        self, members: tuple[int, ...], allowed: Mapping[tuple[int, int], NDArray[np.bool_]]
    ) -> Iterator[tuple[int, ...]]:
        """Depth first, a level at a time, leaving a branch at the first broken rule; lowest levels first."""
        chosen: list[int] = []

        def fits(label: int, level: int) -> bool:
            for other, other_level in [*zip(members, chosen, strict=False), (label, level)]:
                key = (min(label, other), max(label, other))
                pair = (level, other_level) if label <= other else (other_level, level)
                if key in allowed and not allowed[key][pair[0] - 1, pair[1] - 1]:
                    return False
            return True

        def extend() -> Iterator[tuple[int, ...]]:
            if len(chosen) == len(members):
                yield tuple(chosen)
                return
            label = members[len(chosen)]
            for level in range(1, self.labels[label].levels + 1):
                if fits(label, level):
                    chosen.append(level)
                    yield from extend()
                    chosen.pop()

        return extend()

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


def _index(labels: Sequence[Label]) -> dict[str, int]:
    index: dict[str, int] = {}
    if not labels:
        raise UsageError("the schema has no labels")
    for position, label in enumerate(labels):
        if label.levels < 2:
            raise UsageError(f"label {label.name!r} needs at least 2 levels")
        for name in {label.name, label.alias} - {""}:
            if name in index:
                raise UsageError(f"two labels of the schema are called {name!r}")
            index[name] = position
    return index


def _connected(count: int, edges: Mapping[tuple[int, int], Any]) -> list[tuple[int, ...]]:
    """The connected components of `count` labels, each in ascending order."""
    root = list(range(count))

    def find(label: int) -> int:
        while root[label] != label:
            label = root[label]
        return label

    for a, b in edges:
        root[max(find(a), find(b))] = min(find(a), find(b))
    groups: dict[int, list[int]] = {}
    for label in range(count):
        groups.setdefault(find(label), []).append(label)
    return [tuple(members) for _, members in sorted(groups.items())]


def _log_sum_exp(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    top = scores.max(axis=-1)
    base = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = np.log(np.exp(scores - base[..., None]).sum(axis=-1)) + base
    return result

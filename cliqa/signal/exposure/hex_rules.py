"""The rules of a HEX graph and the states that they leave: labels, exclusions, subsumptions, enumeration by connected component.

A state is one level per label. Rules bind bits [level >= k]; here they become tables of the pairs of levels that two labels may have
together, and a depth-first search through those tables lists the legal states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Allowed = Mapping[tuple[int, int], NDArray[np.bool_]]
"""(a, b), a <= b -> bool (levels of a, levels of b): the pairs of levels that two labels may have together."""


class SchemaError(ValueError):
    """A schema that is malformed, contradicts itself or is too large; the message says which rule."""


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


def label_index(labels: Sequence[Label]) -> dict[str, int]:
    """Name or alias -> position. Raises SchemaError where there are no labels, too few levels, or one name twice."""
    index: dict[str, int] = {}
    if not labels:
        raise SchemaError("the schema has no labels")
    for position, label in enumerate(labels):
        if label.levels < 2:
            raise SchemaError(f"label {label.name!r} needs at least 2 levels")
        for name in {label.name, label.alias} - {""}:
            if name in index:
                raise SchemaError(f"two labels of the schema are called {name!r}")
            index[name] = position
    return index


def connected(count: int, edges: Allowed) -> list[tuple[int, ...]]:
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


def _level(labels: Sequence[Label], index: Mapping[str, int], name: str, level: int) -> tuple[int, int]:
    label = position(index, labels, name)
    if not 1 <= level <= labels[label].levels:
        raise SchemaError(f"label {name!r} has levels 1 to {labels[label].levels}, not {level}")
    return label, level


def position(index: Mapping[str, int], labels: Sequence[Label], name: str) -> int:
    """Position of a label, by name or alias. Raises SchemaError."""
    if name not in index:
        raise SchemaError(f"there is no label {name!r}; known: {', '.join(label.name for label in labels)}")
    return index[name]


def allowed_pairs(
    labels: Sequence[Label], exclusions: Sequence[Exclusion], subsumptions: Sequence[Subsumption]
) -> dict[tuple[int, int], NDArray[np.bool_]]:
    """The rules as tables, one for each pair of labels that a rule binds. Raises SchemaError for an unknown label or level."""
    index = label_index(labels)
    allowed: dict[tuple[int, int], NDArray[np.bool_]] = {}

    def bit(label: int, level: int) -> NDArray[np.bool_]:
        """For each level of a label, whether its bit `level` is set."""
        return np.arange(1, labels[label].levels + 1) >= level

    def forbid(a: int, b: int, bad: NDArray[np.bool_]) -> None:
        key, bad = ((a, b), bad) if a <= b else ((b, a), bad.T)
        if key not in allowed:
            allowed[key] = np.ones((labels[key[0]].levels, labels[key[1]].levels), dtype=bool)
        allowed[key] &= ~bad

    for rule in exclusions:
        for a_level in rule.a_levels:
            for b_level in rule.b_levels:
                (a, i), (b, j) = _level(labels, index, rule.a, a_level), _level(labels, index, rule.b, b_level)
                forbid(a, b, np.logical_and.outer(bit(a, i), bit(b, j)))
    for edge in subsumptions:
        for source, target in edge.pairs:
            (a, i), (b, j) = _level(labels, index, edge.a, source), _level(labels, index, edge.b, target)
            forbid(a, b, np.logical_and.outer(bit(a, i), ~bit(b, j)))
    return allowed


def legal_states(labels: Sequence[Label], members: tuple[int, ...], allowed: Allowed, limit: int) -> NDArray[np.int64]:
    """The legal states of one connected component, int64 (states, members), levels from 1, lowest levels first.

    Raises:
        SchemaError: there is none, a level occurs in none, or there are more than `limit`.
    """
    names = ", ".join(labels[label].name for label in members)
    found: list[tuple[int, ...]] = []
    for state in _search(labels, members, allowed):
        found.append(state)
        if len(found) > limit:
            raise SchemaError(f"the schema is too large: the labels {names} have more than {limit} legal states")
    if not found:
        raise SchemaError(f"the schema contradicts itself: the labels {names} have no legal state")
    states = np.array(found, dtype=np.int64)
    for column, label in enumerate(members):
        for level in range(1, labels[label].levels + 1):
            if not (states[:, column] == level).any():
                raise SchemaError(
                    f"the schema contradicts itself: its rules leave no state where {labels[label].name} is {level}"
                )
    return states


def _search(labels: Sequence[Label], members: tuple[int, ...], allowed: Allowed) -> Iterator[tuple[int, ...]]:
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
        for level in range(1, labels[label].levels + 1):
            if fits(label, level):
                chosen.append(level)
                yield from extend()
                chosen.pop()

    yield from extend()

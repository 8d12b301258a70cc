"""Label schemas as data: the documented one of the exposure labels, and a graph from any.

Six issues, four levels, three exclusions. English names; the Chinese names under which the labels were first published are kept as
aliases, and work wherever a label is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.hex_rules import Exclusion, Label, SchemaError, Subsumption
from cliqa.signal.exposure.labels import ALIASES, LABELS, LEVELS

_OPPOSITES = ((0, 1), (2, 3), (4, 5))
_OTHER_NAMES = dict(zip((*LABELS, *ALIASES), (*ALIASES, *LABELS), strict=True))  # a known label is known by both

SCHEMA: dict[str, Any] = {
    "Levels": {str(level): meaning for level, meaning in LEVELS.items()},
    "Nodes": [
        {"label": label, "levels": [1, 2, 3, 4], "alias": alias} for label, alias in zip(LABELS, ALIASES, strict=True)
    ],
    "Exclusions": [
        {"label_a": LABELS[a], "a_levels": [2, 3, 4], "label_b": LABELS[b], "b_levels": [2, 3, 4]}
        for a, b in _OPPOSITES
    ],
    "Subsumptions": [
        {"label_a": label, "label_b": label, "map": [[3, 2], [4, 2], [4, 3]]}
        for label in LABELS
    ],
}  # fmt: skip


def graph_from_schema(schema: Mapping[str, Any]) -> HexGraph:
    """A graph from data: keys `Nodes`, `Exclusions` and `Subsumptions` (any case), as `docs/exposure.md` shows.

    Raises:
        SchemaError: a key or entry is missing or malformed, or the rules are contradictory or too large.
    """
    lowered = {str(key).lower(): value for key, value in schema.items()}
    try:
        nodes = [
            Label(
                str(node["label"]),
                _node_levels(node.get("levels", [1, 2, 3, 4])),
                str(node.get("alias", _OTHER_NAMES.get(str(node["label"]), ""))),
            )
            for node in lowered["nodes"]
        ]
        exclusions = [
            Exclusion(rule["label_a"], _numbers(rule["a_levels"]), rule["label_b"], _numbers(rule["b_levels"]))
            for rule in lowered.get("exclusions", [])
        ]
        subsumptions = [
            Subsumption(rule["label_a"], rule["label_b"], tuple((int(i), int(j)) for i, j in rule["map"]))
            for rule in lowered.get("subsumptions", [])
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(f"the schema is malformed: {type(error).__name__} at {error}") from error
    return HexGraph(nodes, exclusions, subsumptions)


def _node_levels(levels: Sequence[int]) -> int:
    if list(levels) != list(range(1, len(levels) + 1)):
        raise ValueError(f"levels {levels}; they must be 1, 2, 3 ...")
    return len(levels)


def _numbers(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)

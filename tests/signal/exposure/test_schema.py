"""The documented schema."""

from __future__ import annotations

from cliqa.signal.exposure.labels import ALIASES, LABELS, LEVELS
from cliqa.signal.exposure.schema import SCHEMA, graph_from_schema


def test_chinese_names_are_aliases():
    graph = graph_from_schema(SCHEMA)
    assert [graph.index(alias) for alias in ALIASES] == [graph.index(label) for label in LABELS] == list(range(6))


def test_every_label_has_the_documented_levels_and_one_opposite():
    assert [node["label"] for node in SCHEMA["Nodes"]] == list(LABELS)
    assert all(node["levels"] == list(LEVELS) == [1, 2, 3, 4] for node in SCHEMA["Nodes"])
    named = [rule[side] for rule in SCHEMA["Exclusions"] for side in ("label_a", "label_b")]
    assert sorted(named) == sorted(LABELS)

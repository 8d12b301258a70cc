"""Rules as tables of allowed pairs, components, and the states that are left."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.hex_rules import (
    Exclusion,
    Label,
    SchemaError,
    Subsumption,
    allowed_pairs,
    connected,
    label_index,
    legal_states,
)


def test_an_exclusion_and_a_subsumption_as_tables():
    labels = [Label("a", 3), Label("b", 3)]
    ((key, table),) = allowed_pairs(labels, [Exclusion("a", (2,), "b", (3,))], []).items()
    assert key == (0, 1)
    np.testing.assert_array_equal(table, [[1, 1, 1], [1, 1, 0], [1, 1, 0]])  # levels of a by levels of b
    table = allowed_pairs(labels, [], [Subsumption("b", "a", ((3, 2),))])[0, 1]
    np.testing.assert_array_equal(table, [[1, 1, 0], [1, 1, 1], [1, 1, 1]])


def test_components_are_those_of_the_rules():
    yes = np.ones((2, 2), bool)
    assert connected(5, {(0, 3): yes, (3, 4): yes, (1, 1): yes}) == [(0, 3, 4), (1,), (2,)]


@pytest.mark.parametrize("seed", range(5))
def test_the_legal_states_are_those_of_a_full_search(seed):
    rng = np.random.default_rng(seed)
    labels = [Label(name, 3) for name in "abc"]
    allowed = {pair: rng.random((3, 3)) < 0.7 for pair in ((0, 1), (1, 2))}
    wanted = [
        state for state in itertools.product((1, 2, 3), repeat=3)
        if all(table[state[a] - 1, state[b] - 1] for (a, b), table in allowed.items())
    ]  # fmt: skip
    occurring = all({state[label] for state in wanted} == {1, 2, 3} for label in range(3))
    if not occurring:
        with pytest.raises(SchemaError, match="contradicts itself"):
            legal_states(labels, (0, 1, 2), allowed, 100)
        return
    assert [tuple(state) for state in legal_states(labels, (0, 1, 2), allowed, 100)] == wanted
    with pytest.raises(SchemaError, match="too large"):
        legal_states(labels, (0, 1, 2), allowed, len(wanted) - 1)


def test_an_alias_names_the_same_label():
    assert label_index([Label("a", alias="x"), Label("b")]) == {"a": 0, "x": 0, "b": 1}


@pytest.mark.parametrize(
    ("labels", "exclusions", "subsumptions", "message"),
    [
        ([Label("a")], [Exclusion("a", (2,), "a", (2,))], [], "contradicts itself.*a is 2"),
        ([Label("a"), Label("b")], [Exclusion("a", (2,), "b", (2,))], [Subsumption("a", "b", ((2, 2),))], "contradicts"),
        ([Label("a"), Label("b")], [Exclusion("a", (1,), "b", (1,))], [], "no legal state"),
        ([Label("a")], [Exclusion("a", (2,), "b", (2,))], [], "no label 'b'"),
        ([Label("a"), Label("b")], [Exclusion("a", (5,), "b", (2,))], [], "levels 1 to 4, not 5"),
        ([Label("a"), Label("a")], [], [], "called 'a'"),
        ([Label("a", 1)], [], [], "at least 2 levels"),
        ([], [], [], "no labels"),
    ],
)  # fmt: skip
def test_bad_schemas_say_so(labels, exclusions, subsumptions, message):
    with pytest.raises(SchemaError, match=message):
        HexGraph(labels, exclusions, subsumptions)

"""The HEX graph against brute force over all assignments of bits, where rules are checked edge by edge."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from cliqa.errors import UsageError
from cliqa.metrics.exposure_schema import read_schema
from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.hex_rules import Exclusion, Label, SchemaError, Subsumption
from cliqa.signal.exposure.schema import ALIASES, LABELS, SCHEMA, graph_from_schema


def brute_force(graph: HexGraph, z: np.ndarray) -> dict[tuple[int, ...], float]:
    """Every legal assignment of bits -> its unnormalised weight. Knows bits and edges only, not levels or components."""
    names = [(label.name, level) for label in graph.labels for level in range(2, label.levels + 1)]
    position = {name: index for index, name in enumerate(names)}
    weights = {}
    for bits in itertools.product((0, 1), repeat=len(names)):

        def on(label: str, level: int, bits: tuple[int, ...] = bits) -> bool:
            return level == 1 or bool(bits[position[label, level]])

        legal = all(
            on(label.name, level - 1) or not on(label.name, level)
            for label in graph.labels
            for level in range(2, label.levels + 1)
        )
        for rule in graph.exclusions:
            legal &= not any(on(rule.a, i) and on(rule.b, j) for i in rule.a_levels for j in rule.b_levels)
        for edge in graph.subsumptions:
            legal &= all(on(edge.b, j) or not on(edge.a, i) for i, j in edge.pairs)
        if legal:
            weights[bits] = float(np.exp(np.dot(bits, z)))
    return weights


def random_graph(rng: np.random.Generator) -> HexGraph:
    while True:
        labels = [Label(f"l{i}", int(rng.integers(2, 5))) for i in range(rng.integers(2, 5))]
        exclusions, subsumptions = [], []
        for _ in range(rng.integers(0, 4)):
            a, b = rng.choice(len(labels), 2, replace=False)
            i, j = int(rng.integers(2, labels[a].levels + 1)), int(rng.integers(2, labels[b].levels + 1))
            if rng.random() < 0.5:
                exclusions.append(Exclusion(labels[a].name, (i,), labels[b].name, (j,)))
            else:
                subsumptions.append(Subsumption(labels[a].name, labels[b].name, ((i, j),)))
        try:
            return HexGraph(labels, exclusions, subsumptions)
        except SchemaError:  # a contradiction by chance
            continue


def levels_of(graph: HexGraph, bits: tuple[int, ...]) -> tuple[int, ...]:
    split = np.split(np.array(bits), graph.bit_offsets[1:-1])
    return tuple(1 + int(part.sum()) for part in split)


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_brute_force_on_random_graphs(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    z = rng.normal(0, 2, int(graph.bit_offsets[-1]))
    weights = brute_force(graph, z)
    total = sum(weights.values())
    assert graph.log_partition(z) == pytest.approx(np.log(total))

    expected = sum(np.array(bits) * weight for bits, weight in weights.items()) / total
    np.testing.assert_allclose(graph.marginals(z), expected, rtol=1e-10, atol=1e-14)

    best = max(weights, key=lambda bits: weights[bits])
    assert tuple(graph.map_levels(z)) == levels_of(graph, best)

    known = np.array(levels_of(graph, list(weights)[rng.integers(len(weights))]))
    known[rng.random(len(known)) < 0.5] = 0
    inside = sum(
        weight for bits, weight in weights.items()
        if all(k in (0, level) for k, level in zip(known, levels_of(graph, bits), strict=True))
    )  # fmt: skip
    assert graph.log_likelihood(z, graph.admissible(known)) == pytest.approx(np.log(inside / total), abs=1e-12)


def test_documented_schema_agrees_with_brute_force():
    graph = graph_from_schema(SCHEMA)
    assert len(graph.components) == 3  # the three pairs are independent of each other
    pair = HexGraph(graph.labels[:2], graph.exclusions[:1])
    z = np.random.default_rng(1).normal(0, 3, 6)
    weights = brute_force(pair, z)
    assert len(weights) == 7 == len(graph.components[0].states)
    expected = sum(np.array(bits) * weight for bits, weight in weights.items()) / sum(weights.values())
    np.testing.assert_allclose(graph.marginals(np.concatenate([z, np.zeros(12)]))[:6], expected)


def test_illegal_states_have_probability_exactly_zero():
    graph = graph_from_schema(SCHEMA)
    z = np.full(18, 30.0)  # everything wants to be on
    both = graph.admissible(np.array([4, 4, 0, 0, 0, 0]))
    assert graph.log_likelihood(z, both) == -np.inf
    assert not graph.is_legal(np.array([2, 2, 1, 1, 1, 1]))
    assert graph.is_legal(np.array([2, 1, 1, 4, 1, 3]))
    for part, probability in zip(graph.components, graph.probabilities(z), strict=True):
        assert (part.states > 1).all(axis=1).sum() == 0
        assert probability.sum() == pytest.approx(1.0)


def test_batch_axes_are_independent():
    graph = graph_from_schema(SCHEMA)
    z = np.random.default_rng(2).normal(0, 4, (3, 5, 18))
    np.testing.assert_allclose(graph.marginals(z)[1, 3], graph.marginals(z[1, 3]))
    assert (graph.map_levels(z)[2, 0] == graph.map_levels(z[2, 0])).all()


def test_marginals_never_increase_with_level():
    graph = graph_from_schema(SCHEMA)
    p = graph.marginals(np.random.default_rng(3).normal(0, 8, (200, 18))).reshape(200, 6, 3)
    assert (np.diff(p, axis=2) <= 1e-15).all()


def test_nothing_annotated_says_nothing_and_all_annotated_is_the_state():
    graph = graph_from_schema(SCHEMA)
    z = np.random.default_rng(4).normal(0, 2, 18)
    assert graph.log_likelihood(z, graph.admissible(np.zeros(6, int))) == pytest.approx(0.0, abs=1e-12)
    state = np.array([3, 1, 1, 2, 1, 1])
    probability = np.prod([
        weights[(part.states == state[list(part.labels)]).all(axis=1)][0]
        for part, weights in zip(graph.components, graph.probabilities(z), strict=True)
    ])  # fmt: skip
    assert graph.log_likelihood(z, graph.admissible(state)) == pytest.approx(np.log(probability))


def test_an_edge_may_be_added():
    """The documented example: clipped at 3 or more implies too bright at 2 or more."""
    extra = {"label_a": "highlights_clipped", "label_b": "too_bright", "map": [[3, 2]]}
    graph = graph_from_schema(SCHEMA | {"Subsumptions": [*SCHEMA["Subsumptions"], extra]})
    assert len(graph.components) == 2
    assert not graph.is_legal(np.array([1, 1, 1, 1, 3, 1]))
    assert graph.is_legal(np.array([2, 1, 1, 1, 3, 1]))


def test_chinese_names_are_aliases():
    graph = graph_from_schema(SCHEMA)
    assert [graph.index(alias) for alias in ALIASES] == [graph.index(label) for label in LABELS] == list(range(6))


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


def test_a_schema_that_is_too_large_says_so():
    labels = [Label(f"l{i}", 4) for i in range(12)]
    edges = [Exclusion(f"l{i}", (4,), f"l{i + 1}", (4,)) for i in range(11)]
    with pytest.raises(SchemaError, match="too large"):
        HexGraph(labels, edges)


def test_many_independent_labels_are_not_too_large():
    graph = HexGraph([Label(f"l{i}", 4) for i in range(40)])
    assert graph.log_partition(np.zeros(120)) == pytest.approx(40 * np.log(4))


@pytest.mark.parametrize("ending", ["json", "toml"])
def test_schema_files(tmp_path, ending):
    path = tmp_path / f"schema.{ending}"
    if ending == "json":
        path.write_text(json.dumps(SCHEMA), encoding="utf-8")
    else:
        pytest.importorskip("tomllib")
        path.write_text(
            '[[nodes]]\nlabel = "dull"\nlevels = [1, 2, 3]\n[[nodes]]\nlabel = "loud"\n'
            '[[exclusions]]\nlabel_a = "dull"\na_levels = [2]\nlabel_b = "loud"\nb_levels = [2]\n'
        )
    graph = graph_from_schema(read_schema(path))
    assert graph.names == (LABELS if ending == "json" else ("dull", "loud"))


@pytest.mark.parametrize(
    "content", ["[1]", "{", '{"Nodes": [{"levels": [1, 2]}]}', '{"Nodes": [{"label": "a", "levels": [2, 3]}]}']
)
def test_malformed_schema_files(tmp_path, content):
    path = tmp_path / "schema.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises((SchemaError, UsageError), match="schema"):
        graph_from_schema(read_schema(path))

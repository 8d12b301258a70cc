"""Schemas as users give them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cliqa.errors import UsageError
from cliqa.metrics.exposure_schema import exposure_graph, read_schema
from cliqa.signal.exposure.hex_rules import SchemaError
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import SCHEMA, graph_from_schema


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


def test_the_exposure_labels_are_asked_for_with_four_levels():
    assert exposure_graph(SCHEMA).names == LABELS
    fewer = {"Nodes": SCHEMA["Nodes"][:5]}
    with pytest.raises(UsageError, match="exactly the labels too_bright"):
        exposure_graph(fewer)
    three = {"Nodes": [{**SCHEMA["Nodes"][0], "levels": [1, 2, 3]}, *SCHEMA["Nodes"][1:]]}
    with pytest.raises(UsageError, match="gives too_bright 3"):
        exposure_graph(three)


def test_the_rules_on_the_page_are_rules(tmp_path):
    pytest.importorskip("tomllib")
    page = Path(__file__).parents[2] / "docs" / "exposure.md"
    block = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "rules.toml").write_text(block, encoding="utf-8")
    graph = exposure_graph(read_schema(tmp_path / "rules.toml"))
    assert len(graph.exclusions) == len(graph.subsumptions) == 1
    assert [graph.index(label) for label in LABELS] == [0, 1, 2, 3, 4, 5]

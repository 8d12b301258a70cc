"""Schemas of the exposure labels as users give them: a JSON or TOML file, or data; what is wrong with one is a wrong usage."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cliqa.errors import UsageError
from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.hex_rules import SchemaError
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import graph_from_schema


class WithRules(Protocol):
    """A metric whose labels stand under the rules of a graph."""

    graph: HexGraph
    metadata: dict[str, str]


def use_schema(metric: Any, schema: Mapping[str, Any]) -> None:
    """Put other rules over the six labels of a `WithRules`. Raises UsageError where they don't fit or contradict each other.

    The rules become part of what tells its weights from others: scores under other rules are other scores.
    """
    rules: WithRules = metric
    rules.graph = exposure_graph(schema)
    if "weights" in rules.metadata:
        digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
        rules.metadata["weights"] = f"{rules.metadata['weights'].partition('-rules')[0]}-rules{digest[:8]}"


def exposure_graph(schema: Mapping[str, Any]) -> HexGraph:
    """The graph of a schema over the six labels with four levels. Raises UsageError where it is none."""
    try:
        graph = graph_from_schema(schema)
    except SchemaError as error:
        raise UsageError(str(error)) from error
    known = {name for label in graph.labels for name in (label.name, label.alias)}
    if len(graph.labels) != len(LABELS) or not known.issuperset(LABELS):
        raise UsageError(f"the schema must have exactly the labels {', '.join(LABELS)}")
    for label in graph.labels:
        if label.levels != 4:
            raise UsageError(f"the exposure labels have 4 levels; the schema gives {label.name} {label.levels}")
    return graph


def read_schema(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A schema file, JSON or TOML by its ending. Raises UsageError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        if os.fspath(path).lower().endswith(".toml"):
            return _toml(text)
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"the schema {os.fspath(path)} can't be read: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"the schema {os.fspath(path)} is no table of Nodes, Exclusions and Subsumptions")
    return content


def _toml(text: str) -> dict[str, Any]:
    try:
        tomllib = importlib.import_module("tomllib")
    except ImportError:  # Python 3.10
        raise UsageError("a TOML schema needs Python 3.11 or later; write it as JSON") from None
    content: dict[str, Any] = tomllib.loads(text)
    return content

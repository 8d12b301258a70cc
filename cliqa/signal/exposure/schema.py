"""Label schemas as data: nodes, exclusions and subsumptions from a mapping, a JSON file or a TOML file."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cliqa.errors import UsageError
from cliqa.signal.exposure.hex_graph import MAX_STATES, HexGraph
from cliqa.signal.exposure.hex_rules import Exclusion, Label, Subsumption


def graph_from_schema(schema: Mapping[str, Any], max_states: int = MAX_STATES) -> HexGraph:
    """A graph from data: keys `Nodes`, `Exclusions` and `Subsumptions` (any case), as `docs/exposure.md` shows.

    Raises:
        UsageError: a key or entry is missing or malformed, or the rules are contradictory or too large.
    """
    lowered = {str(key).lower(): value for key, value in schema.items()}
    try:
        nodes = [
            Label(str(node["label"]), _node_levels(node.get("levels", [1, 2, 3, 4])), str(node.get("alias", "")))
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
        raise UsageError(f"the schema is malformed: {type(error).__name__} at {error}") from error
    return HexGraph(nodes, exclusions, subsumptions, max_states)


def _node_levels(levels: Sequence[int]) -> int:
    if list(levels) != list(range(1, len(levels) + 1)):
        raise ValueError(f"levels {levels}; they must be 1, 2, 3 ...")
    return len(levels)


def _numbers(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


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

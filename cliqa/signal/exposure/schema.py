"""The documented schema of the exposure labels, as data (`hex_graph.graph_from_schema` makes a graph of any).

Six issues, four levels, three exclusions. English names; the Chinese names under which the labels were first published are kept as
aliases, and work wherever a label is named.
"""

from __future__ import annotations

from typing import Any

LABELS = (
    "too_bright",
    "too_dark",
    "contrast_too_high",
    "contrast_too_low",
    "highlights_clipped",
    "highlights_over_suppressed",
)
ALIASES = ("整体偏亮", "整体偏暗", "整体对比度高", "整体对比度低", "高光过曝", "高光压制过度")
LEVELS = {1: "no such issue", 2: "moderate", 3: "severe", 4: "blocking"}

_OPPOSITES = ((0, 1), (2, 3), (4, 5))

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

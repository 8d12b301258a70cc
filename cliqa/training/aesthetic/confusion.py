"""How the classes were told, by data set: confusion, and what knowing the data set alone gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.aesthetic import LABELS


def source_only(
    train_sources: Sequence[str], train_labels: NDArray[np.int64], sources: Sequence[str]
) -> NDArray[np.int64]:
    """For each photograph the commonest class of its data set among the training photographs (of none: of all of them).

    What a network adds is what it has beyond this: where one set has the rejected and another the accepted, a network may
    tell sets apart instead of pictures.
    """
    counted = {
        source: np.bincount(train_labels[np.array(train_sources) == source], minlength=len(LABELS)).argmax()
        for source in set(train_sources)
    }
    common = np.bincount(train_labels, minlength=len(LABELS)).argmax()
    return np.array([counted.get(source, common) for source in sources], dtype=np.int64)


def confusion(truth: NDArray[np.int64], said: NDArray[np.int64]) -> NDArray[np.int64]:
    """(3, 3): row the true class, column the one that was said."""
    found = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    np.add.at(found, (truth, said), 1)
    return found


def confusion_table(sources: Sequence[str], truth: NDArray[np.int64], said: NDArray[np.int64]) -> list[str]:
    """Lines of Markdown, three for each data set."""
    rows = [
        "| data set | true class | " + " | ".join(f"said {label}" for label in LABELS) + " |",
        "|---|---|---|---|---|",
    ]
    for source in sorted(set(sources)):
        of = np.array(sources) == source
        for label, counts in zip(LABELS, confusion(truth[of], said[of]), strict=True):
            rows.append(f"| {source} | {label} | " + " | ".join(map(str, counts)) + " |")
    return rows


def by_source(
    sources: Mapping[str, Sequence[str]], labels: Mapping[str, NDArray[np.int64]]
) -> Iterator[tuple[str, str]]:
    """(data set, rejected/pending/accepted in each split, as cells of Markdown)."""
    for source in sorted({each for names in sources.values() for each in names}):
        cells = []
        for split, names in sources.items():
            counts = np.bincount(labels[split][np.array(names) == source], minlength=len(LABELS))
            cells.append(" / ".join(map(str, counts)))
        yield source, " | ".join(cells)

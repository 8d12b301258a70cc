"""What the card says of `learned`: AUC, recall and false alarms by condition, family and kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.training.learned.scenes import CONDITIONS, OTHERWISE
from cliqa.training.ordinal_scores import auc

Numbers = NDArray[np.float64]


def by_condition(enlarged: Numbers, others: Numbers, how: NDArray[Any]) -> str:
    """Rows by condition: AUC, recall, false alarms in all and by kind.

    Args:
        enlarged, others: logits of pictures that networks made, and of those that none did, less the threshold's: (n, conditions).
        how: kinds of the others, places in `OTHERWISE`.
    """
    kinds = [number for number in range(len(OTHERWISE)) if (how == number).any()]
    head = ["condition", "AUC", "called learned", "of others", *(OTHERWISE[number] for number in kinds)]
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for place, condition in enumerate(CONDITIONS):
        of_kinds = [f"{np.mean(others[how == number, place] >= 0):.1%}" for number in kinds]
        cells = [f"{auc(enlarged[:, place], others[:, place]):.3f}", f"{np.mean(enlarged[:, place] >= 0):.0%}",
                 f"{np.mean(others[:, place] >= 0):.1%}", *of_kinds]  # fmt: skip
        rows.append(f"| {condition} | {' | '.join(cells)} |")
    return "\n".join(rows)


CHOSEN = ("PNG", "JPEG 85-95", "reduced to 0.75")


def by_family(seen: Mapping[str, tuple[Numbers, Numbers]], unseen: Mapping[str, tuple[Numbers, Numbers]]) -> str:
    """Rows by family under `CHOSEN`: AUC with the family in training and with it left out, and how many are called learned.

    Args:
        seen, unseen: per family the logits of its pictures and of others, less the threshold's: (n, conditions).
    """
    head = ["family", "pictures", *(f"AUC {name}" for name in CHOSEN), "called, PNG",
            *(f"left out: AUC {name}" for name in CHOSEN), "called, PNG"]  # fmt: skip
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    table = []
    for family in seen:
        cells: list[float] = []
        for enlarged, others in (seen[family], unseen[family]):
            cells += [auc(enlarged[:, CONDITIONS.index(name)], others[:, CONDITIONS.index(name)]) for name in CHOSEN]
            cells.append(float(np.mean(enlarged[:, 0] >= 0)))
        table.append(cells)
        rows.append(f"| {family} | {len(seen[family][0])} | {_cells(cells)} |")
    rows.append(f"| mean | | {_cells(list(np.mean(table, axis=0)))} |")
    return "\n".join(rows)


def _cells(values: list[float]) -> str:
    step = len(CHOSEN) + 1
    return " | ".join(
        f"{value:.0%}" if place % step == step - 1 else f"{value:.3f}" for place, value in enumerate(values)
    )

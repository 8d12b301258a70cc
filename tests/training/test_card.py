"""Model cards: five lines for users first, one generated block, which a recipe rewrites and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cliqa.metrics import list_metrics, metric_class
from cliqa.metrics.checkpoints import shipped_path
from cliqa.training import card


@pytest.mark.parametrize("name", [name for name in list_metrics() if metric_class(name).weights])
def test_a_card_starts_with_five_lines_for_users_and_has_one_block(name: str) -> None:
    text = shipped_path(name).with_suffix(".md").read_text(encoding="utf-8")
    five = [line for line in text.split("\n## ")[0].splitlines() if line.startswith("- **")]
    kinds = ["Tells", "Trust it", "Don't trust it", "Licence", "Numbers"]
    assert [line.split("**")[1].rstrip(".:") for line in five] == kinds
    assert text.count(card.START) == text.count(card.END) == 1 and card.results(text)


def test_a_recipe_rewrites_the_block_and_leaves_the_rest(tmp_path: Path) -> None:
    weights = tmp_path / "jpeg_quality.safetensors"
    weights.write_bytes(bytes(250_000))
    shipped = shipped_path("jpeg_quality").with_suffix(".md").read_text(encoding="utf-8")
    for rows in ("| MAE | 1 |", "| MAE | 2 |"):  # into a new folder, then over the card that is there
        card.write_results(weights, "--seed 3", {"net": np.zeros((3, 500))}, rows)
        text = weights.with_suffix(".md").read_text(encoding="utf-8")
        assert card.results(text).splitlines() == [
            "Made by `python -m cliqa.training.train jpeg_quality --seed 3`: 1,500 numbers, 0.2 MB.",
            "",
            rows,
        ]
        assert card.with_results(text, card.results(shipped)) == shipped


def test_a_card_without_the_block_is_refused() -> None:
    with pytest.raises(ValueError, match="no block"):
        card.with_results("# a card\n<!-- results -->", "")

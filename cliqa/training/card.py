"""Model cards are Markdown files in `pretrained_models/`, written by hand, with one block of results that is generated.

    python -m cliqa.training.card scale_factor FILE     # puts what a benchmark wrote into the block

A recipe writes the block of the card beside its weights. Prose that goes with older weights is for whoever trains to bring up to date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cliqa.metrics.checkpoints import shipped_path

START, END = "<!-- results -->", "<!-- end of results -->"


def results(card: str) -> str:
    """The generated block of a card, without its marks. Raises ValueError where it has none."""
    return _parts(card)[1].strip()


def with_results(card: str, text: str) -> str:
    """The card with another block. Raises ValueError where it has none."""
    before, _, after = _parts(card)
    return f"{before}{START}\n{text.strip()}\n{END}{after}"


def write_results(weights: Path, command: str, tensors: Mapping[str, NDArray[Any]], *lines: str) -> None:
    """Put how the weights were made, and results (lines of Markdown), into the card beside them.

    Where there is no card yet, it is the shipped one with another block.
    """
    path = weights.with_suffix(".md")
    card = (path if path.is_file() else shipped_path(weights.stem).with_suffix(".md")).read_text(encoding="utf-8")
    parameters, size = sum(value.size for value in tensors.values()), weights.stat().st_size / 1e6
    made = f"Made by `python -m cliqa.training.train {weights.stem} {command}`: {parameters:,} numbers, {size:.1f} MB."
    path.write_text(with_results(card, "\n".join([made, "", *lines])), encoding="utf-8")


def write_new_card(weights: Path, title: str, made: str, *lines: str) -> None:
    """A card for weights that are not shipped: how they were made, and results (lines of Markdown), between the marks."""
    body = f"# {title}\n\n{START}\n{END}\n"
    weights.with_suffix(".md").write_text(with_results(body, "\n".join([made, "", *lines])), encoding="utf-8")


def _parts(card: str) -> tuple[str, str, str]:
    before, start, rest = card.partition(START)
    block, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError("the card has no block of results")
    return before, block, after


def main(arguments: list[str] | None = None) -> int:
    """Put a file's text into the block of a shipped card, its headings left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metric")
    parser.add_argument("file", type=Path, help="Markdown, as benchmarks write it")
    given = parser.parse_args(arguments)
    path = shipped_path(given.metric).with_suffix(".md")
    lines = [line for line in given.file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    path.write_text(with_results(path.read_text(encoding="utf-8"), "\n".join(lines)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

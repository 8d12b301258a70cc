"""The model card of `compression`. What the recipe doesn't measure is text here: bring it up to date with the weights."""

from __future__ import annotations

from cliqa.training.jpeg.quality_card import as_markdown

CARD = """# compression

CARD
"""


def model_card(examples: int, seed: int, networks: int, inputs: int, parameters: int, table: str) -> str:
    """The card's Markdown; `table` is that of the validation pictures, lines of cells between bars."""
    return CARD.format(
        examples=examples, seed=seed, networks=networks, inputs=inputs, parameters=parameters, table=as_markdown(table)
    )

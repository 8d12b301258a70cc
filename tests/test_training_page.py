"""`docs/training.md`: every shipped tensor has its command and photographs, and every command can be given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cliqa.metrics import list_metrics, metric_class
from cliqa.training import train

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
WEIGHTED = [name for name in list_metrics() if metric_class(name).weights]


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if line.startswith("| ")
    ][1:]


@pytest.mark.parametrize("name", WEIGHTED)
def test_every_shipped_tensor_has_one_command_and_its_photographs(name: str) -> None:
    from safetensors import safe_open

    rows = [row for row in table("Every tensor") if row[0] == f"`{name}`"]
    prefixes = [prefix for row in rows for prefix in re.findall(r"`([^`]+)`", row[1])]
    with safe_open(ROOT / "pretrained_models" / f"{name}.safetensors", framework="numpy") as stream:
        tensors = list(stream.keys())
    unnamed = [tensor for tensor in tensors if sum(tensor.startswith(prefix) for prefix in prefixes) != 1]
    assert not unnamed
    assert [prefix for prefix in prefixes if not any(tensor.startswith(prefix) for tensor in tensors)] == []
    assert all("cliqa.training.train" in row[2] and row[3] for row in rows)


def test_every_shipped_model_has_command_data_hours_and_figures() -> None:
    rows = table("The shipped models")
    assert {re.findall(r"`(\w+)`", row[0])[0] for row in rows} == set(WEIGHTED)
    assert all(len(row) == 6 and all(row) for row in rows)


def test_every_command_is_one_that_the_trainer_takes() -> None:
    commands = re.findall(r"(?:`|    )python -m cliqa\.training\.train ([^`#\n]+)", PAGE)
    assert len(commands) > 20
    for words in commands:
        if not words.startswith("METRIC"):
            assert train.build_parser().parse_args(shlex.split(words)).metric in train.ROOMS


def test_the_manifest_holds_as_many_photographs_as_the_page_says() -> None:
    lines = (ROOT / "data" / "manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert sum(line.startswith("photos,") for line in lines) == 620
    assert sum(line.startswith("biq2021,") for line in lines) == 10_000

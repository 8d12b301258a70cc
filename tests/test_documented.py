"""The README names every option of every command, and every weights file has its model card."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

import pytest

from cliqa.__main__ import COMMANDS
from cliqa.metrics import list_metrics
from cliqa.training.train import ROOMS

ROOT = Path(__file__).parent.parent
FILTERS = [name for name in COMMANDS if name.startswith("filter_")]
UNDERSCORED = ("--output_mode", "--pred_csv", "--issue_csv", "--output_db", "--disable_tta", "--no_calibrator",
               "--enable_pixel_limit", "--max_image_pixels", "--ckpt", "--device")  # fmt: skip


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings if option.startswith("--")}


@pytest.mark.parametrize("name", FILTERS)
def test_every_option_of_every_filter_is_in_the_readme(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    options = options_of(importlib.import_module(f"cliqa.{name}").COMMAND.parser()) - {"--help", "--version"}
    missing = {option for option in options if not re.search(rf"`{option}\b", readme)}
    assert not missing


def test_the_documented_options_of_predict_jpeg_qf_are_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = options_of(importlib.import_module("cliqa.predict_jpeg_qf").parser())
    for option in UNDERSCORED:
        assert option in known
        assert f"`{option}`" in readme


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not {name for name in COMMANDS if f"`{name}`" not in readme}


@pytest.mark.parametrize("name", list_metrics())
def test_every_metric_has_weights_under_20_mb_and_a_card_that_names_its_recipe(name: str) -> None:
    weights = ROOT / "pretrained_models" / f"{name}.safetensors"
    assert weights.stat().st_size < 20_000_000
    card = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert f"python -m cliqa.training.train {name}" in card
    if name in ("grepq", "aesthetic", "exposure"):
        assert "BIQ2021" in card.splitlines()[0]


@pytest.mark.parametrize("name", list_metrics())
def test_every_metric_has_a_recipe_where_the_command_looks_for_it(name: str) -> None:
    assert callable(importlib.import_module(f"cliqa.training.{ROOMS[name]}.{name}").train)

"""The pages are current, their links resolve, and every weights file has its model card."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cliqa.__main__ import main as command
from cliqa.metrics import list_metrics, metric_class
from cliqa.training.train import ROOMS

ROOT = Path(__file__).parent.parent
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WORDS = ("--output_mode", "--pred_csv", "--issue_csv", "--output_db", "--disable_tta", "--no_calibrator",
         "--enable_pixel_limit", "--max_image_pixels", "--ckpt", "--device")  # fmt: skip


def test_the_page_of_commands_is_what_their_parsers_say() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_commands.py"), "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0, "run python docs/make_commands.py"


@pytest.mark.parametrize("option", WORDS)
def test_the_documented_options_of_predict_jpeg_qf_are_there(option: str) -> None:
    section = COMMANDS_PAGE.read_text(encoding="utf-8").split("## predict_jpeg_qf")[1].split("\n## ")[0]
    assert f"`{option}`" in section


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 110


def test_the_readme_shows_what_the_command_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "examples" / "photos")
    words, *lines = (
        (ROOT / "README.md").read_text(encoding="utf-8").split("```text\n$ cliqa ")[1].split("\n```")[0].split("\n")
    )
    assert command([*words.split(), "--workers", "0"]) == 0
    said = re.sub(r"\d[\d.]*", "#", capsys.readouterr().out).splitlines()
    shown = [re.sub(r"\d[\d.]*", "#", line.partition("    (and")[0].rstrip()) for line in lines]
    assert len(shown) > 5 and [line for line in shown if line not in said] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_between_pages_resolves(path: Path) -> None:
    targets = [target for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target]
    assert not [target for target in targets if not (path.parent / target).exists()]


WEIGHTED = [name for name in list_metrics() if metric_class(name).weights]


@pytest.mark.parametrize("name", WEIGHTED)
def test_every_metric_has_weights_under_20_mb_and_a_card_that_names_its_recipe(name: str) -> None:
    weights = ROOT / "pretrained_models" / f"{name}.safetensors"
    assert weights.stat().st_size < 20_000_000
    card = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert f"python -m cliqa.training.train {name}" in card
    if name in ("grepq", "aesthetic", "exposure"):
        assert "BIQ2021" in card.splitlines()[0]


@pytest.mark.parametrize("name", WEIGHTED)
def test_every_metric_has_a_recipe_where_the_command_looks_for_it(name: str) -> None:
    assert callable(importlib.import_module(f"cliqa.training.{ROOMS[name]}.{name}").train)

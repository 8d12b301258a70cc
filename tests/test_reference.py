"""The page of the reference systems names all that their documents have, and every command and option on it exists."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

import pytest

from cliqa.__main__ import COMMANDS, MODULES
from cliqa.cli.completion import command_parser
from cliqa.training import train

ROOT = Path(__file__).parent.parent
SECTIONS = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8").split("\n## ")[1:]
OPTION = re.compile(r"(?<!\S)(--?[A-Za-z][\w-]*)")

FILTER_OPTIONS = ("-h", "--input", "-i", "--output", "-o", "--checkpoint", "--gpu", "-g", "--num-patches", "--symlink",
                  "--score-prefix")  # fmt: skip
FILTERS = {
    "filter_low_quality_jpeg": ("--quality", "--filter-420"),
    "filter_noisy_photo": ("--psnr",),
    "filter_low_quality_resize": ("--quality", "--invert"),
}
# What the documents name, section by section: every option, and every feature by words of it, with ; between.
WORDS = """
JPEG history of a PNG;noise level;several filters in a row;factors 1 to 2

three classes;no settings;AVA;EVA;KonIQ-10k;SPAQ;converting the labels;combining;one command;hyper-parameters;after each epoch;
whole-size backbone

six labels;four levels;Labels;Levels;Nodes;Exclusions;Subsumptions;HEX graph;focal loss;three sets;v1;v2;accuracy by label;
predicted and true;curves

--ckpt;--input;--recursive;--output_mode;--pred_csv;--issue_csv;--output_db;--disable_tta;--no_calibrator;--device;
--enable_pixel_limit;--max_image_pixels;--exts;--quiet;--help;one image;pred_qf_final;issue_type;two tables;existing output;
does not end the run;patches of 128;too small;median over patches;average over flips;calibrator in the checkpoint

a folder for each image;Results/LLM;Results/HLM;configuration;CLIP;positional embedding;all resolutions;pretrained weights;
pristine patches;zeroshot_single_img;--test_img_path;CLIVE;KONIQ;1024 + 128;0.1, 1, 10, 100;data-efficient
"""
DOCUMENTED = [part.replace("\n", "").split(";") for part in WORDS.strip().split("\n\n")]
DOCUMENTED[0] += [f"{name} {option}" for name, own in FILTERS.items() for option in ("", *FILTER_OPTIONS, *own)]


def rows(section: str) -> list[tuple[str, str]]:
    cells = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    found = [(left.strip(), " | ".join(rest).strip()) for left, *rest in cells]
    assert found[0] == ("documented", "here")
    return found[1:]


def every_row() -> list[tuple[str, str]]:
    return [row for section in SECTIONS[: len(DOCUMENTED)] for row in rows(section)]


@pytest.mark.parametrize("number", range(len(DOCUMENTED)))
def test_nothing_that_a_document_names_is_missing(number: int) -> None:
    left = [" ".join(row[0].replace("`", "").split()) for row in rows(SECTIONS[number])]
    missing = [name for name in DOCUMENTED[number] if not any(_names(text, name) for text in left)]
    assert not missing


def _names(text: str, name: str) -> bool:
    """Whether a row is of it: for a command with an option, both are in the row."""
    return all(word in text.split() for word in name.split()) if name.startswith("filter_") else name in text


@pytest.mark.parametrize("row", every_row(), ids=lambda row: row[0][:50])
def test_every_row_leads_to_something_that_exists(row: tuple[str, str]) -> None:
    spans = re.findall(r"`([^`]+)`", row[1])
    checked = [_check(span) for span in spans]
    assert any(checked), "a row names a command, an option or a file"


def _check(span: str) -> bool:
    """Assert that a command has its options, or that a file is there; False for other words."""
    words = span.split()
    if words[0] == "cliqa" and len(words) > 1:
        parser = command_parser(MODULES.get(words[1], f"cliqa.{words[1]}"))
        assert words[1] in COMMANDS
        if words[1] == "grepq":
            (actions,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
            parser = actions.choices[words[2]]
    elif span.startswith("python -m cliqa.training.train "):
        assert words[3] in train.ROOMS
        parser = train.build_parser()
    elif span.startswith("python -m "):
        pytest.importorskip("torch")
        parser = importlib.import_module(words[2]).build_parser()
    elif "/" in span:
        assert (ROOT / span).exists(), span
        return True
    else:
        return False
    unknown = [
        option for option in OPTION.findall(span) if option != "-m" and option not in parser._option_string_actions
    ]
    assert not unknown, f"{span}: {unknown}"
    return True

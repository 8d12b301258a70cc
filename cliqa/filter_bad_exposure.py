"""`python -m cliqa.filter_bad_exposure`: keep the images without severe faults of exposure and contrast."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cliqa.cli.filtering import Fields, Filter
from cliqa.signal.exposure.labels import ALIASES, LABELS

if TYPE_CHECKING:
    from cliqa.metrics import Metric


def label_list(text: str) -> tuple[str, ...]:
    """Labels separated by commas, English or Chinese. Raises ArgumentTypeError."""
    names = dict(zip(ALIASES, LABELS, strict=True)) | {label: label for label in LABELS}
    given = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in given if part not in names]
    if unknown or not given:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: known labels are {', '.join(LABELS)}")
    return tuple(dict.fromkeys(names[part] for part in given))


def worst_label(fields: Fields, labels: Sequence[str] = LABELS) -> tuple[int, str]:
    """The highest level among the labels and the label that has it; of equals, the one with the highest P at that level."""

    def rank(label: str) -> tuple[int, float]:
        level = int(fields[f"{label}_level"])
        return level, float(fields[f"{label}_p{max(level, 2)}"])

    worst = max(labels, key=rank)
    return rank(worst)[0], worst


def _add_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max-level",
        type=int,
        choices=(2, 3, 4),
        default=3,
        help="keep images whose every label is below this level: 2 moderate, 3 severe, 4 blocking (default: %(default)s)",
    )
    group.add_argument(
        "--labels",
        type=label_list,
        metavar="LIST",
        help=f"the labels that decide, separated by commas, English or Chinese (default: all; {', '.join(LABELS)})",
    )
    group.add_argument(
        "--schema",
        metavar="FILE",
        help="your own rules over the six labels: a JSON or TOML file with Nodes, Exclusions and Subsumptions, English or Chinese "
        "(default: those that the weights were trained with)",
    )


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    return bool(worst_label(fields, options.labels or LABELS)[0] < options.max_level)


def _use_schema(options: argparse.Namespace, metric: Metric) -> None:
    """Put the rules of `--schema` over the labels; rows scored by other rules are not taken for known."""
    if options.schema is None:
        return
    from cliqa.metrics.exposure_schema import read_schema, use_schema

    use_schema(metric, read_schema(options.schema))


def _prefix(fields: Fields) -> str:
    level, label = worst_label(fields)
    return f"{level}_{label if level > 1 else 'none'}"


COMMAND = Filter(
    command="filter_bad_exposure",
    metric="exposure",
    description=(
        "Copy (or link) the images without severe faults of exposure and contrast: too bright, too dark, contrast too high or too low, "
        "highlights clipped or over-suppressed, each at level 1 (none) to 4 (blocking). Night, snow, fog and silhouettes are no faults."
    ),
    add_options=_add_options,
    keep=_keep,
    prefix=_prefix,
    prepare=_use_schema,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status. A checkpoint of a CLIP unary brings its own metric."""
    options = COMMAND.parser().parse_args(arguments)
    return COMMAND.with_weights_of(["exposure_clip"], options.checkpoint).main(arguments)


if __name__ == "__main__":
    sys.exit(main())

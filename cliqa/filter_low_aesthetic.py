"""`python -m cliqa.filter_low_aesthetic`: keep the pictures worth keeping, or sort all into Accepted, Pending and Rejected."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from cliqa.cli.filtering import Fields, Filter
from cliqa.cli.options import bounded
from cliqa.errors import UsageError

if TYPE_CHECKING:
    from cliqa.outputs.placed import PlacedRecord

LABELS = ("accepted", "pending", "rejected")
KEPT = ("accepted", "pending")


def _add_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--keep", nargs="+", choices=LABELS, metavar="LABEL",
        help="classes that are kept: accepted, pending, rejected (default: accepted pending; with --sort, all)",
    )  # fmt: skip
    group.add_argument(
        "--sort", action="store_true",
        help="place images in folders Accepted, Pending and Rejected, without the input's sub-folders: every image, or those of the "
        "classes that --keep names; with --invert those of the other classes (without --keep, the rejected)",
    )  # fmt: skip
    group.add_argument(
        "--min-confidence", type=bounded(0, 1), default=0, help="a label less probable than this becomes pending"
    )
    group.add_argument(
        "--xmp", action="store_true",
        help="write the label into a sidecar (IMG.JPG.xmp) as digiKam and others read it: beside the placed file, or beside the "
        "image itself where nothing is placed; what a person rated or labelled is never changed",
    )  # fmt: skip
    group.add_argument(
        "--xmp-naming", choices=("full", "stem"), default="full",
        help="how a new sidecar is called: full IMG.JPG.xmp, stem IMG.xmp; one that exists by either name is updated",
    )  # fmt: skip


def label(options: argparse.Namespace, fields: Fields) -> str:
    """The class that decides: the most probable one, or pending where that is not probable enough."""
    found = str(fields["label"])
    return found if fields[f"p_{found}"] >= options.min_confidence else "pending"


def kept_labels(options: argparse.Namespace) -> tuple[str, ...]:
    """The classes that the rule keeps, before `--invert`: those named, all where everything is sorted, else `KEPT`."""
    if options.keep is not None:
        return tuple(options.keep)
    return LABELS if options.sort and not options.invert else KEPT


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    return label(options, fields) in kept_labels(options)


def _folder(options: argparse.Namespace, fields: Fields) -> str | None:
    return label(options, fields).capitalize() if options.sort else None


def _prefix(fields: Fields) -> str:
    return f"{fields['score']:.2f}_{fields['label']}"


def _xmp() -> ModuleType:
    """What writes sidecars; imported when it is used, since it needs NumPy and Pillow."""
    from cliqa.outputs import xmp

    return xmp


def _sidecar(
    options: argparse.Namespace, path: str, placed: str | None, fields: Fields, record: PlacedRecord | None
) -> str:
    if not options.xmp or options.dry_run or (options.output and placed is None):
        return ""
    found = label(options, fields)
    if placed is None:
        marks = _xmp().write_sidecar(path, found, options.xmp_naming)
    else:
        marks = _xmp().write_sidecar(placed, found, options.xmp_naming, path, record)
    return "rated or labelled by a person, whose marks were kept" if marks else ""


COMMAND = Filter(
    command="filter_low_aesthetic",
    metric="aesthetic",
    description=(
        "Label pictures as photo managers do (rejected, pending, accepted) and copy or link those of the wanted classes, or sort "
        "them by class. The labels were learned from human ratings."
    ),
    add_options=_add_options,
    keep=_keep,
    prefix=_prefix,
    folder=_folder,
    scored=_sidecar,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status. A checkpoint of the larger backbone brings its own metric."""
    given = sys.argv[1:] if arguments is None else arguments
    if "--xmp" in given:
        try:
            _xmp().check_available()
        except UsageError as error:
            print(f"filter_low_aesthetic: {error}", file=sys.stderr)
            return error.exit_status
    options = COMMAND.parser().parse_args(arguments)
    return COMMAND.with_weights_of(["aesthetic_inception"], options.checkpoint).main(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m cliqa.apply`: copy, link, move or print the files whose saved scores fulfil a condition. Opens no image."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_placing, add_shard_size, add_store, new_parser, positive

COMMAND = "apply"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Act on saved scores: copy, link, move or print the files that fulfil a condition, such as "
        '"jpeg_quality.quality >= 90 and grain_noise.psnr >= 40". No image is opened.',
        "STORE [--where CONDITION] [-o OUTPUT] [options] | --undo JOURNAL",
    )
    add_store(parser, optional=True)
    group = parser.add_argument_group("condition")
    group.add_argument(
        "--where", "-w", default="", metavar="CONDITION",
        help="a condition in SQL over metric.field names and facts such as width, without quotes (default: every row)",
    )  # fmt: skip
    group.add_argument("--invert", action="store_true", help="the files that do not fulfil the condition")
    group.add_argument(
        "--sort-by",
        metavar="METRIC.FIELD",
        help="order of the files, the best first (the largest where neither end is)",
    )
    group.add_argument("--reverse", action="store_true", help="the other way round")
    group.add_argument("--limit", type=positive(int), metavar="N", help="only the first N")
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output",
        "-o",
        help="folder to copy the files to, mirroring the tree that was scored; for members of tars kept/%%06d.tar",
    )
    add_shard_size(group)
    add_placing(group).add_argument(
        "--move", action="store_true",
        help="move the files instead of copying them, never over anything, with a journal by which --undo puts them back",
    )  # fmt: skip
    group.add_argument(
        "--journal",
        metavar="FILE",
        help="where --move writes its journal (default: a hidden file in the output folder)",
    )
    group.add_argument(
        "--undo", nargs="+", metavar="JOURNAL",
        help="put back what was moved, instead of anything else: the journals, or the folder that files were moved to",
    )  # fmt: skip
    group.add_argument(
        "--score-prefix", nargs="?", const="", metavar="METRIC.FIELD,...",
        help="put these scores before each name (without names: those of the condition)",
    )  # fmt: skip
    group.add_argument("--print", action="store_true", help="write the paths to standard output")
    group.add_argument("--null", action="store_true", help="short: -0; paths on standard output end with a zero byte")
    group.add_argument("--dry-run", action="store_true", help="place nothing, name the files that would be placed")
    group.add_argument("--resume", action="store_true", help="go on with an interrupted run into the same folder")
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files could not be placed")
    group.add_argument("--quiet", action="store_true", help="no progress, summary or issue lines on standard error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parse = parser()
    options = parse.parse_args(arguments)
    if not options.undo and not options.store:
        parse.error("give the store that cliqa.score wrote, or --undo JOURNAL")
    if not (options.undo or options.output or options.print or options.dry_run):
        parse.error("nothing to do: give --output, --print or --dry-run")
    return run_body(
        COMMAND,
        "cliqa.cli.applying:apply",
        options,
        resumes=bool(options.output and not (options.undo or options.dry_run)),
    )


if __name__ == "__main__":
    sys.exit(main())

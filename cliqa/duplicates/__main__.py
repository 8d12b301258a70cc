"""`python -m cliqa.duplicates`: groups of copies, bursts and brackets, and which file of each is the best one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_compute, add_placing, add_reading, file_options, new_parser, positive

COMMAND = "duplicates"
KINDS = ("exact", "pixels", "near", "burst", "bracket")


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Find files that show the same picture: the same bytes (exact), the same pixels in another file (pixels), the same picture "
        "resized, compressed, toned, lightly cropped or watermarked (near). Frames of one scene are told from copies: bursts, seconds "
        "apart, and brackets, at other exposures. Of copies the best file is named, and why.",
        "STORE | INPUT ... [options]",
    )
    parser.add_argument(
        "input", nargs="+", metavar="STORE | INPUT",
        help="saved scores with fingerprints (a .db, .csv, .jsonl or .parquet file, or a folder of parts), or what is to be scored "
        "first: folders, files, shards, - for paths on standard input",
    )  # fmt: skip
    group = parser.add_argument_group("groups")
    group.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND",
        help="only groups of these kinds: exact, pixels, near, burst, bracket (default: all)",
    )  # fmt: skip
    group.add_argument("--turned", action="store_true", help="find copies turned by quarters or mirrored too")
    group.add_argument(
        "--burst-seconds", type=positive(float), default=10.0, metavar="S",
        help="frames of a burst or bracket were taken within so many seconds, as EXIF tells",
    )  # fmt: skip
    group.add_argument("--results", metavar="FILE", help="write the groups to a .csv, .jsonl or .parquet table")
    group.add_argument(
        "--store", metavar="FILE",
        help="with INPUT: keep the scores in this .db file, and go on with it where it is there (default: they are not kept)",
    )  # fmt: skip
    group = parser.add_argument_group("output")
    group.add_argument(
        "--keep", choices=("best", "rest"),
        help="what --print and --output take: best, the best copy of each group and every file outside; rest, the copies that are "
        "not the best. Bursts and brackets are kept whole",
    )  # fmt: skip
    group.add_argument("--output", "-o", help="folder to copy the files to, mirroring the tree that was scored")
    add_placing(group, syncing=False).add_argument(
        "--move", action="store_true",
        help="move the files, never over anything, with a journal by which `cliqa apply --undo` puts them back",
    )  # fmt: skip
    group.add_argument(
        "--journal",
        metavar="FILE",
        help="where --move writes its journal (default: a hidden file in the output folder)",
    )
    group.add_argument("--print", action="store_true", help="write the paths to standard output")
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files had issues")
    add_reading(parser.add_argument_group("reading INPUT"))
    add_compute(parser, "weights of each metric; of no use here")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parse = parser()
    options = parse.parse_args(arguments)
    if (options.output or options.print) and not options.keep:
        parse.error("say with --keep what --output or --print is to take: best or rest")
    if options.keep and not (options.output or options.print):
        parse.error("--keep needs --print or --output")
    if not options.output and (wrong := file_options(options)):
        parse.error(f"{wrong[0]} is about an output folder: give --output")
    if options.journal and not options.move:
        parse.error("--journal is for --move")
    return run_body(COMMAND, "cliqa.duplicates.command:duplicates", options)


if __name__ == "__main__":
    sys.exit(main())

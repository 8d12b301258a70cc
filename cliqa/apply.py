"""`python -m cliqa.apply`: copy, link or print the files whose saved scores fulfil a condition. Opens no image."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from cliqa.cli.console import Console, PathPrinter, standard_output
from cliqa.cli.guard import guarded
from cliqa.cli.options import add_shard_size, add_store, new_parser, positive
from cliqa.errors import ImageError, ImageIssue, UsageError
from cliqa.inputs.members import find_again
from cliqa.outputs import Placer
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.samples import SamplePlacer, refuse_options
from cliqa.outputs.tars import TarWriter, is_tar_pattern
from cliqa.records import Issue, Source
from cliqa.text import display

if TYPE_CHECKING:
    from cliqa.metrics import Field
    from cliqa.results.store import Store

COMMAND = "apply"
_PRINT_BYTES = 1 << 16


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Act on saved scores: copy, link or print the files that fulfil a condition, such as "
        '"jpeg_quality.quality >= 90 and grain_noise.psnr >= 40". No image is opened.',
        "STORE [--where CONDITION] [-o OUTPUT] [options]",
    )
    add_store(parser)
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
    group.add_argument("--symlink", action="store_true", help="create symbolic links instead of copies")
    group.add_argument(
        "--score-prefix", nargs="?", const="", metavar="METRIC.FIELD,...",
        help="put these scores before each name (without names: those of the condition)",
    )  # fmt: skip
    group.add_argument("--print", action="store_true", help="write the paths to standard output")
    group.add_argument("--null", action="store_true", help="short: -0; paths on standard output end with a zero byte")
    group.add_argument("--dry-run", action="store_true", help="place nothing, say what would be done")
    group.add_argument("--resume", action="store_true", help="go on with an interrupted run into the same folder")
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files could not be placed")
    group.add_argument("--quiet", action="store_true", help="no progress, summary or issue lines on standard error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parse = parser()
    options = parse.parse_args(arguments)
    if not (options.output or options.print or options.dry_run):
        parse.error("nothing to do: give --output, --print or --dry-run")
    return guarded(COMMAND, options.quiet, lambda console: _run(options, console), resumes=True)


def _run(options: argparse.Namespace, console: Console) -> int:
    from cliqa.results.store import Store

    with Store(options.store) as store:
        condition = options.where
        used = store.where(condition)[1] if condition.strip() else []
        if options.invert:
            condition = f"coalesce(({condition}), 0) = 0" if condition.strip() else "0"
        if is_tar_pattern(options.output or ""):
            return _fill_tars(store, condition, options, console)
        prefix = _prefix_columns(options, store, used)
        placer = _placer(options, store)
        rows = _begun(store.rows(["path", *prefix], condition, _order(options, store), options.limit))
        if placer is None:
            chosen, failed = _name(rows, options, console), 0
        else:
            fields = [store.field(name) for name in prefix]
            with placer:
                chosen, failed = _place(rows, fields, placer, store, options, console)
        console.say(_summary(options, store.count(), chosen, failed))
    return 3 if options.strict and failed else 0


def _fill_tars(store: Store, condition: str, options: argparse.Namespace, console: Console) -> int:
    """Write the chosen samples into tars, in the order of their shards; returns the exit status."""
    refuse_options(options.symlink, options.score_prefix is not None)
    placer = SamplePlacer(TarWriter(options.output, options.shard_size, options.resume))
    placer.check([])
    order = _order(options, store)
    rows = _begun(store.rows(["path"], condition, order or [("path", False)], options.limit))
    paths = (str(path) for (path,) in rows)
    if options.dry_run:
        console.say(_summary(options, store.count(), sum(1 for _ in paths), 0))
        return 0
    printer = PathPrinter(options.null) if options.print else None
    placed = failed = 0
    with placer, console.progress(None):
        for path, found in find_again(sorted(paths) if order or options.limit else paths, store.locate):
            try:
                if isinstance(found, Issue):
                    raise ImageError(found.message)
                placer.place(found)
            except ImageIssue as error:
                failed += 1
                console.issue(Issue(Source(path), error.issue_type, str(error)))
                continue
            placed += 1
            if printer is not None:
                printer(path)
            console.step()
    console.say(_summary(options, store.count(), placed, failed))
    return 3 if options.strict and failed else 0


def _begun(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same rows, the query already running: what is wrong with it shows before anything is placed."""
    first = list(islice(rows, 1))
    return chain(first, rows)


def _prefix_columns(options: argparse.Namespace, store: Store, used: Sequence[str]) -> list[str]:
    """The columns whose values go before the names."""
    from cliqa.results.conditions import column

    if options.score_prefix is None:
        return []
    named = [column(name, store.columns) for name in options.score_prefix.split(",") if name.strip()]
    columns = named or [name for name in used if name in store.score_columns]
    if not columns:
        raise UsageError("--score-prefix needs a METRIC.FIELD: the condition names none")
    return columns


def _order(options: argparse.Namespace, store: Store) -> list[tuple[str, bool]]:
    from cliqa.results.conditions import column

    if not options.sort_by:
        return []
    name = column(options.sort_by, store.columns)
    largest_first = name not in store.score_columns or store.field(name).better != "lower"
    return [(name, largest_first != options.reverse)]


def _placer(options: argparse.Namespace, store: Store) -> Placer | None:
    if not options.output:
        return None
    placer = FolderPlacer(options.output, options.symlink, options.resume)
    placer.check([store.locate(scored) for scored in store.inputs])
    return None if options.dry_run else placer


def _place(
    rows: Iterable[tuple[Any, ...]],
    fields: Sequence[Field],
    placer: Placer,
    store: Store,
    options: argparse.Namespace,
    console: Console,
) -> tuple[int, int]:
    """Place the files; returns how many were, and how many could not be."""
    printer = PathPrinter(options.null) if options.print else None
    placed = failed = 0
    with console.progress(None):
        for path, *values in rows:
            source = Source(store.locate(path), store.folder(path))
            marks = [score_mark(value, field) for value, field in zip(values, fields, strict=True)]
            try:
                placer.place(source, "".join(f"{mark}_" for mark in marks))
            except ImageIssue as error:
                failed += 1
                console.issue(Issue.of(source, error))
                continue
            placed += 1
            if printer is not None:
                printer(path)
            console.step()
    return placed, failed


def _name(rows: Iterable[tuple[Any, ...]], options: argparse.Namespace, console: Console) -> int:
    """Write the paths to standard output, in blocks (or, for a dry run alone, as messages); returns how many."""
    end = b"\0" if options.null else b"\n"
    block = bytearray()
    count = 0
    for path, *_ in rows:
        count += 1
        if not options.print:
            console.say(display(path))
            continue
        block += os.fsencode(path) + end
        if len(block) >= _PRINT_BYTES:
            with standard_output():
                sys.stdout.buffer.write(block)
            block.clear()
    with standard_output():
        sys.stdout.buffer.write(block)
    return count


def score_mark(value: Any, field: Field) -> str:
    """A score as it goes before a name, so that names sort like scores: `093` of 0-100, `1.25` of 1-2, a label as it is."""
    if value is None:
        return "none"
    if isinstance(value, str) or field.kind == "str":
        return "".join(char if char.isalnum() or char in "-." else "-" for char in str(value))
    span = max(abs(field.low), abs(field.high))
    if span >= 10 or field.kind == "int":
        return f"{round(value):0{len(str(round(span)))}d}"
    return f"{value:.2f}"


def _summary(options: argparse.Namespace, total: int, chosen: int, failed: int) -> str:
    done = "would be placed" if options.output and options.dry_run else "placed" if options.output else "chosen"
    parts = [f"{chosen} of {total} files {done}"]
    if failed:
        parts.append(f"{failed} could not be placed")
    return "; ".join(parts)


if __name__ == "__main__":
    sys.exit(main())

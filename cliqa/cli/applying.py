"""What `cliqa.apply` does: files by a condition on saved scores, placed, moved or printed; no image is opened."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from cliqa.cli.console import Console, PathPrinter, standard_output
from cliqa.cli.options import file_options, way
from cliqa.errors import ImageError, ImageIssue, RunError, UsageError
from cliqa.inputs.members import find_again
from cliqa.metrics import Field
from cliqa.outputs import Placer
from cliqa.outputs.companions import Companions
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.journal import journal_name, journals
from cliqa.outputs.moving import Mover, undo
from cliqa.outputs.samples import SamplePlacer, refuse_options
from cliqa.outputs.tars import TarWriter, is_tar_pattern
from cliqa.records import Issue, Source, real_path
from cliqa.results.conditions import column
from cliqa.results.store import Store
from cliqa.text import counted, display

_PRINT_BYTES = 1 << 16  # written at a time: what a pipe holds on Linux


def apply(options: argparse.Namespace, console: Console) -> int:
    """Do what the options say; returns the exit status."""
    if options.undo:
        return _undo(options, console)
    with Store(options.store, options.root) as store:
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
            chosen, failed = _name(rows, store, options, console), 0
        else:
            fields = [store.field(name) for name in prefix]
            with placer:
                chosen, failed = _place(rows, fields, placer, store, options, console)
            for line in placer.summary():
                console.say(line)
        console.say(_summary(options, store.count(), chosen, failed, placer.already if placer is not None else 0))
        if isinstance(placer, FolderPlacer) and placer.mover is not None and placer.mover.moved:
            console.say(f"to put them back: cliqa apply --undo {shlex.quote(placer.mover.journal.path)}")
        if failed and not chosen and (gone := store.told_gone()):
            raise RunError(gone)
    return 3 if options.strict and failed else 0


def _undo(options: argparse.Namespace, console: Console) -> int:
    """Put back what journals say was moved, the newest move first; returns the exit status."""
    restored = 0
    left: list[tuple[str, str]] = []
    for journal in [found for given in reversed(options.undo) for found in journals(given)]:
        done = undo(journal)
        restored += done.restored
        left += done.left
    for path, why in left:
        console.say(f"not put back: {path}: {why}")
    console.say("; ".join([f"{counted(restored, 'file')} put back", *([f"{len(left)} could not be"] if left else [])]))
    return 3 if options.strict and left else 0


def _fill_tars(store: Store, condition: str, options: argparse.Namespace, console: Console) -> int:
    """Write the chosen samples into tars, in the order of their shards; returns the exit status."""
    refuse_options(options.score_prefix is not None, file_options(options))
    placer = SamplePlacer(TarWriter(options.output, options.shard_size, options.resume))
    placer.check([])
    order = _order(options, store)
    rows = _begun(store.rows(["path"], condition, order or [("path", False)], options.limit))
    paths = (str(path) for (path,) in rows)
    if options.dry_run:
        console.say(_summary(options, store.count(), _name(((path,) for path in paths), store, options, console), 0))
        return 0
    printer = PathPrinter(options.null) if options.print else None
    placed = failed = 0
    with placer:
        again = find_again(sorted(paths) if order or options.limit else paths, store.locate)
        for path, found in console.watched(again):
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
    console.say(_summary(options, store.count(), placed, failed))
    return 3 if options.strict and failed else 0


def _begun(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same rows, the query already running: what is wrong with it shows before anything is placed."""
    first = list(islice(rows, 1))
    return chain(first, rows)


def _prefix_columns(options: argparse.Namespace, store: Store, used: Sequence[str]) -> list[str]:
    """The columns whose values go before the names."""
    if options.score_prefix is None:
        return []
    named = [column(name, store.columns) for name in options.score_prefix.split(",") if name.strip()]
    columns = named or [name for name in used if name in store.score_columns]
    if not columns:
        raise UsageError("--score-prefix needs a METRIC.FIELD: the condition names none")
    return columns


def _order(options: argparse.Namespace, store: Store) -> list[tuple[str, bool]]:
    if not options.sort_by:
        return []
    name = column(options.sort_by, store.columns)
    largest_first = name not in store.score_columns or store.field(name).better != "lower"
    return [(name, largest_first != options.reverse)]


def _placer(options: argparse.Namespace, store: Store) -> Placer | None:
    if not options.output:
        if wrong := file_options(options):
            raise UsageError(f"{wrong[0]} is about an output folder: give --output")
        return None
    if options.journal and not options.move:
        raise UsageError("--journal is for --move")
    placer = store_placer(options, store, options.resume, options.sync)
    return None if options.dry_run else placer


def store_placer(options: argparse.Namespace, store: Store, resume: bool = False, sync: bool = False) -> FolderPlacer:
    """The output folder for files of a store, checked but not made yet."""
    companions = Companions(_judged_by(store)) if options.with_companions else None
    mover = None
    if options.move:
        mover = Mover(options.journal or os.path.join(options.output, journal_name(time.strftime("%Y%m%d-%H%M%S"))))
    placer = FolderPlacer(options.output, way(options), resume, companions, sync, mover)
    placer.check([store.locate(scored) for scored in store.inputs])
    return placer


def _judged_by(store: Store) -> Callable[[str], bool]:
    """Whether a file is a picture of the store, with scores of its own."""
    own = {real_path(store.locate(path)) for (path,) in store.rows(["path"])}
    return lambda path: real_path(path) in own


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
    placed = 0
    settled: set[str] = set()  # without what an earlier run placed all pictures are new, and none can be dropped
    failed = 0
    known = isinstance(placer, FolderPlacer) and placer.knew
    for path, *values in console.watched(rows):
        source = Source(store.locate(path), store.folder(path))
        if known:
            settled.add(path)
        marks = [score_mark(value, field) for value, field in zip(values, fields, strict=True)]
        try:
            placer.place(source, "".join(f"{mark}_" for mark in marks))
        except ImageIssue as error:
            failed += 1
            console.issue(Issue.of(source, error))
            continue
        placed += 1
        if printer is not None:
            printer(store.locate(path))
    for (path,) in store.rows(["path"]) if known else ():
        if path not in settled:
            placer.drop(Source(store.locate(path), store.folder(path)))
    return placed, failed


def _name(rows: Iterable[tuple[Any, ...]], store: Store, options: argparse.Namespace, console: Console) -> int:
    """Write the paths to standard output, in blocks (or, for a dry run alone, as messages); returns how many."""
    end = b"\0" if options.null else b"\n"
    block = bytearray()
    count = 0
    for saved, *_ in rows:
        path = store.locate(saved)
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
    """A score as it goes before a name, so that names sort like scores: a label as it is, `093` of 0-100, else with two decimals.

    Of long scales that are better high, a point is the finest step of interest; on the others what is good lies near 0 or 1.
    """
    if value is None:
        return "none"
    if isinstance(value, str) or field.kind == "str":
        return "".join(char if char.isalnum() or char in "-." else "-" for char in str(value))
    span = max(abs(field.low), abs(field.high))
    digits = len(str(round(span)))
    if field.kind == "int" or (span >= 10 and field.better == "higher"):
        return f"{round(value):0{digits}d}"
    return f"{value:0{digits + 3}.2f}"


def _summary(options: argparse.Namespace, total: int, chosen: int, failed: int, already: int = 0) -> str:
    done = "would be placed" if options.output and options.dry_run else "placed" if options.output else "chosen"
    if options.output and options.move and not options.dry_run:
        done = "moved"
    parts = [f"{chosen - already} of {total} files {done}"]
    if already:
        parts.append(f"{already} already there")
    if failed:
        parts.append(f"{failed} could not be placed")
    return "; ".join(parts)

"""What `cliqa.duplicates` does: score what is not scored, group, judge, and tell, save or place."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import tempfile
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from cliqa.cli.applying import store_placer
from cliqa.cli.console import Console, PathPrinter
from cliqa.cli.scoring import Scoring
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing, open_metrics, pipeline_settings
from cliqa.duplicates.best import judge
from cliqa.duplicates.decoding import Decoded
from cliqa.duplicates.grouping import COPIES, Group, find_groups
from cliqa.duplicates.keeping import Judged, superfluous
from cliqa.duplicates.links import Kind
from cliqa.duplicates.pictures import PRINTS, SCORES, Picture, read_pictures
from cliqa.errors import CliqaError, ImageIssue, UsageError
from cliqa.metrics import list_metrics
from cliqa.records import Issue, Source
from cliqa.results.faces import TABLE_SUFFIXES, write_table
from cliqa.results.store import DATABASE_SUFFIXES, Store
from cliqa.text import counted, display

NEEDED = ("fingerprint", "jpeg_quality", "scale_factor", "grain_noise", "compression")
_SHOWN = 12  # members of a group that a terminal shows; the table has all


class _Scoring(Scoring):
    """As `score` does; the summary says nothing of a store that may go away, nor what to do with it."""

    def summary(self) -> list[str]:
        """The closing line."""
        return ScoringRun.summary(self)


def duplicates(options: argparse.Namespace, console: Console) -> int:
    """Run the command; returns the exit status."""
    if options.results and not options.results.lower().endswith(TABLE_SUFFIXES):
        raise UsageError(f"groups can be {', '.join(TABLE_SUFFIXES)}, not {display(options.results)}")
    if options.results and os.path.lexists(options.results):
        raise UsageError(f"{display(options.results)} exists; give another name")
    with contextlib.ExitStack() as stack:
        name, status = _scored(options, console, stack)
        store = stack.enter_context(Store(name))
        pictures, prints = read_pictures(store)
        loosest: Kind = next((kind for kind in reversed(COPIES) if kind in options.kinds), "near")
        with Decoded(store, pictures, console.issue, pipeline_settings(options)) as look:
            groups = find_groups(pictures, prints, options.burst_seconds, options.turned, loosest, look)
        status = 3 if options.strict and look.failed else status
        chosen = [group for group in groups if group.kind in options.kinds]
        judged = [(group, *judge(group, pictures)) for group in chosen]
        if options.results:
            write_table(options.results, _columns(), _table(judged, pictures))
        if not options.print and (not options.results or console.terminal):
            for line in _told(judged, pictures):
                print(line)
        rest = superfluous(judged, groups)
        console.say(_summary(chosen, len(pictures), len(rest), options))
        if options.keep:
            failed = _take(options, console, store, pictures, rest)
            status = 3 if options.strict and failed else status
    return status


def _scored(options: argparse.Namespace, console: Console, stack: contextlib.ExitStack) -> tuple[str, int]:
    """The store to work on: the one that was given, or one that the input is scored into now; and an exit status."""
    if len(options.input) == 1 and _is_store(options.input[0]):
        return options.input[0], 0
    if "fingerprint" not in list_metrics():
        raise UsageError("fingerprints need the extra: pip install 'cliqa[duplicates]'")
    if options.store is not None and not options.store.lower().endswith(DATABASE_SUFFIXES):
        raise UsageError(f"--store is one of {', '.join(DATABASE_SUFFIXES)}, not {display(options.store)}")
    kept = options.store or os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), "scores.db")
    scoring = argparse.Namespace(**vars(options))
    scoring.results, scoring.resume, scoring.by_content, scoring.engine = kept, True, False, "local"
    scoring.metrics, scoring.checkpoint, scoring.print = (
        [name for name in NEEDED if name in list_metrics()],
        None,
        False,
    )
    return kept, _Scoring(scoring, console, open_listing(scoring))(open_metrics(scoring.metrics, scoring, console))


def _is_store(path: str) -> bool:
    """Whether a path holds saved scores; a Parquet file may hold images instead."""
    if path == "-" or not os.path.exists(path):
        return path.lower().endswith(DATABASE_SUFFIXES)
    if os.path.isdir(path) and not os.path.exists(os.path.join(path, "cliqa.json")):
        return False
    if os.path.isfile(path) and not path.lower().endswith((*DATABASE_SUFFIXES, *TABLE_SUFFIXES)):
        return False
    try:
        with Store(path) as store:
            return not path.lower().endswith(".parquet") or PRINTS[0] in store.columns
    except CliqaError:
        if path.lower().endswith(".parquet"):
            return False
        raise


def _take(
    options: argparse.Namespace,
    console: Console,
    store: Store,
    pictures: Sequence[Picture],
    rest: Collection[int],
) -> int:
    """Print or place the `superfluous` files, or all others, as `--keep` says; returns how many failed."""
    wanted = [index for index in range(len(pictures)) if (index in rest) == (options.keep == "rest")]
    printer = PathPrinter(options.null) if options.print else None
    placer = store_placer(options, store) if options.output else None
    failed = 0
    if placer is not None and not store.inputs:
        placer.check([store.locate("")])  # single files: the folder that they were named from
    with placer if placer is not None else contextlib.nullcontext():
        for index in wanted:
            path = pictures[index].path
            source = Source(store.locate(path), store.folder(path))
            try:
                if placer is not None:
                    placer.place(source)
            except ImageIssue as error:
                failed += 1
                console.issue(Issue.of(source, error))
                continue
            if printer is not None:
                printer(store.locate(path))
    if placer is not None:
        done = "moved" if options.move else "linked" if options.symlink or options.hardlink else "copied"
        console.say(f"{counted(len(wanted) - failed, 'file')} {done} to {display(options.output)}")
    if placer is not None and placer.mover is not None and placer.mover.moved:
        console.say(f"to put them back: cliqa apply --undo {shlex.quote(placer.mover.journal.path)}")
    return failed


def _columns() -> dict[str, type]:
    numbers = {name: float for name in SCORES if not name.endswith("file_lossless")}
    return {
        "group": int,
        "kind": str,
        "path": str,
        "best": int,
        "why": str,
        "width": int,
        "height": int,
        "size": int,
        **numbers,
    }


def _table(judged: Sequence[Judged], pictures: Sequence[Picture]) -> Iterator[Sequence[Any]]:
    names = list(_columns())[5:]
    for number, (group, best, reasons) in enumerate(judged, 1):
        for index in group.members:
            copies = group.kind in COPIES
            mark = int(index == best) if copies else None
            values = [pictures[index].values.get(name) for name in names]
            yield [number, group.kind, pictures[index].path, mark, reasons[index] if copies else "", *values]


def _told(judged: Sequence[Judged], pictures: Sequence[Picture]) -> Iterator[str]:
    """The groups as a person reads them."""
    for number, (group, best, reasons) in enumerate(judged, 1):
        yield f"{number}  {_WORDS[group.kind]}"
        members = sorted(group.members, key=lambda index: index != best) if group.kind in COPIES else group.members
        for index in members[:_SHOWN]:
            mark = "*" if index == best and group.kind in COPIES else " "
            why = f"  {reasons[index]}" if group.kind in COPIES else ""
            yield f"  {mark} {display(pictures[index].path)}{why}"
        if len(members) > _SHOWN:
            yield f"    ... and {len(members) - _SHOWN} more"


_WORDS = {
    "exact": "the same file",
    "pixels": "the same pixels in different files",
    "near": "the same picture",
    "burst": "a burst: one scene, seconds apart",
    "bracket": "a bracket: one scene, other exposures",
}


def _summary(groups: Sequence[Group], count: int, rest: int, options: argparse.Namespace) -> str:
    """`rest`: how many files `--keep rest` takes; more may be copies, and are kept where it is in doubt."""
    copies = sum(group.kind in COPIES for group in groups)
    parts = [
        counted(count, "picture"),
        f"{counted(copies, 'group')} of copies, {counted(rest, 'file')} more than needed",
    ]
    parts += [
        f"{found} {kind}{'' if found == 1 else 's'}"
        for kind in ("burst", "bracket")
        if (found := sum(group.kind == kind for group in groups))
    ]
    parts += [f"groups in {display(options.results)}"] if options.results else []
    return "; ".join(parts)

"""What `--keep` takes: the best of each group and every file outside, or the rest; printed, placed or moved away."""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Collection, Sequence

from cliqa.cli.applying import store_placer
from cliqa.cli.console import Console, PathPrinter
from cliqa.duplicates.grouping import COPIES, Group
from cliqa.duplicates.keeping import kept
from cliqa.duplicates.pictures import Picture
from cliqa.errors import ImageIssue
from cliqa.records import Issue, Source
from cliqa.results.store import Store
from cliqa.text import counted, display

Judged = tuple[Group, int, dict[int, str]]


def take(
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


def superfluous(judged: Sequence[Judged], groups: Sequence[Group]) -> set[int]:
    """The copies that are not the best of their groups. Frames of brackets and bursts are none of each other.

    What is in doubt stays too, see `keeping`.
    """
    copies = [(group, best) for group, best, _ in judged if group.kind in COPIES]
    rest = {index for group, best in copies for index in set(group.members) - {best} - set(kept(group, best))}
    exact = {
        index for group, best in copies if group.kind in ("exact", "pixels") for index in group.members if index != best
    }
    protected = {index for group in groups if group.kind in ("burst", "bracket") for index in group.members}
    return rest - (protected - exact)

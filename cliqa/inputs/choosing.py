"""Chosen images of saved scores, found again in their tars, shard by shard: what `cliqa apply` writes into tars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.inputs.member_names import TABLE_SUFFIXES, split_member_path, suffix_of
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Issue, Source


def find_again(paths: Iterable[str], locate: Callable[[str], str]) -> Iterator[tuple[str, Source | Issue]]:
    """(path as saved, source or issue) of each path, in the order of its tar; one tar's names are held at a time.

    Args:
        paths: as saved, sorted, so that those of a tar follow each other.
        locate: where the shard of a saved path is found from here.
    """
    for shard, group in groupby(paths, key=_shard):
        wanted = set(group)
        if not shard or shard.lower().endswith(TABLE_SUFFIXES):
            for path in sorted(wanted):
                yield path, Issue(Source(path), "error", "is no member of a tar, and only those go into tars")
            continue
        suffixes = {*IMAGE_SUFFIXES, *(suffix_of(path) for path in wanted)}
        here = locate(shard)
        problem = "its tar has no such member any more"
        for found in TarImages(here, sorted(suffixes), names_only=True):
            path = shard + found.path[len(here) :]
            if path in wanted:
                wanted.discard(path)
                yield path, found
            elif isinstance(found, Issue) and found.path == here:
                problem = f"its tar: {found.message}"
        for path in sorted(wanted):
            yield path, Issue(Source(path), "error", problem)


def _shard(path: str) -> str:
    parts = split_member_path(path)
    return parts[0] if parts is not None else ""

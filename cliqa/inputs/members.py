"""Members by the paths of their records, `shards/000.tar/key.jpg`, opened again.

So filters chain through pipes, reports show pictures, and `cliqa apply` writes the chosen ones into tars.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from cliqa.errors import ImageError
from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.inputs.locations import is_remote, state_of
from cliqa.inputs.member_names import TABLE_SUFFIXES, split_member_path, suffix_of
from cliqa.inputs.tar import is_packed
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Content, Issue, Source, State


def pick(path: str, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> Source | Issue | None:
    """The member of a local, uncompressed tar that a path names; None where it is that of a file, or of nothing that is known here.

    `suffixes` tells images from the other members of a sample, as for `TarImages`. The members of the tars that were asked
    last are remembered.
    """
    parts = split_member_path(path)
    if parts is None or os.path.lexists(path) or not (is_remote(path) or os.path.isfile(parts[0])):
        return None
    shard = parts[0]
    if is_remote(shard) or shard.lower().endswith(TABLE_SUFFIXES) or is_packed(shard):
        problem = "one image can be picked from a local, uncompressed tar only: give the shard"
        return Issue(Source(path), "error", problem)
    members = _members(shard, state_of(shard), tuple(suffixes))
    return members.get(path) or Issue(Source(path), "error", f"{shard} has no such member")


@lru_cache(maxsize=4)
def _members(shard: str, state: State | None, suffixes: tuple[str, ...]) -> dict[str, Source | Issue]:
    """The images of a tar by path, as long as the tar's `state` is the same."""
    return {found.path: found for found in TarImages(shard, suffixes)}


def image_bytes(path: str) -> str | bytes:
    """What `cliqa.images.loading` opens for the path of a record: the path of a file, or the bytes of a member or remote file.

    Raises:
        ImageIssue: a member that isn't there or can't be picked.
    """
    found = pick(path)
    if isinstance(found, Issue):
        raise ImageError(found.message)
    content: Content | None = found.content if found is not None else None
    return path if content is None else content.read()


def find_again(paths: Iterable[str], locate: Callable[[str], str]) -> Iterator[tuple[str, Source | Issue]]:
    """(path as saved, source or issue) of each path, in the order of its tar; one tar's names are held at a time.

    Args:
        paths: as saved, sorted, so that those of a tar follow each other.
        locate: where the shard of a saved path is found from here.
    """
    for shard, group in groupby(paths, key=lambda path: (split_member_path(path) or [""])[0]):
        wanted = set(group)
        problem = "its tar has no such member any more"
        if not shard or shard.lower().endswith(TABLE_SUFFIXES):
            problem = "is no member of a tar, and only those go into tars"
        else:
            suffixes = {*IMAGE_SUFFIXES, *(suffix_of(path) for path in wanted)}
            here = locate(shard)
            for found in TarImages(here, sorted(suffixes), names_only=True):
                path = shard + found.path[len(here) :]
                if path in wanted:
                    wanted.discard(path)
                    yield path, found
                elif isinstance(found, Issue) and found.path == here:
                    problem = f"its tar: {found.message}"
        for path in sorted(wanted):
            yield path, Issue(Source(path), "error", problem)

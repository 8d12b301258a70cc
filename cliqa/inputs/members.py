"""One member by the path of its record, `shards/000.tar/key.jpg`: how filters chain through pipes, and what reports show."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache

from cliqa.errors import ImageError
from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.inputs.locations import is_remote, state_of
from cliqa.inputs.member_names import TABLE_SUFFIXES, split_member_path
from cliqa.inputs.tar import is_packed
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Content, Issue, Source, State


class MemberPicker:
    """Finds members of local, uncompressed tars; the names of the tars that were asked last are remembered.

    `suffixes` tells images from the other members of a sample, as for `TarImages`.
    """

    def __init__(self, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> None:
        self._suffixes = tuple(suffixes)

    def pick(self, path: str) -> Source | Issue | None:
        """The member that a path names; None where the path is that of a file, or of nothing that is known here."""
        parts = split_member_path(path)
        if parts is None or os.path.lexists(path) or not (is_remote(path) or os.path.isfile(parts[0])):
            return None
        shard = parts[0]
        if is_remote(shard) or shard.lower().endswith(TABLE_SUFFIXES) or is_packed(shard):
            return Issue(
                Source(path), "error", "one image can be picked from a local, uncompressed tar only: give the shard"
            )
        return _members(shard, state_of(shard), self._suffixes).get(path) or Issue(
            Source(path), "error", f"{shard} has no such member"
        )


@lru_cache(maxsize=4)
def _members(shard: str, state: State | None, suffixes: tuple[str, ...]) -> dict[str, Source | Issue]:
    """The images of a tar by path, as long as the tar's `state` is the same."""
    return {found.path: found for found in TarImages(shard, suffixes)}


def image_bytes(path: str) -> str | bytes:
    """What `cliqa.images.loading` opens for the path of a record: the path of a file, or the bytes of a member or remote file.

    Raises:
        ImageIssue: a member that isn't there or can't be picked.
    """
    found = MemberPicker().pick(path)
    if isinstance(found, Issue):
        raise ImageError(found.message)
    content: Content | None = found.content if found is not None else None
    return path if content is None else content.read()

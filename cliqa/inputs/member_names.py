"""The names of members and keys, which strangers chose: what may become a path, and which sample a member belongs to."""

from __future__ import annotations

import os
import posixpath
import re

from cliqa.errors import ImageError

MAX_NAME_BYTES = 4096  # the longest path of Linux
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")
TABLE_SUFFIXES = (".parquet",)
SHARD_SUFFIXES = (*ARCHIVE_SUFFIXES, *TABLE_SUFFIXES)
_DRIVE = re.compile(r"[A-Za-z]:")


def is_shard(path: str) -> bool:
    """Whether a name is that of a shard: `.tar`, `.tar.gz`, `.tgz` or `.parquet`."""
    return path.lower().endswith(SHARD_SUFFIXES)


def safe_name(name: str) -> str:
    """A member's name as the last part of its record's path, `./` and doubled slashes gone.

    Raises:
        ImageError: empty, too long, absolute, with `..` or a backslash or a zero byte: as a path it could lead anywhere.
    """
    if len(os.fsencode(name)) > MAX_NAME_BYTES:
        raise ImageError(f"a member's name of more than {MAX_NAME_BYTES} bytes")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts:
        raise ImageError("a member without a name")
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or _DRIVE.match(name):
        raise ImageError("a member's name that leads out of its shard")
    return "/".join(parts)


def harmless(name: str) -> str:
    """A hostile name as it goes into an issue: to be recognized, but no path to anything. At most 200 characters."""
    parts = name[:200].replace("\\", "/").replace("\0", "\\0").split("/")
    shown = [part.replace("..", "%2e%2e") for part in parts if part not in ("", ".")]
    return "/".join(shown).replace(":", "%3a") or "(no name)"


def row_name(key: str, row: str) -> str:
    """The key of a table's row as the last part of its record's path: whatever path it is, it is only a name here.

    Args:
        key: as the table has it; absolute and Windows paths lose what makes them lead anywhere.
        row: the name instead of a key that is empty or longer than any name.
    """
    if len(os.fsencode(key)) > MAX_NAME_BYTES:
        return row
    try:
        return safe_name(key)
    except ImageError:
        parts = key.replace("\\", "/").replace("\0", "%00").split("/")
        return "/".join(part.replace("..", "%2e%2e") for part in parts if part not in ("", ".")) or row


def member_path(shard: str, name: str) -> str:
    """The path of a record: the shard's, a slash, the member's name."""
    return f"{shard}/{name}"


def split_member_path(path: str) -> tuple[str, str] | None:
    """(shard, member) of a record's path, None where no part of it is named like a shard.

    A file or folder of that very path comes first: see `cliqa.inputs.members`.
    """
    match = re.match(r"(.+?\.(?:tar|tar\.gz|tgz|parquet))/(.+)", path, re.IGNORECASE | re.DOTALL)
    return (match[1], match[2]) if match else None


def sample_key(name: str) -> str:
    """The sample that a member belongs to, as WebDataset has it: the name up to the first dot of its last part."""
    folder, base = posixpath.split(name)
    return posixpath.join(folder, base.split(".", 1)[0])


def suffix_of(name: str) -> str:
    """The last suffix, lower case with its dot; "" where there is none."""
    return posixpath.splitext(name)[1].lower()

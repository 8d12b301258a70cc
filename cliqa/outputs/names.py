"""Names for placed files: short enough for a file system, with a number where one is taken, the same for what goes along."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator

_NAME_BYTES = 255  # the longest file name that common file systems take
_LONGEST_SUFFIX = 32  # bytes; what is longer after the last dot is part of a name; by hand


def candidates(name: str) -> Iterator[str]:
    """`a.jpg`, `a_1.jpg`, `a_2.jpg`, ... each short enough for a file system."""
    for number in itertools.count():
        yield numbered(name, number)


def numbered(name: str, number: int) -> str:
    """The candidate of a number: `a.jpg`, 2 -> `a_2.jpg`."""
    stem, suffix = _split(name)
    mark = f"_{number}" if number else ""
    room = _NAME_BYTES - len(os.fsencode(mark + suffix))
    return os.fsdecode(_cut(os.fsencode(stem), room)) + mark + suffix


def is_candidate(found: str, name: str) -> bool:
    """Whether `found` is one of the names that a file called `name` may get."""
    if found == numbered(name, 0):
        return True
    number = re.search(r"_([1-9][0-9]{0,8})$", _split(found)[0])
    return number is not None and found == numbered(name, int(number[1]))


def companion_place(companion: str, picture: str, target: str) -> str:
    """Where what goes along with a picture goes when that goes to `target`: `in/a.CR2`, `in/a.jpg`, `out/a_1.jpg` -> `out/a_1.CR2`."""
    stem = os.path.splitext(os.path.basename(picture))[0]
    return os.path.splitext(target)[0] + os.path.basename(companion)[len(stem) :]


def _split(name: str) -> tuple[str, str]:
    stem, suffix = os.path.splitext(name)
    return (name, "") if len(os.fsencode(suffix)) > _LONGEST_SUFFIX else (stem, suffix)


def _cut(name: bytes, room: int) -> bytes:
    """At most `room` bytes, not ending inside a UTF-8 character."""
    if len(name) <= room:
        return name
    end = room
    while end > room - 3 and name[end] & 0xC0 == 0x80:  # a character has at most three bytes that continue it
        end -= 1
    return name[:end]

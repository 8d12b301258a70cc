"""The names that a placed file may get, the first free of which it takes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

_NAME_BYTES = 255  # the longest file name that common file systems take
_LONGEST_SUFFIX = 32  # bytes; what is longer after the last dot is part of a name


def candidates(name: str) -> Iterator[str]:
    """`a.jpg`, `a_1.jpg`, `a_2.jpg`, ... each short enough for a file system."""
    stem, suffix = os.path.splitext(name)
    if len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    for number in itertools.count():
        mark = f"_{number}" if number else ""
        room = _NAME_BYTES - len(os.fsencode(mark + suffix))
        yield os.fsdecode(_cut(os.fsencode(stem), room)) + mark + suffix


def _cut(name: bytes, room: int) -> bytes:
    """At most `room` bytes, not ending inside a UTF-8 character."""
    if len(name) <= room:
        return name
    end = room
    while end > room - 3 and name[end] & 0xC0 == 0x80:  # a character has at most three bytes that continue it
        end -= 1
    return name[:end]

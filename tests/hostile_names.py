"""Names that files may have and that break careless programs."""

from __future__ import annotations

import os
from pathlib import Path

HOSTILE_NAMES = [
    b"plain.jpg",
    b"with space.jpg",
    b"-leading-dash.jpg",
    b"quo'te\".jpg",
    b"comma,semi;.jpg",
    b"new\nline.jpg",
    b"return\rtab\t.jpg",
    b"\x1b[31mred\x1b[0m.jpg",
    "emoji😀é.jpg".encode(),
    b"not-utf8-\xff\xfe.jpg",
    b"$(touch x)`y`.jpg",
    b"%s%n.jpg",
    b"=cmd|' /C calc'!A0.jpg",
    b"<script>alert(1)<.jpg",
]


def make_hostile(folder: Path, content: bytes = b"x") -> list[str]:
    """Files of every hostile name that this file system takes."""
    folder.mkdir(exist_ok=True)
    made = []
    for name in HOSTILE_NAMES:
        path = os.path.join(os.fsencode(folder), name)
        try:
            with open(path, "wb") as stream:
                stream.write(content)
        except OSError:
            continue
        made.append(os.fsdecode(path))
    return made

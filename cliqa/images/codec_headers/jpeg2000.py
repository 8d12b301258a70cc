"""JPEG 2000: which wavelet a codestream uses (ISO 15444-1, annex A). The 9-7 always loses; the 5-3 only where bits were left out."""

from __future__ import annotations

from typing import IO

SEARCHED = 1 << 16  # bytes from the file's start in which the codestream has to begin
_START, _CODING = b"\xff\x4f\xff\x51", 0xFF52


def wavelet(stream: IO[bytes]) -> str:
    """ "5-3" or "9-7". Raises ValueError or IndexError where no codestream's header is found."""
    data = stream.read(2 * SEARCHED)
    place = data.index(_START, 0, SEARCHED) + 2
    for _ in range(64):
        marker, length = (int.from_bytes(data[place + i : place + i + 2], "big") for i in (0, 2))
        if marker == _CODING:
            return "5-3" if data[place + 13] == 1 else "9-7"
        place += 2 + length
    raise ValueError("no coding style")

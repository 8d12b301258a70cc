"""Bits of a header, most significant first."""

from __future__ import annotations


class Bits:
    """Reads fixed-length and Exp-Golomb numbers. Beyond the end it raises EOFError."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """The next `count` bits as a number."""
        if not 0 <= count <= self._left:
            raise EOFError("the header ends early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        """Leave `count` bits out."""
        self.read(count)

    def flag(self) -> bool:
        """The next bit."""
        return self.read(1) == 1

    def unsigned(self) -> int:
        """ue(v) of H.264 and H.265, uvlc of AV1: Exp-Golomb, at most 32 leading zeros."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise ValueError("no Exp-Golomb number")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)

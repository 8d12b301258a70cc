"""Numbers of a header, bit by bit."""

from __future__ import annotations

import pytest

from cliqa.images.codec_headers.bits import Bits


def test_fixed_lengths_come_most_significant_first() -> None:
    bits = Bits(bytes([0b10110000, 0xFF]))
    assert (bits.flag(), bits.read(3), bits.read(4)) == (True, 0b011, 0)
    bits.skip(4)
    assert bits.read(4) == 15


@pytest.mark.parametrize(("code", "unsigned", "signed"), [("1", 0, 0), ("010", 1, 1), ("011", 2, -1), ("00100", 3, 2)])
def test_exp_golomb_numbers(code: str, unsigned: int, signed: int) -> None:
    data = bytes([int(code.ljust(8, "0"), 2)])
    assert (Bits(data).unsigned(), Bits(data).signed()) == (unsigned, signed)


def test_the_end_and_endless_zeros_are_errors() -> None:
    with pytest.raises(EOFError):
        Bits(b"\xff").read(9)
    with pytest.raises(ValueError, match="Exp-Golomb"):
        Bits(bytes(8)).unsigned()

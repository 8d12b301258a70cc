"""HEVC: the quantization parameter of the first slice, from the parameter sets and its header (H.265, 7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from cliqa.images.codec_headers.bits import Bits

_IDR = (19, 20)
_SPS, _PPS = 33, 34
_IDENTITY = 0


@dataclass(frozen=True)
class SequenceSet:
    """What a slice's header can't be read without."""

    separate_planes: bool
    chroma: int
    adaptive_offset: bool


@dataclass(frozen=True)
class PictureSet:
    """`quantizer` is the parameter that slices add to; `bypass` whether blocks may be coded without loss."""

    output_flag: bool
    extra_bits: int
    quantizer: int
    bypass: bool


def slice_quantizer(settings: bytes, data: bytes) -> tuple[int, bool]:
    """QP of the first slice (about 0-51), and whether blocks may be coded without loss.

    Args:
        settings: the hvcC box. data: the item's first bytes, units with their lengths before them.

    Raises:
        EOFError, ValueError: it can't be read.
    """
    sequence = picture = None
    for unit in _settings_units(settings):
        kind = unit[0] >> 1 & 63
        if kind == _SPS:
            sequence = _sequence(Bits(_plain(unit[2:])))
        elif kind == _PPS:
            picture = _picture(Bits(_plain(unit[2:])))
    if sequence is None or picture is None:
        raise ValueError("no parameter sets")
    wide = (settings[21] & 3) + 1
    place = 0
    while place + wide + 2 <= len(data):
        length = int.from_bytes(data[place : place + wide], "big")
        unit = data[place + wide : place + wide + min(length, 64)]
        if unit[0] >> 1 & 63 in _IDR:
            return picture.quantizer + _slice_delta(Bits(_plain(unit[2:])), sequence, picture), picture.bypass
        if unit[0] >> 1 & 63 < 32:
            raise ValueError("the first slice is of no IDR picture")
        place += wide + length
    raise ValueError("no slice")


def _settings_units(settings: bytes) -> list[bytes]:
    place, found = 23, []
    for _ in range(settings[22]):
        count = int.from_bytes(settings[place + 1 : place + 3], "big")
        place += 3
        for _ in range(min(count, 64)):
            length = int.from_bytes(settings[place : place + 2], "big")
            found.append(settings[place + 2 : place + 2 + length])
            place += 2 + length
    return [unit for unit in found if len(unit) > 2]


def _plain(unit: bytes) -> bytes:
    """Without the bytes that keep start codes out."""
    return unit.replace(b"\0\0\3", b"\0\0")


def _sequence(bits: Bits) -> SequenceSet:
    bits.skip(4)
    layers = bits.read(3)
    bits.skip(1)
    _profile(bits, layers)
    bits.unsigned()
    chroma = bits.unsigned()
    separate = chroma == 3 and bits.flag()
    bits.unsigned()
    bits.unsigned()
    if bits.flag():
        for _ in range(4):
            bits.unsigned()
    for _ in range(3):
        bits.unsigned()  # depths of luma and chroma, bits of the order count
    for _ in range(layers + 1 if bits.flag() else 1):
        for _ in range(3):
            bits.unsigned()
    for _ in range(6):
        bits.unsigned()  # sizes of coding and transform blocks
    if bits.flag() and bits.flag():
        _scaling_lists(bits)
    bits.skip(1)  # asymmetric partitions
    return SequenceSet(separate, chroma, bits.flag())


def _profile(bits: Bits, layers: int) -> None:
    bits.skip(88 + 8)
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.skip(2 * (8 - layers))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)


def _scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not bits.flag():
                bits.unsigned()
                continue
            if size > 1:
                bits.signed()
            for _ in range(min(64, 1 << (4 + (size << 1)))):
                bits.signed()


def _picture(bits: Bits) -> PictureSet:
    bits.unsigned()
    bits.unsigned()
    bits.skip(1)  # dependent slices
    output, extra = bits.flag(), bits.read(3)
    bits.skip(2)  # sign hiding, CABAC
    bits.unsigned()
    bits.unsigned()
    quantizer = 26 + bits.signed()
    bits.skip(2)  # constrained prediction, transform skip
    if bits.flag():
        bits.unsigned()
    bits.signed()
    bits.signed()
    bits.skip(3)  # chroma offsets in slices, weighted prediction
    return PictureSet(output, extra, quantizer, bits.flag())


def _slice_delta(bits: Bits, sequence: SequenceSet, picture: PictureSet) -> int:
    if not bits.flag():
        raise ValueError("not the first slice of its picture")
    bits.skip(1)
    bits.unsigned()
    bits.skip(picture.extra_bits)
    bits.unsigned()
    bits.skip(picture.output_flag + 2 * sequence.separate_planes)
    if sequence.adaptive_offset:
        bits.skip(1 + (sequence.chroma > 0 and not sequence.separate_planes))
    return bits.signed()

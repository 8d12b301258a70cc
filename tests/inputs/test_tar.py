"""The guarded tar reader, against Python's own on what Python writes, and alone on what nobody should have written."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliqa.errors import ImageError
from cliqa.inputs.tar import BLOCK, ForwardReader, Member, read_members
from tests.shard_files import tar_bytes

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
NAMES = ["a.jpg", "b/c.png", "d" * 99, "e" * 101 + "/x.jpg", "f/" * 60 + "y.jpg", "ü/日本.jpg", "g" * 250 + ".jpg"]


def members(data: bytes, seekable: bool = True) -> list[Member]:
    return list(read_members(ForwardReader(io.BytesIO(data), len(data) if seekable else None)))


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("kind", ["gnu", "pax"])
def test_names_sizes_and_places_are_those_of_tarfile(kind: str, seekable: bool) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=FORMATS[kind]) as tar:
        for number, name in enumerate(NAMES):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = 300 * number, 1_700_000_000 + number
            tar.addfile(info, io.BytesIO(bytes([number]) * info.size))
    data = stream.getvalue()
    found = members(data, seekable)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        expected = [(info.name, info.size, info.offset_data, int(info.mtime)) for info in tar]
    assert [(member.name, member.size, member.offset, member.mtime) for member in found] == expected
    for number, member in enumerate(found):
        assert data[member.offset : member.offset + member.size] == bytes([number]) * member.size


def test_kinds() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for kind in (
            tarfile.SYMTYPE,
            tarfile.LNKTYPE,
            tarfile.CHRTYPE,
            tarfile.FIFOTYPE,
            tarfile.DIRTYPE,
            tarfile.REGTYPE,
        ):
            info = tarfile.TarInfo("x")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    kinds = [member.kind for member in members(stream.getvalue())]
    assert kinds == ["link", "link", "device", "device", "folder", "file"]


def test_bytes_can_be_read_in_passing() -> None:
    data = tar_bytes({"a": b"1" * 700, "b": b"2" * 10, "c": b"3" * 512})
    reader = ForwardReader(io.BytesIO(data))
    read = [reader.read(member.size) if member.name != "b" else b"" for member in read_members(reader)]
    assert read == [b"1" * 700, b"", b"3" * 512]


def test_sizes_beyond_octal_digits() -> None:
    info = tarfile.TarInfo("huge")
    info.size = 1 << 40
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with pytest.raises(ImageError, match="cut short"):
            members(info.tobuf(kind) + b"\0" * 2048)


def header(name: str = "a.jpg", size: bytes = b"00000000012\0", flag: bytes = b"0") -> bytes:
    """A header with whatever is wanted in it, and its sum made right."""
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    block[124:136], block[156:157], block[148:156] = size, flag, b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


END = b"\0" * 1024
DAMAGED = {
    "empty": (b"", "empty"),
    "no tar": (b"\xff\xd8\xff" * 400, "is no tar"),
    "shorter than a header": (b"a" * 100, "is no tar"),
    "no end mark": (tar_bytes({"a": b"x"})[: 2 * BLOCK], "no end mark"),
    "cut in a header": (tar_bytes({"a": b"x", "b": b"y"})[: 2 * BLOCK + 100], "cut short"),
    "cut in data": (tar_bytes({"a": b"x" * 2000})[: 2 * BLOCK], "cut short"),
    "wrong sum": (tar_bytes({"a": b"x", "b": b"y"}).replace(b"b\0", b"c\0", 1), "damaged at byte 1024"),
    "negative size": (header(size=b"\xff" * 12) + END, "of -1 bytes|is no tar"),
    "back to the same header": (header(size=b"\xff" * 10 + b"\xfe\x00") + END, "of -512 bytes|is no tar"),
    "size without digits": (header(size=b"hello world\0") + END, "is no tar"),
    "size of exabytes": (header(size=b"\x80" + b"\xff" * 11) + END, "bytes"),
    "name record of gigabytes": (header(size=b"77777777777\0", flag=b"x") + END, "name record"),
    "GNU name of gigabytes": (header(size=b"77777777777\0", flag=b"L") + END, "name record"),
    "pax record of no length": (
        header(size=b"00000000012\0", flag=b"x") + b"0 path=x\n\0" + b"\0" * 502 + END,
        "damaged|is no tar",
    ),
    "pax size of words": (
        header(size=b"00000000020\0", flag=b"x") + b"16 size=minus-1\n" + b"\0" * 496 + header() + END,
        "size",
    ),
}


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_said_and_ends_the_reading(name: str, seekable: bool) -> None:
    data, message = DAMAGED[name]
    with pytest.raises(ImageError, match=message):
        members(data, seekable)


def test_what_came_before_the_damage_is_there() -> None:
    data = tar_bytes({"a": b"x", "b": b"y" * 2000})[: 4 * BLOCK]
    reader = read_members(ForwardReader(io.BytesIO(data), len(data)))
    assert [next(reader).kind, next(reader).kind] == ["file", "cut"]
    with pytest.raises(ImageError):
        next(reader)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6), st.booleans())
def test_random_bytes_never_do_worse_than_an_issue(changes: list[tuple[int, int]], seekable: bool) -> None:
    data = bytearray(tar_bytes({"a.jpg": b"1" * 700, "b" * 150: b"2" * 10}, mtime=5))
    for place, value in changes:
        data[place] = value
    try:
        found = members(bytes(data), seekable)
    except ImageError:
        return
    positions = [member.offset for member in found]
    assert positions == sorted(set(positions)) and len(found) <= len(data) // BLOCK


def test_a_chain_of_name_records_ends() -> None:
    chain = b"".join(header(size=b"00000000001\0", flag=b"L") + b"x" + b"\0" * 511 for _ in range(3000))
    for data in (chain, chain + header() + END):
        with pytest.raises(ImageError, match="damaged"):
            members(data)


def test_sparse_files_are_passed_over() -> None:
    sparse = bytearray(header(flag=b"S"))
    sparse[386:410] = b"00000000000\0" + b"00000000012\0"
    sparse[482:483], sparse[148:156] = b"\0", b" " * 8
    sparse[148:156] = b"%06o\0 " % sum(sparse)
    found = members(bytes(sparse) + b"1" * BLOCK + tar_bytes({"a": b"x"}))
    assert [(member.name, member.kind) for member in found] == [("a.jpg", "sparse"), ("a", "file")]


def test_random_files_are_refused() -> None:
    rng = np.random.default_rng(0)
    for size in rng.integers(1, 5000, 50):
        with pytest.raises(ImageError):
            members(rng.bytes(int(size)) + b"x")

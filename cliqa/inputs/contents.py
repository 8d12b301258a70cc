"""Where the bytes of an image lie that is no local file: in a local tar, already in memory, or at a remote address; digests."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace

from cliqa.errors import ImageError, ImageIssue, ImageSkipped
from cliqa.files.atomic import open_regular
from cliqa.inputs.locations import open_location, reason
from cliqa.records import Source

MAX_BYTES = 256 << 20  # of one image in a shard or at a remote address: a worker holds all of them; chosen by hand


@dataclass(frozen=True)
class Sample:
    """What a member belongs to: WebDataset's unit, the members that share a key.

    Attributes:
        shard: path of the tar.
        key: the name without suffixes.
        images: how many of its members are images by name.
    """

    shard: str
    key: str
    images: int = 1


@dataclass(frozen=True, slots=True)
class Slice:
    """`size` bytes at `offset` of a local, uncompressed tar; a worker reads them by itself."""

    shard: str
    offset: int
    size: int
    mtime_ns: int | None
    sample: Sample | None = None

    def read(self) -> bytes:
        """The bytes. Raises ImageError where the tar has gone or changed since it was listed."""
        try:
            with open_regular(self.shard) as stream:
                if os.fstat(stream.fileno()).st_mtime_ns != self.mtime_ns:
                    raise ImageError("its shard has changed since it was listed")
                stream.seek(self.offset)
                data = stream.read(self.size)
        except OSError as error:
            raise ImageError(f"its shard {reason(error)}") from error
        if len(data) < self.size:
            raise ImageError("its shard has been cut short since it was listed")
        return data

    def released(self) -> Slice:
        """Itself: it holds nothing."""
        return self


@dataclass(frozen=True)
class Held:
    """Bytes that came in a stream: of a compressed or remote tar, or of a Parquet file."""

    data: bytes = field(repr=False)
    size: int
    mtime_ns: int | None
    sample: Sample | None = None

    def read(self) -> bytes:
        """The bytes."""
        return self.data

    def released(self) -> Held:
        """The same without the bytes, for when they have been looked at."""
        return replace(self, data=b"")


@dataclass(frozen=True)
class Remote:
    """A file at a remote address; a worker fetches it."""

    address: str
    size: int
    mtime_ns: int | None
    sample: None = None

    def read(self) -> bytes:
        """The bytes. Raises ImageError where they can't be had."""
        if self.size > MAX_BYTES:
            raise ImageSkipped(f"the file is larger than {MAX_BYTES >> 20} MiB")
        with open_location(self.address) as opened:
            return opened.stream.read(MAX_BYTES)

    def released(self) -> Remote:
        """Itself: it holds nothing."""
        return self


def content_sha256(path: str) -> str | None:
    """SHA-256 of a file's bytes in hexadecimal, None where they can't be read."""
    digest = hashlib.sha256()
    try:
        with open_regular(path) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (OSError, ValueError, ImageIssue):
        return None
    return digest.hexdigest()


def source_sha256(source: Source) -> str | None:
    """SHA-256 of a source's bytes, wherever they are; None where they can't be read."""
    if source.content is None:
        return content_sha256(source.path)
    try:
        return hashlib.sha256(source.content.read()).hexdigest()
    except ImageIssue:
        return None

"""Input -> the files to score: a folder, one file, or paths on standard input. Lazy, sorted, nothing dropped silently."""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from cliqa.errors import RunError, UsageError
from cliqa.records import Issue, Source

# The suffixes that are looked at in a folder. What a file is, its content decides.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif",
    ".avif", ".heic", ".heif", ".hif", ".ppm", ".pgm", ".pnm", ".jp2", ".jxl",
)  # fmt: skip
# Cameras' raw files: not listed unless they are asked for, since mostly each has a JPEG beside it; but counted.
RAW_SUFFIXES = (
    ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".dng", ".3fr", ".fff",
    ".iiq", ".erf", ".mef", ".mos", ".mrw", ".srw", ".x3f", ".rwl", ".dcr", ".kdc", ".gpr",
)  # fmt: skip
ANY_SUFFIX = "*"
_LONGEST_PATH = 32_767  # bytes; Windows' limit, the largest of any system


@dataclass
class Listing:
    """Iterates over `Source`s, with an `Issue` for each folder that can't be read.

    Attributes:
        input: a folder, a file, or "-" for paths on `stream`.
        recursive: whether a folder's sub-folders are listed too; links to folders are followed, loops become issues.
        suffixes: which files of a folder are listed, lower case with the dot; ("*",) lists all.
        null: paths on `stream` end with a zero byte instead of a line feed.
        left_out: files and folders passed over so far because of their suffix, or folders on standard input.
        raw: how many of those are cameras' raw files, by their suffix.
    """

    input: str
    recursive: bool = False
    suffixes: Sequence[str] = IMAGE_SUFFIXES
    null: bool = False
    stream: IO[bytes] | None = None
    left_out: int = field(default=0, init=False)
    raw: int = field(default=0, init=False)
    _pieces: deque[bytes] = field(default_factory=deque, init=False, repr=False)

    def check(self) -> None:
        """Raise UsageError or RunError now for an input that can't be listed at all."""
        if self.input == "-":
            if self.stream is None:
                raise UsageError("there is no standard input to read paths from")
            return
        if not os.path.lexists(self.input):
            raise RunError(f"there is no input {display(self.input)}" if self.input else "the input has an empty name")
        try:
            os.stat(self.input)
        except FileNotFoundError:
            raise RunError(f"the input {display(self.input)} is a link to nothing") from None
        except (OSError, ValueError) as error:
            raise RunError(f"the input {display(self.input)} can't be read: {_reason(error)}") from error
        if os.path.isdir(self.input):
            try:
                os.scandir(self.input).close()
            except OSError as error:
                raise RunError(f"the input folder {display(self.input)} can't be read: {_reason(error)}") from error

    def __iter__(self) -> Iterator[Source | Issue]:
        if self.input == "-":
            yield from self._from_stream()
        elif os.path.isdir(self.input):
            yield from self._from_folder()
        else:
            yield Source(self.input)

    def count(self, seconds: float = 1.0) -> int | None:
        """How many files there are; None where telling would take longer than `seconds`, or only the stream could tell."""
        if self.input == "-":
            return None
        end = time.monotonic() + seconds
        total = 0
        for _ in Listing(self.input, self.recursive, self.suffixes):
            total += 1
            if time.monotonic() > end:
                return None
        return total

    def ready(self) -> bool:
        """Whether the next file can be had without waiting for standard input."""
        if self.input != "-" or self._pieces or self.stream is None:
            return True
        try:
            return bool(select.select([self.stream], [], [], 0)[0])
        except (OSError, ValueError):  # no stream of the system's, or Windows, where only sockets can be asked
            return True

    def _from_folder(self) -> Iterator[Source | Issue]:
        """Depth first: a folder's own files in order of name, then its sub-folders; one folder's names in memory."""
        waiting: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(self.input, "", ())]
        while waiting:
            folder, below, parents = waiting.pop()
            files: list[str] = []
            folders: list[str] = []
            try:
                status = os.stat(folder)
                identity = (status.st_dev, status.st_ino)
                if identity in parents:
                    yield Issue(Source(folder, below), "error", "a link loop: this folder is one of its own parents")
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        (folders if _is_folder(entry) else files).append(entry.name)
            except OSError as error:
                yield Issue(Source(folder, below), "error", f"the folder can't be read: {_reason(error)}")
                continue
            for name in sorted(files, key=os.fsencode):
                if self._wanted(name):
                    yield Source(os.path.join(folder, name), below)
                else:
                    self.left_out += 1
                    self.raw += os.path.splitext(name)[1].lower() in RAW_SUFFIXES
            if self.recursive:
                for name in sorted(folders, key=os.fsencode, reverse=True):
                    waiting.append((os.path.join(folder, name), os.path.join(below, name), (*parents, identity)))

    def _wanted(self, name: str) -> bool:
        return ANY_SUFFIX in self.suffixes or os.path.splitext(name)[1].lower() in self.suffixes

    def _from_stream(self) -> Iterator[Source | Issue]:
        if self.stream is None:
            raise UsageError("there is no standard input to read paths from")
        for raw in self._split(self.stream, b"\0" if self.null else b"\n"):
            path = os.fsdecode(raw)
            if len(raw) > _LONGEST_PATH or "\0" in path:
                hint = "longer than any path" if len(raw) > _LONGEST_PATH else "no path: it holds a zero byte (use -0?)"
                yield Issue(
                    Source(path[:200].replace("\0", "\\0")), "error", f"{len(raw)} bytes of standard input, {hint}"
                )
            elif os.path.isdir(path):
                self.left_out += 1  # `find . -print0` names the folders too
            else:
                yield Source(path, _folder_of(path) if self.recursive else "")

    def _split(self, stream: IO[bytes], separator: bytes) -> Iterator[bytes]:
        """Pieces of a stream as they arrive; empty ones are passed over."""
        rest = b""
        read = getattr(stream, "read1", stream.read)
        while chunk := read(65536):
            *pieces, rest = (rest + chunk).split(separator)
            self._pieces.extend(pieces)
            while self._pieces:
                if piece := _unreturn(self._pieces.popleft(), separator):
                    yield piece
            if len(rest) > 1 << 24:
                raise UsageError("standard input holds no paths: 16 MiB came without a separator")
        if piece := _unreturn(rest, separator):
            yield piece


def parse_suffixes(words: Sequence[str]) -> tuple[str, ...]:
    """`--exts .jpg PNG,webp` -> (".jpg", ".png", ".webp"); "*" stands for every file."""
    parts = [part.strip().lower() for word in words for part in word.split(",")]
    suffixes = tuple(part if part == ANY_SUFFIX or part.startswith(".") else f".{part}" for part in parts if part)
    if not suffixes:
        raise UsageError("--exts names no suffix")
    return suffixes


def display(path: str) -> str:
    """A path for messages: printable on any terminal, control characters and stray bytes escaped."""
    return "".join(char if char.isprintable() else _escape(char) for char in path)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python's file functions carry it
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link loop: opening it will say so
        return False


def _folder_of(path: str) -> str:
    """The folders of a path from standard input, kept only where they lie below the current folder."""
    folder = os.path.dirname(os.path.normpath(path))
    outside = os.path.isabs(folder) or os.path.splitdrive(folder)[0] or folder.split(os.sep)[0] == os.pardir
    return "" if outside or folder == os.curdir else folder


def _unreturn(piece: bytes, separator: bytes) -> bytes:
    return piece.removesuffix(b"\r") if separator == b"\n" and os.name == "nt" else piece

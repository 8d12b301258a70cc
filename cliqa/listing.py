"""Input -> the files to score: a folder, one file, or paths on standard input. Lazy, sorted, nothing dropped silently."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from cliqa.errors import RunError, UsageError
from cliqa.records import Issue, Source

# The suffixes that are looked at in a folder. What a file is, its content decides.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif",
    ".avif", ".heic", ".heif", ".hif", ".ppm", ".pgm", ".pnm", ".jp2",
)  # fmt: skip
ANY_SUFFIX = "*"


@dataclass
class Listing:
    """Iterates over `Source`s, with an `Issue` for each folder that can't be read.

    Attributes:
        input: a folder, a file, or "-" for paths on `stream`.
        recursive: whether a folder's sub-folders are listed too; links to folders are followed, loops become issues.
        suffixes: which files of a folder are listed, lower case with the dot; ("*",) lists all.
        null: paths on `stream` end with a zero byte instead of a line feed.
        left_out: files and folders passed over so far because of their suffix, or folders on standard input.
    """

    input: str
    recursive: bool = False
    suffixes: Sequence[str] = IMAGE_SUFFIXES
    null: bool = False
    stream: IO[bytes] | None = None
    left_out: int = field(default=0, init=False)

    def check(self) -> None:
        """Raise UsageError or RunError now for an input that can't be listed at all."""
        if self.input == "-":
            return
        if not os.path.lexists(self.input):
            raise RunError(f"there is no input {display(self.input)}")
        if not os.path.exists(self.input):
            raise RunError(f"the input {display(self.input)} is a link to nothing")
        if os.path.isdir(self.input):
            try:
                with os.scandir(self.input):
                    pass
            except OSError as error:
                raise RunError(f"the input folder {display(self.input)} can't be read: {error.strerror}") from error

    def __iter__(self) -> Iterator[Source | Issue]:
        if self.input == "-":
            yield from self._from_stream()
        elif os.path.isdir(self.input):
            yield from self._from_folder(self.input, "", ())
        else:
            yield Source(self.input)

    def count(self) -> int | None:
        """How many files there are, None where only reading the stream would tell."""
        if self.input == "-":
            return None
        probe = Listing(self.input, self.recursive, self.suffixes)
        return sum(1 for _ in probe)

    def _from_folder(self, folder: str, below: str, ancestors: tuple[tuple[int, int], ...]) -> Iterator[Source | Issue]:
        try:
            status = os.stat(folder)
            identity = (status.st_dev, status.st_ino)
            if identity in ancestors:
                yield Issue(Source(folder, below), "error", "a link loop: this folder is one of its own parents")
                return
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Issue(Source(folder, below), "error", f"the folder can't be read: {error.strerror}")
            return
        folders = []
        for entry in entries:
            if _is_folder(entry):
                folders.append(entry)
            elif self._wanted(entry.name):
                yield Source(entry.path, below)
            else:
                self.left_out += 1
        if self.recursive:
            for entry in folders:
                yield from self._from_folder(entry.path, os.path.join(below, entry.name), (*ancestors, identity))

    def _wanted(self, name: str) -> bool:
        return ANY_SUFFIX in self.suffixes or os.path.splitext(name)[1].lower() in self.suffixes

    def _from_stream(self) -> Iterator[Source | Issue]:
        if self.stream is None:
            raise UsageError("there is no standard input to read paths from")
        for raw in _split(self.stream, b"\0" if self.null else b"\n"):
            path = os.fsdecode(raw)
            if os.path.isdir(path):
                self.left_out += 1  # `find . -print0` names the folders too
            else:
                yield Source(path, _folder_of(path) if self.recursive else "")


def parse_suffixes(words: Sequence[str]) -> tuple[str, ...]:
    """`--exts .jpg PNG,webp` -> (".jpg", ".png", ".webp"); "*" stands for every file."""
    parts = [part.strip().lower() for word in words for part in word.split(",")]
    suffixes = tuple(part if part == ANY_SUFFIX or part.startswith(".") else f".{part}" for part in parts if part)
    if not suffixes:
        raise UsageError("--exts names no suffix")
    return suffixes


def display(path: str) -> str:
    """A path for messages: printable on any terminal, control characters and stray bytes escaped."""
    return "".join(
        char if char.isprintable() else char.encode("utf-8", "surrogateescape").decode("latin-1").encode(
            "unicode_escape"
        ).decode("ascii")
        for char in path
    )  # fmt: skip


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link loop: opening it will say so
        return False


def _folder_of(path: str) -> str:
    """The folders of a path from standard input, kept only where they lie below the current folder."""
    folder = os.path.dirname(os.path.normpath(path))
    return "" if os.path.isabs(folder) or folder.split(os.sep)[0] == os.pardir or folder == os.curdir else folder


def _split(stream: IO[bytes], separator: bytes) -> Iterator[bytes]:
    """Pieces of a stream as they arrive; empty ones are passed over."""
    rest = b""
    reader = getattr(stream, "read1", stream.read)
    while chunk := reader(65536):
        *pieces, rest = (rest + chunk).split(separator)
        yield from (piece for piece in (_unreturn(piece, separator) for piece in pieces) if piece)
    if piece := _unreturn(rest, separator):
        yield piece


def _unreturn(piece: bytes, separator: bytes) -> bytes:
    return piece.removesuffix(b"\r") if separator == b"\n" and os.name == "nt" else piece

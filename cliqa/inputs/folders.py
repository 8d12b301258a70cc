"""Folders of image files, and paths on standard input. Lazy, sorted, nothing dropped silently, no file twice."""

from __future__ import annotations

import os
import select
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from cliqa.errors import UsageError
from cliqa.files.atomic import OWN_FILES
from cliqa.records import Issue, Source
from cliqa.text import reason

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
JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
ANY_SUFFIX = "*"
_LONGEST_PATH = 32_767  # bytes; Windows' limit, the largest of any system


class Reached:
    """What a run has come to, by real paths: a file that links, `./` or absolute paths lead to again is given once.

    Of a folder its own path is enough, so memory grows with folders and with files that are named singly or by links.

    Attributes:
        again: how many files and folders were reached again.
    """

    def __init__(self, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> None:
        self.again = 0
        self._suffixes = suffixes
        self._folders: set[str] = set()
        self._files: set[str] = set()

    def folder(self, real: str) -> bool:
        """Whether a folder is reached for the first time."""
        is_new = real not in self._folders
        self._folders.add(real)
        self.again += not is_new
        return is_new

    def inside(self, real: str) -> bool:
        """Whether a regular file of a folder that is now reached for the first time was not given before."""
        is_new = real not in self._files
        self.again += not is_new
        return is_new

    def file(self, path: str) -> bool:
        """Whether a file that is named singly, or by a link, is reached for the first time."""
        real = os.path.realpath(path)
        folder, name = os.path.split(real)
        given = folder in self._folders and is_wanted(name, self._suffixes) and os.path.isfile(real)
        is_new = not given and self.inside(real)
        self.again += given
        if not given:  # else its folder gives it, perhaps after a link to it in the same one
            self._files.add(real)
        return is_new


@dataclass
class Folder:
    """The image files of a folder.

    Attributes:
        path: of the folder.
        recursive: whether its sub-folders are listed too; links to folders are followed, loops become issues.
        suffixes: which files are listed, lower case with the dot; ("*",) lists all.
        reached: what the run has come to before.
        left_out: files passed over so far because of their suffix.
        raw: how many of those are cameras' raw files, by their suffix.
        unlisted: the suffixes of those that are images by name but of no suffix that is listed, and how many each has.
        deeper: whether there are sub-folders that were not listed.
    """

    path: str
    recursive: bool
    suffixes: Sequence[str]
    reached: Reached
    left_out: int = field(default=0, init=False)
    raw: int = field(default=0, init=False)
    unlisted: Counter[str] = field(default_factory=Counter, init=False)
    deeper: bool = field(default=False, init=False)

    def __iter__(self) -> Iterator[Source | Issue]:
        """Depth first: a folder's own files in order of name, then its sub-folders; one folder's names in memory."""
        waiting: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(self.path, "", ())]
        while waiting:
            folder, below, parents = waiting.pop()
            files: list[tuple[str, bool]] = []
            folders: list[str] = []
            try:
                status = os.stat(folder)
                identity = (status.st_dev, status.st_ino)
                if identity in parents:
                    yield Issue(Source(folder, below), "error", "a link loop: this folder is one of its own parents")
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.name.startswith(OWN_FILES):
                            continue
                        if _is_folder(entry):
                            folders.append(entry.name)
                        else:
                            files.append((entry.name, entry.is_symlink()))
            except OSError as error:
                yield Issue(Source(folder, below), "error", f"the folder can't be read: {reason(error)}")
                continue
            real = os.path.realpath(folder)
            if not self.reached.folder(real):
                continue
            for name, is_link in sorted(files, key=lambda file: os.fsencode(file[0])):
                path = os.path.join(folder, name)
                if not is_wanted(name, self.suffixes):
                    suffix = os.path.splitext(name)[1].lower()
                    self.left_out += 1
                    self.raw += suffix in RAW_SUFFIXES
                    if suffix in IMAGE_SUFFIXES:
                        self.unlisted[suffix] += 1
                elif self.reached.file(path) if is_link else self.reached.inside(os.path.join(real, name)):
                    yield Source(path, below)
            if self.recursive:
                for name in sorted(folders, key=os.fsencode, reverse=True):
                    waiting.append((os.path.join(folder, name), os.path.join(below, name), (*parents, identity)))
            else:
                self.deeper = bool(folders)


def is_wanted(name: str, suffixes: Sequence[str]) -> bool:
    """Whether a file or member is an image by its name."""
    return ANY_SUFFIX in suffixes or os.path.splitext(name)[1].lower() in suffixes


@dataclass
class StreamedPaths:
    """Paths on a stream, as they arrive.

    Attributes:
        path: "-".
        recursive: whether the folders of relative paths are kept.
        null: paths end with a zero byte instead of a line feed.
        left_out: folders passed over so far.
    """

    stream: IO[bytes]
    recursive: bool
    null: bool
    path: str = "-"
    left_out: int = field(default=0, init=False)
    _pieces: deque[bytes] = field(default_factory=deque, init=False, repr=False)

    def ready(self) -> bool:
        """Whether the next path can be had without waiting."""
        if self._pieces:
            return True
        try:
            return bool(select.select([self.stream], [], [], 0)[0])
        except (OSError, ValueError):  # no stream of the system's, or Windows, where only sockets can be asked
            return True

    def __iter__(self) -> Iterator[Source | Issue]:
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

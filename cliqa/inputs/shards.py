"""Input beyond folders: brace ranges, globs, shards, remote addresses, and paths of members on standard input."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from cliqa.errors import ImageError, RunError
from cliqa.inputs.braces import expand_braces, has_braces
from cliqa.inputs.contents import Remote
from cliqa.inputs.folders import ANY_SUFFIX, IMAGE_SUFFIXES, Listing
from cliqa.inputs.locations import is_glob, is_remote, is_remote_folder, matches, open_location, remote_files, state_of
from cliqa.inputs.member_names import TABLE_SUFFIXES, is_shard, split_member_path, suffix_of
from cliqa.inputs.members import MemberPicker
from cliqa.inputs.parquet_images import TableImages
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Issue, Source, State
from cliqa.text import display


def reaches_beyond(given: str) -> bool:
    """Whether an input is more than a folder or an image file: what exists under that very name is taken for what it is."""
    if given == "-":
        return True
    if os.path.lexists(given):
        return is_shard(given) and not os.path.isdir(given)
    return is_remote(given) or has_braces(given) or is_glob(given) or split_member_path(given) is not None


@dataclass
class ShardListing:
    """Iterates over sources as `cliqa.inputs.folders.Listing` does.

    Attributes:
        input: a shard, a remote address, a pattern that stands for many, or "-" for paths of any kind on `stream`.
        recursive, suffixes, null, stream: as of `Listing`, for folders and streams; `suffixes` also for members of tars.
        image_column, key_column: as of `TableImages`.
        left_out: files and members passed over so far because of their suffix.
    """

    input: str
    recursive: bool = False
    suffixes: Sequence[str] = IMAGE_SUFFIXES
    null: bool = False
    stream: IO[bytes] | None = None
    image_column: str = ""
    key_column: str = ""
    left_out: int = field(default=0, init=False)
    _inside: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self._picker = MemberPicker(self.suffixes)
        self._plain = Listing(self.input, self.recursive, self.suffixes, self.null, self.stream)

    def check(self) -> None:
        """Raise UsageError or RunError now for an input that stands for nothing."""
        if self.input == "-" or not reaches_beyond(self.input):
            self._plain.check()
            return
        first = next(self._places(), None)
        if first is None:
            raise RunError(f"there is no file {display(self.input)} stands for")
        if first[0] == self.input and not is_remote_folder_or_member(self.input) and state_of(self.input) is None:
            raise RunError(self._why_not())

    def _why_not(self) -> str:
        """Why an input can't be read: to be refused by a store is another thing than not to exist."""
        if is_remote(self.input):
            try:
                with open_location(self.input):
                    pass
            except ImageError as error:
                if str(error) != "no such file":
                    return f"the input {display(self.input)} can't be had: {error}"
        return f"there is no input {display(self.input)}"

    def count(self, seconds: float = 1.0) -> int | None:
        """None: only reading the shards could tell."""
        return None

    def ready(self) -> bool:
        """Whether the next source can be had without waiting for standard input."""
        return self._inside or self._plain.ready()

    def __iter__(self) -> Iterator[Source | Issue]:
        for unit in self.units():
            if isinstance(unit, str):
                yield from self._ahead(self.read(unit))
            else:
                yield unit

    def units(self) -> Iterator[str | Source | Issue]:
        """What the input stands for: shards, by path and unread, and whatever else there is."""
        if self.input != "-":
            for place, state in self._places():
                yield from self._at(place, state)
            return
        for found in self._plain:
            yield found if isinstance(found, Issue) else self._named(found)
        self.left_out += self._plain.left_out

    def read(self, shard: str) -> Iterator[Source | Issue]:
        """The images of one shard."""
        images = open_shard(shard, self.suffixes, self.image_column, self.key_column)
        yield from images
        self.left_out += images.left_out

    def _places(self) -> Iterator[tuple[str, State | None]]:
        if os.path.lexists(self.input):
            yield self.input, None
            return
        seen: set[str] = set()
        for name in expand_braces(self.input):
            beyond = is_glob(name) and not os.path.lexists(name)
            for place, state in matches(name) if beyond else [(name, None)]:
                if place not in seen:
                    seen.add(place)
                    yield place, state

    def _at(self, place: str, state: State | None) -> Iterator[str | Source | Issue]:
        if is_remote(place) and not is_shard(place) and is_remote_folder(place):
            yield from self._remote_folder(place)
        elif not is_remote(place) and os.path.isdir(place):
            folder = Listing(place, self.recursive, self.suffixes)
            yield from folder
            self.left_out += folder.left_out
        elif is_glob(self.input) and not is_shard(place) and not self._wanted(place):
            self.left_out += 1
        else:
            yield self._named(Source(place), state)

    def _named(self, source: Source, state: State | None = None) -> str | Source | Issue:
        """What a single path stands for: a shard, a member of one, a remote file, or a plain file."""
        path = source.path
        if is_shard(path) and not os.path.isdir(path):
            return path
        if (picked := self._picker.pick(path)) is not None:
            return picked
        if is_remote(path) and not os.path.lexists(path):
            return _remote(path, state or state_of(path))
        return source

    def _ahead(self, sources: Iterator[Source | Issue]) -> Iterator[Source | Issue]:
        """The same sources; `ready` knows meanwhile whether another one is at hand."""
        present = next(sources, None)
        for following in sources:
            self._inside = True
            assert present is not None
            yield present
            present = following
        self._inside = False
        if present is not None:
            yield present

    def _remote_folder(self, folder: str) -> Iterator[Source | Issue]:
        root = folder.rstrip("/")
        for address, state in remote_files(folder, self.recursive):
            if self._wanted(address):
                below = posixpath.dirname(address[len(root) :].lstrip("/")) if address.startswith(root) else ""
                yield _remote(address, state, below)
            else:
                self.left_out += 1

    def _wanted(self, name: str) -> bool:
        return ANY_SUFFIX in self.suffixes or suffix_of(name) in self.suffixes


def open_shard(shard: str, suffixes: Sequence[str], image_column: str, key_column: str) -> TableImages | TarImages:
    """The images of a shard, by the kind that its name tells."""
    if shard.lower().endswith(TABLE_SUFFIXES):
        return TableImages(shard, image_column, key_column)
    return TarImages(shard, suffixes)


def is_remote_folder_or_member(given: str) -> bool:
    """Whether an input is there without being a file of its own."""
    return split_member_path(given) is not None or (is_remote(given) and is_remote_folder(given))


def _remote(address: str, state: State | None, folder: str = "") -> Source | Issue:
    if state is None:
        return Issue(Source(address, folder), "error", "no such file")
    return Source(address, folder, Remote(address, state.size, state.mtime_ns))

"""Inputs -> the files to score: folders, files, shards, patterns, remote addresses, paths on standard input."""

from __future__ import annotations

import os
import posixpath
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO

from cliqa.errors import ImageError, RunError, UsageError
from cliqa.inputs import Pictures
from cliqa.inputs.braces import expand_braces, has_braces
from cliqa.inputs.contents import Remote
from cliqa.inputs.folders import IMAGE_SUFFIXES, JPEG_SUFFIXES, Folder, Reached, StreamedPaths, is_wanted
from cliqa.inputs.locations import is_glob, is_remote, is_remote_folder, matches, open_location, remote_files, state_of
from cliqa.inputs.member_names import TABLE_SUFFIXES, is_shard, split_member_path
from cliqa.inputs.members import pick
from cliqa.inputs.parquet_images import TableImages
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Issue, Source, State
from cliqa.text import counted, display, reason

_OF_RAW = "--with-companions takes them along with their pictures, --exts .dng .nef ... scores their previews"

_NAMED = 3  # folders in a message; chosen by hand
_LOOK_SECONDS = 0.5  # for counting what lies deeper; chosen by hand: a run's end is not held up


def reaches_beyond(given: str) -> bool:
    """Whether an input is more than a folder or an image file: what exists under that very name is taken for what it is."""
    if given == "-":
        return True
    if os.path.lexists(given):
        return is_shard(given) and not os.path.isdir(given)
    return is_remote(given) or has_braces(given) or is_glob(given) or split_member_path(given) is not None


def open_shard(path: str, suffixes: Sequence[str], image_column: str, key_column: str) -> Pictures:
    """The images of a shard, by the kind that its name tells."""
    if path.lower().endswith(TABLE_SUFFIXES):
        return TableImages(path, image_column, key_column)
    return TarImages(path, suffixes)


class Listing:
    """Iterates over `Source`s, with an `Issue` for what can't be read. A file that is reached twice is given once.

    Args:
        inputs: folders, files, shards, remote addresses, patterns that stand for many, or "-" for paths of any kind on `stream`.
        recursive: whether a folder's sub-folders are listed too.
        suffixes: which files of folders and members of tars are images, lower case with the dot; ("*",) for all.
        null: paths on `stream` end with a zero byte instead of a line feed.
        stream: standard input.
        image_column, key_column: as of `TableImages`.

    Attributes:
        left_out: files, folders and members passed over so far because of their names.
        raw: how many of those are cameras' raw files in folders.
        unlisted: the suffixes of images in folders that were left out because they are none of `suffixes`, and how many each has.
    """

    def __init__(
        self,
        *inputs: str,
        recursive: bool = False,
        suffixes: Sequence[str] = IMAGE_SUFFIXES,
        null: bool = False,
        stream: IO[bytes] | None = None,
        image_column: str = "",
        key_column: str = "",
    ) -> None:
        self.inputs = inputs
        self.recursive = recursive
        self.suffixes = suffixes
        self.left_out = self.raw = 0
        self.unlisted: Counter[str] = Counter()
        self._columns = (image_column, key_column)
        self._streamed = StreamedPaths(stream, recursive, null) if stream is not None else None
        self._reached = Reached(suffixes)
        self._inside = False
        self._given = False  # whether an input other than standard input held anything
        self._deeper: list[str] = []  # input folders with sub-folders that were not listed

    def check(self) -> None:
        """Raise UsageError or RunError now for an input that can't be listed at all, or stands for nothing."""
        for given in self.inputs:
            if given == "-":
                self._paths()
            elif reaches_beyond(given):
                first = next(_places(given), None)
                if first is None:
                    raise RunError(f"there is no file {display(given)} stands for")
                if first[0] == given and not _is_remote_folder_or_member(given) and state_of(given) is None:
                    raise RunError(_why_not(given))
            else:
                _check_local(given)

    def __iter__(self) -> Iterator[Source | Issue]:
        for unit in self.units():
            if isinstance(unit, (Source, Issue)):
                yield unit
            else:
                yield from self._ahead(self._counted(unit))

    def units(self) -> Iterator[Pictures | Source | Issue]:
        """What the inputs stand for: shards, unread, and the files of whatever else there is."""
        self._reached = Reached(self.suffixes)
        for given in self.inputs:
            if given == "-":
                for found in self._counted(self._paths()):
                    yield from self._once(found if isinstance(found, Issue) else self._named(found))
                continue
            for place, state in _places(given):
                for unit in self._at(given, place, state):
                    self._given = True
                    yield unit

    def count(self, seconds: float = 1.0) -> int | None:
        """How many files there are; None where telling would take longer than `seconds`, or only reading could tell."""
        if any(reaches_beyond(given) for given in self.inputs):
            return None
        end = time.monotonic() + seconds
        total = 0
        for _ in Listing(*self.inputs, recursive=self.recursive, suffixes=self.suffixes):
            total += 1
            if time.monotonic() > end:
                return None
        return total

    def ready(self) -> bool:
        """Whether the next source can be had without waiting for standard input."""
        return self._inside or "-" not in self.inputs or self._streamed is None or self._streamed.ready()

    def summary(self) -> list[str]:
        """What is to be said at the end of files that were not given."""
        again, raw, unlisted = self._reached.again, self.raw, self.unlisted.total()
        others = self.left_out - raw - unlisted
        folders = [given for given in self.inputs if given != "-" and os.path.isdir(given)]
        nothing = folders and not self._given and not unlisted
        parts = [f"no image files in {display(', '.join(folders[:_NAMED]))}"] if nothing else []
        below = self._below()
        parts += [f"{below}{' more' if self._given else ''} in sub-folders: add -r"] if below else []
        parts += [self._of_unlisted(unlisted)] if unlisted else []
        parts += [f"{counted(raw, 'RAW file')} left out: {_OF_RAW}"] if raw else []
        entries = "entry that is no image file" if others == 1 else "entries that are no image files"
        parts += [f"{others} {entries} by name left out"] if others else []
        return [*parts, f"{again} reached again by another path and taken once"] if again else parts

    def _below(self) -> str:
        """How many images there are in the sub-folders that were not listed, as far as a short look tells; "" for none."""
        end, count = time.monotonic() + _LOOK_SECONDS, 0
        for given in self._deeper:
            for inside, _, names in os.walk(given):
                count += sum(is_wanted(name, self.suffixes) for name in names) if inside != given else 0
                if time.monotonic() > end:
                    return f"at least {count}" if count else "maybe some"
        return str(count or "")

    def _of_unlisted(self, count: int) -> str:
        """What `suffixes` left out, by suffix, and how to have it."""
        kinds = ", ".join(f"{number} {suffix}" for suffix, number in self.unlisted.most_common())
        why = "not JPEG by name" if set(self.suffixes) <= set(JPEG_SUFFIXES) else "of other suffixes"
        wanted = " ".join([*self.suffixes, *self.unlisted])
        return f"{counted(count)} left out, {why}: {kinds}; --exts {wanted} takes them too"

    def _paths(self) -> StreamedPaths:
        if self._streamed is None:
            raise UsageError("there is no standard input to read paths from")
        return self._streamed

    def _counted(self, pictures: Pictures) -> Iterator[Source | Issue]:
        """The same pictures; what they leave out is counted here too."""
        before = pictures.left_out
        yield from pictures
        self.left_out += pictures.left_out - before

    def _at(self, given: str, place: str, state: State | None) -> Iterator[Pictures | Source | Issue]:
        if is_remote(place) and not is_shard(place) and is_remote_folder(place):
            yield from self._remote_folder(place)
        elif not is_remote(place) and os.path.isdir(place):
            folder = Folder(place, self.recursive, self.suffixes, self._reached)
            yield from self._counted(folder)
            self.raw += folder.raw
            self.unlisted += folder.unlisted
            if folder.deeper:
                self._deeper.append(place)
        elif place != given and is_glob(given) and not is_shard(place) and not is_wanted(place, self.suffixes):
            self.left_out += 1
        else:
            yield from self._once(self._named(Source(place), state))

    def _named(self, source: Source, state: State | None = None) -> Pictures | Source | Issue:
        """What a single path stands for: a shard, a member of one, a remote file, or a plain file."""
        path = source.path
        if is_shard(path) and not os.path.isdir(path):
            return open_shard(path, self.suffixes, *self._columns)
        if (picked := pick(path, self.suffixes)) is not None:
            return picked
        if is_remote(path) and not os.path.lexists(path):
            return _remote(path, state or state_of(path))
        return source

    def _once(self, unit: Pictures | Source | Issue) -> Iterator[Pictures | Source | Issue]:
        if isinstance(unit, Issue) or (self._reached.inside if is_remote(unit.path) else self._reached.file)(unit.path):
            yield unit

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
            if is_wanted(address, self.suffixes):
                below = posixpath.dirname(address[len(root) :].lstrip("/")) if address.startswith(root) else ""
                yield _remote(address, state, below)
            else:
                self.left_out += 1


def _places(given: str) -> Iterator[tuple[str, State | None]]:
    """The names that an input stands for, each once; with their states where a store tells them."""
    if os.path.lexists(given):
        yield given, None
        return
    seen: set[str] = set()
    for name in expand_braces(given):
        beyond = is_glob(name) and not os.path.lexists(name)
        for place, state in matches(name) if beyond else [(name, None)]:
            if place not in seen:
                seen.add(place)
                yield place, state


def _check_local(given: str) -> None:
    if not os.path.lexists(given):
        raise RunError(f"there is no input {display(given)}" if given else "the input has an empty name")
    try:
        os.stat(given)
    except FileNotFoundError:
        raise RunError(f"the input {display(given)} is a link to nothing") from None
    except (OSError, ValueError) as error:
        raise RunError(f"the input {display(given)} can't be read: {reason(error)}") from error
    if os.path.isdir(given):
        try:
            os.scandir(given).close()
        except OSError as error:
            raise RunError(f"the input folder {display(given)} can't be read: {reason(error)}") from error


def _why_not(given: str) -> str:
    """Why an input can't be read: to be refused by a store is another thing than not to exist."""
    if is_remote(given):
        try:
            with open_location(given):
                pass
        except ImageError as error:
            if str(error) != "no such file":
                return f"the input {display(given)} can't be had: {error}"
    return f"there is no input {display(given)}"


def _is_remote_folder_or_member(given: str) -> bool:
    """Whether an input is there without being a file of its own."""
    return split_member_path(given) is not None or (is_remote(given) and is_remote_folder(given))


def _remote(address: str, state: State | None, folder: str = "") -> Source | Issue:
    if state is None:
        return Issue(Source(address, folder), "error", "no such file")
    return Source(address, folder, Remote(address, state.size, state.mtime_ns))

"""A tar -> its images as sources, one for each member that is an image by name; whatever is wrong with it as issues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cliqa.errors import ImageError, ImageIssue, ImageSkipped
from cliqa.inputs.contents import MAX_BYTES, Held, Sample, Slice
from cliqa.inputs.folders import ANY_SUFFIX
from cliqa.inputs.locations import Opened, open_location
from cliqa.inputs.member_names import harmless, member_path, safe_name, sample_key, suffix_of
from cliqa.inputs.tar import ForwardReader, Member, is_packed, open_tar, read_members
from cliqa.records import Issue, Source

MAX_MEMBERS = 2_000_000  # whose names are remembered, to find a second one; WebDataset's shards hold thousands
MAX_IMAGES = 256  # of one sample
_WORDS = {"link": "a link", "device": "a device or pipe", "sparse": "a sparse file", "unknown": "of an unknown kind"}


@dataclass
class TarImages:
    """Iterates over the images of a tar, in order.

    Attributes:
        shard: path or address of the tar.
        suffixes: what an image's name ends with; ("*",) for every member.
        names_only: leave the bytes of a packed or remote tar where they are; they could be read in passing alone.
        left_out: members passed over so far that belong to no sample with an image.
    """

    shard: str
    suffixes: Sequence[str]
    names_only: bool = False
    left_out: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Source | Issue]:
        gathering: _Gathering | None = None
        try:
            with open_location(self.shard) as opened:
                gathering = _Gathering(self, opened, open_tar(opened, is_packed(self.shard)))
                for member in read_members(gathering.reader):
                    yield from gathering.add(member)
                yield from gathering.finish()
        except ImageIssue as error:
            if gathering is not None:
                yield from gathering.finish()
            yield Issue.of(Source(self.shard), error)

    def wants(self, name: str) -> bool:
        """Whether a member is an image by name."""
        return ANY_SUFFIX in self.suffixes or suffix_of(name) in self.suffixes


class _Gathering:
    """The members of the present sample, until the next key shows that it is complete."""

    def __init__(self, images: TarImages, opened: Opened, reader: ForwardReader) -> None:
        self.reader = reader
        self._images = images
        self._opened = opened
        self._in_place = opened.path is not None and reader.length is not None
        self._seen: set[str] = set()
        self._key: str | None = None
        self._start = self._members = self._named = self._bytes = 0
        self._found: list[Source | Issue] = []

    def add(self, member: Member) -> Iterator[Source | Issue]:
        """Take one member in; yields the sample before it where a new one begins."""
        if member.kind == "folder":
            return
        try:
            name = safe_name(member.name)
            bad = f"is {_WORDS[member.kind]}, which is not followed" if member.kind in _WORDS else ""
        except ImageError as error:
            name, bad = harmless(member.name), str(error)
        key = sample_key(name)
        if key != self._key:
            yield from self.finish()
            self._key, self._start = key, member.offset
        elif len(self._found) > 2 * MAX_IMAGES:
            yield from self._emit()
        path = self._path(name)
        if path != member_path(self._images.shard, name):
            bad = bad or "a second member of that name"
        self._members += 1
        is_image = self._images.wants(name)
        self._named += is_image
        if bad:
            self._found.append(Issue(Source(path), "error", bad))
        elif is_image:
            self._found.append(self._image(path, member))

    def finish(self) -> Iterator[Source | Issue]:
        """The present sample, each of its images knowing how many there are."""
        yield from self._emit()
        if not self._named:
            self._images.left_out += self._members
        self._members = self._named = self._bytes = 0
        self._key = None

    def _emit(self) -> Iterator[Source | Issue]:
        for found in self._found:
            if isinstance(found, Source) and isinstance(found.content, (Slice, Held)):
                sample = Sample(self._images.shard, self._key or "", self._start, self._named)
                found = replace(found, content=replace(found.content, sample=sample))
            yield found
        self._found = []

    def _path(self, name: str) -> str:
        """The path of a member, unlike all before it: results hold a path once."""
        if len(self._seen) >= MAX_MEMBERS:
            raise ImageError(f"has more than {MAX_MEMBERS:,} members: those that follow are not read")
        while name in self._seen:
            name += "#2"
        self._seen.add(name)
        return member_path(self._images.shard, name)

    def _image(self, path: str, member: Member) -> Source | Issue:
        source = Source(path)
        try:
            if member.kind == "cut":
                raise ImageError("its tar is cut short within it")
            if self._named > MAX_IMAGES:
                raise ImageSkipped(f"its sample has more than {MAX_IMAGES} images")
            if member.size > MAX_BYTES:
                raise ImageSkipped(f"its {member.size} bytes are more than the limit of {MAX_BYTES}")
            mtime_ns = self._opened.mtime_ns
            if self._in_place:
                return replace(source, content=Slice(self._images.shard, member.offset, member.size, mtime_ns))
            if self._images.names_only:
                return replace(source, content=Held(b"", member.size, mtime_ns))
            self._bytes += member.size
            if self._bytes > MAX_BYTES:
                raise ImageSkipped(f"the images of its sample have more than {MAX_BYTES} bytes")
            data = self.reader.read(member.size)
            if len(data) < member.size:
                raise ImageError("its tar is cut short within it")
            return replace(source, content=Held(data, member.size, mtime_ns))
        except ImageIssue as error:
            return Issue.of(source, error, {"size": member.size})

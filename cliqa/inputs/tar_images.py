"""A tar -> its images as sources, one for each member that is an image by name; whatever is wrong with it as issues.

Members that share a key are a sample, WebDataset's unit. In a local tar they may lie in any order: all headers are read before the
first image is given. A remote tar is a stream, which shows too late that a sample's members were scattered: an issue says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cliqa.errors import ImageError, ImageIssue, ImageSkipped
from cliqa.inputs.contents import MAX_BYTES, Held, Sample, Slice
from cliqa.inputs.folders import ANY_SUFFIX
from cliqa.inputs.locations import Opened, is_remote, open_location
from cliqa.inputs.member_names import harmless, member_path, safe_name, sample_key, suffix_of
from cliqa.inputs.tar import Member, is_packed, open_tar, read_members
from cliqa.records import Issue, Source
from cliqa.text import counted, display

MAX_MEMBERS = 2_000_000  # whose names are remembered, to find a second one; by hand: WebDataset's shards hold thousands
MAX_IMAGES = 256  # of one sample; chosen by hand
_WORDS = {"link": "a link", "device": "a device or pipe", "sparse": "a sparse file", "unknown": "of an unknown kind"}


@dataclass
class TarImages:
    """Iterates over the images of a tar: of a plain local one sample by sample, else in the order of the members.

    Attributes:
        path: path or address of the tar.
        suffixes: what an image's name ends with; ("*",) for every member.
        names_only: leave the bytes of a packed or remote tar where they are; they could be read in passing alone.
        left_out: members passed over so far that belong to no sample with an image.
    """

    path: str
    suffixes: Sequence[str]
    names_only: bool = False
    left_out: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Source | Issue]:
        gathering: _Gathering | None = None
        damage: ImageIssue | None = None
        try:
            images = self._images_of_samples() if is_packed(self.path) and not is_remote(self.path) else None
            with open_location(self.path) as opened:
                gathering = _Gathering(self, opened, images)
                for member in read_members(gathering.reader):
                    yield from gathering.add(member)
        except ImageIssue as error:
            damage = error
        if gathering is not None:
            yield from gathering.finish()
            if gathering.scattered and damage is None:
                damage = gathering.scattering()
        if damage is not None:
            yield Issue.of(Source(self.path), damage)

    def wants(self, name: str) -> bool:
        """Whether a member is an image by name."""
        return ANY_SUFFIX in self.suffixes or suffix_of(name) in self.suffixes

    def _images_of_samples(self) -> Counter[str]:
        """How many images each sample has, read beforehand: the samples of a packed tar can't be gone back to."""
        images: Counter[str] = Counter()
        try:
            with open_location(self.path) as opened:
                for member in read_members(open_tar(opened, packed=True)):
                    name = harmless_name(member)[0]
                    if member.kind != "folder" and self.wants(name) and len(images) < MAX_MEMBERS:
                        images[sample_key(name)] += 1
        except ImageIssue:  # reading the images will say so
            pass
        return images


def harmless_name(member: Member) -> tuple[str, str]:
    """A member's name as it can be shown, and what is wrong with the member, "" where nothing is."""
    try:
        bad = f"is {_WORDS[member.kind]}, which is not followed" if member.kind in _WORDS else ""
        return safe_name(member.name), bad
    except ImageError as error:
        return harmless(member.name), str(error)


@dataclass
class _Found:
    """What was found of a sample so far: how many members, how many of them images by name, and what becomes of these."""

    members: int = 0
    named: int = 0
    bytes: int = 0
    images: list[Source | Issue] = field(default_factory=list)


class _Gathering:
    """The samples of a tar until they can be given: at its end where it lies here unpacked, else at each change of the key.

    Attributes:
        scattered: keys of a stream that came back after another one.
    """

    def __init__(self, images: TarImages, opened: Opened, of_samples: Counter[str] | None) -> None:
        self.reader = open_tar(opened, is_packed(images.path))
        self.scattered: dict[str, None] = {}
        self._images = images
        self._mtime_ns = opened.mtime_ns
        self._in_place = opened.path is not None and self.reader.length is not None
        self._of_samples = of_samples
        self._seen: set[str] = set()
        self._closed: set[str] = set()
        self._samples: dict[str, _Found] = {}

    def add(self, member: Member) -> Iterator[Source | Issue]:
        """Take one member in; yields the sample before it where a stream begins a new one."""
        if member.kind == "folder":
            return
        name, bad = harmless_name(member)
        key = sample_key(name)
        if key not in self._samples:
            if not self._in_place:
                yield from self.finish()
            self._samples[key] = _Found()
            if key in self._closed:
                self.scattered[key] = None
        sample = self._samples[key]
        if not self._in_place and len(sample.images) > 2 * MAX_IMAGES:
            yield from self._given(key, sample)
        path = self._path(name)
        if path != member_path(self._images.path, name):
            bad = bad or "a second member of that name"
        sample.members += 1
        is_image = self._images.wants(name)
        sample.named += is_image
        if bad:
            sample.images.append(Issue(Source(path), "error", bad))
        elif is_image:
            sample.images.append(self._image(path, member, sample))

    def finish(self) -> Iterator[Source | Issue]:
        """The samples that were gathered, each of their images knowing how many there are."""
        for key, sample in self._samples.items():
            yield from self._given(key, sample)
            if not (sample.named if self._of_samples is None else self._of_samples[key]):
                self._images.left_out += sample.members
            if not self._in_place and self._of_samples is None:
                self._closed.add(key)
        self._samples.clear()

    def scattering(self) -> ImageError:
        """What is to be said of a stream whose samples do not lie together."""
        first = display(next(iter(self.scattered)))
        return ImageError(
            f"its members are not grouped by key: {counted(len(self.scattered), 'sample')} (such as {first}) can't be put "
            "together from a stream; fetch the tar, or sort its members"
        )

    def _given(self, key: str, sample: _Found) -> Iterator[Source | Issue]:
        whole = Sample(self._images.path, key, self._of_samples[key] if self._of_samples is not None else sample.named)
        for found in sample.images:
            if isinstance(found, Source) and isinstance(found.content, (Slice, Held)):
                found = replace(found, content=replace(found.content, sample=whole))
            yield found
        sample.images = []

    def _path(self, name: str) -> str:
        """The path of a member, unlike all before it: results hold a path once."""
        if len(self._seen) >= MAX_MEMBERS:
            raise ImageError(f"has more than {MAX_MEMBERS:,} members: those that follow are not read")
        while name in self._seen:
            name += "#2"
        self._seen.add(name)
        return member_path(self._images.path, name)

    def _image(self, path: str, member: Member, sample: _Found) -> Source | Issue:
        try:
            if member.kind == "cut":
                raise ImageError("its tar is cut short within it")
            if sample.named > MAX_IMAGES:
                raise ImageSkipped(f"its sample has more than {MAX_IMAGES} images")
            if member.size > MAX_BYTES:
                raise ImageSkipped(f"its {member.size} bytes are more than the limit of {MAX_BYTES}")
            if self._in_place:
                return Source(path, content=Slice(self._images.path, member.offset, member.size, self._mtime_ns))
            data = b"" if self._images.names_only else self._read(member, sample)
            return Source(path, content=Held(data, member.size, self._mtime_ns))
        except ImageIssue as error:
            return Issue.of(Source(path), error, {"size": member.size})

    def _read(self, member: Member, sample: _Found) -> bytes:
        sample.bytes += member.size
        if sample.bytes > MAX_BYTES:
            raise ImageSkipped(f"the images of its sample have more than {MAX_BYTES} bytes")
        data = self.reader.read(member.size)
        if len(data) < member.size:
            raise ImageError("its tar is cut short within it")
        return data

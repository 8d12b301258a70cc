"""A Parquet file with images -> its images as sources, one or more a row. Needs the extra `[parquet]`.

Images are bytes, lists of small numbers, or base64 text; beside a path in a struct or not, one in a row or a list of them. What names
an image is only a name: absolute, Windows and repeated paths become harmless ones that are told apart.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from cliqa.errors import ImageError, ImageIssue, ImageSkipped, UsageError
from cliqa.inputs.contents import MAX_BYTES, Held
from cliqa.inputs.locations import open_location
from cliqa.inputs.member_names import member_path, row_name
from cliqa.records import Issue, Source
from cliqa.text import describe

IMAGE_COLUMNS = (
    "image", "jpg", "jpeg", "png", "webp", "img", "image_bytes", "bytes", "content", "data", "images", "image_base64", "base64",
)  # fmt: skip
KEY_COLUMNS = (
    "__key__", "key", "id", "uid", "image_id", "filename", "file_name", "path", "image_path",
    "image.path", "images.path",
)  # fmt: skip
_PROSE = ("content", "data")  # as text, these are anything
_ROWS = 8  # decoded at a time; chosen by hand: bounds memory, since a row holds a whole image or several
# Of JPEG, PNG, WebP, GIF; no image begins with these bytes
_BASE64_STARTS = (b"/9j/", b"iVBORw", b"UklGR", b"R0lGOD", b"data:")


@dataclass
class TableImages:
    """Iterates over the images of a Parquet file, in order of rows.

    Attributes:
        path: path or address of the file.
        image_column: the column with the images, `image.bytes` for a field within one; "" for the one that is named or typed so.
        key_column: the column that names an image; "" for the one that is named so, "row" for the row's number.
    """

    path: str
    image_column: str = ""
    key_column: str = ""
    left_out: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Source | Issue]:
        try:
            with open_location(self.path) as opened:
                yield from self._images(opened.stream, opened.mtime_ns)
        except ImageIssue as error:
            yield Issue.of(Source(self.path), error)

    def _images(self, stream: IO[bytes], mtime_ns: int | None) -> Iterator[Source | Issue]:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise UsageError("Parquet needs the extra: pip install 'cliqa[parquet]'") from None
        seen: dict[str, int] = {}
        try:
            table = pyarrow.parquet.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
            image, key = find_columns(table.schema_arrow, self.image_column, self.key_column)
            row = -1
            stored = {table.schema.column(index).path for index in range(len(table.schema))}
            wanted = [name if name in stored else name.split(".", 1)[0] for name in (image, key) if name is not None]
            for batch in table.iter_batches(_ROWS, columns=wanted):
                for index in range(batch.num_rows):
                    row += 1
                    images = _values(batch, image, index)
                    if row == 0 and not self.image_column and isinstance(images[0], str):
                        _check_text(image, images[0])
                    keys = [None] if key is None else _values(batch, key, index)
                    for name, data in zip(_names(keys, len(images), row), images, strict=True):
                        yield self._image(_unlike(name, seen), data, mtime_ns)
        except (pyarrow.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
            raise ImageError(f"is no readable Parquet file: {describe(error)}") from error

    def _image(self, name: str, given: Any, mtime_ns: int | None) -> Source | Issue:
        path = member_path(self.path, name)
        try:
            data = _decoded(given)
            if len(data) > MAX_BYTES:
                raise ImageSkipped(f"its {len(data)} bytes are more than the limit of {MAX_BYTES}")
        except ImageIssue as error:
            return Issue.of(Source(path), error)
        return Source(path, content=Held(data, len(data), mtime_ns))


def find_columns(schema: Any, image_column: str, key_column: str) -> tuple[str, str | None]:
    """The columns of images and keys, dotted where within a struct; None for the row's number.

    Raises:
        ImageError: what was asked for isn't there, or nothing was asked for and no column is known to hold images.
    """
    leaves = dict(_leaves(schema))
    binary = [name for name, kind in leaves.items() if "binary" in kind]
    texts = [name for name, kind in leaves.items() if "string" in kind]
    if image_column:
        wanted = (image_column, f"{image_column}.bytes")
        image = next((name for name in wanted if name in binary or name in texts), "")
    else:
        named = [name for known in IMAGE_COLUMNS for name in (known, f"{known}.bytes")]
        known = [name for name in named if name in binary] or (binary if len(binary) == 1 else [])
        if not binary:
            known = [name for name in named if name in texts and name not in _PROSE]
        image = known[0] if known else ""
    if not image:
        asked = f"no column {image_column} of bytes" if image_column else "no column that is known to hold image bytes"
        raise ImageError(f"has {asked}; --image-column can be {', '.join(binary) or 'none'}")
    if key_column == "row":
        return image, None
    keys = [name for name, kind in leaves.items() if name in texts or kind.startswith(("int", "uint"))]
    if key_column and key_column not in keys:
        raise ImageError(f"has no column {key_column} of text or whole numbers; --key-column can be {', '.join(keys)}")
    beside = f"{image.rpartition('.')[0]}.path"
    return image, key_column or next((name for name in (*KEY_COLUMNS, beside) if name in keys and name != image), None)


def _leaves(schema: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, type) of each column that is no struct; of lists the type of their items, of small numbers `binary`."""
    for index in range(schema.num_fields if before else len(schema)):
        column = schema.field(index)
        name, kind = before + column.name, column.type
        if _is_list(kind) and str(kind.value_type) in ("uint8", "int8"):
            kind = "binary"
        while _is_list(kind) and "int" not in str(kind.value_type):
            kind = kind.value_type
        if str(kind).startswith("struct"):
            yield from _leaves(kind, f"{name}.")
        else:
            yield name, str(kind)


def _is_list(kind: Any) -> bool:
    return "list" in str(kind).split("<", 1)[0]


def _values(batch: Any, column: str, index: int) -> list[Any]:
    """The values of a row below a dotted name: one, or as many as there are in its list."""
    top, *parts = [column] if column in batch.schema.names else column.split(".")
    found = _items(batch.column(top)[index].as_py())
    for part in parts:
        found = [item for value in found for item in _items(value.get(part) if isinstance(value, dict) else None)]
    return found


def _items(value: Any) -> list[Any]:
    """A list's items, however nested; what is no list, and a list of numbers, is one item, as an empty list is."""
    if not isinstance(value, list) or not value or isinstance(value[0], int):
        return [None if value == [] else value]
    return [item for inner in value for item in _items(inner)]


def _names(keys: list[Any], images: int, row: int) -> list[str]:
    """The names of a row's images: those beside them, else the row's own with the image's number where there are several."""
    if len(keys) == images:
        return [row_name(_text(key), f"{row}/{number}" if images > 1 else str(row)) for number, key in enumerate(keys)]
    name = row_name(_text(keys[0]), str(row))
    return [f"{name}/{number}" for number in range(images)]


def _text(key: Any) -> str:
    return "" if key is None else str(key)


def _unlike(name: str, seen: dict[str, int]) -> str:
    """The name, unlike all before it: `image.jpg`, `image.jpg#2`, `image.jpg#3`, ... since results hold a path once."""
    unlike, number = name, seen.get(name, 0)
    while unlike in seen:
        number += 1
        unlike = f"{name}#{number}"
    seen[unlike] = 1
    if unlike != name:
        seen[name] = number
    return unlike


def _check_text(column: str, text: str) -> None:
    """A column that its name alone chose may hold paths. Raises ImageError for the whole file."""
    try:
        _decoded(text)
    except ImageError:
        raise ImageError(f"has no column that is known to hold image bytes; {column} is text, but not base64") from None


def _decoded(given: Any) -> bytes:
    """The bytes of an image, however a column holds them. Raises ImageError."""
    if isinstance(given, list) and all(isinstance(number, int) for number in given):
        return bytes(number & 255 for number in given)
    data = given.encode("utf-8", "replace") if isinstance(given, str) else given
    if not isinstance(data, bytes):
        raise ImageError("the row holds no image")
    if isinstance(given, bytes) and not data.startswith(_BASE64_STARTS):
        return data
    text = data.partition(b",")[2] if data.startswith(b"data:") else data
    try:
        text = b"".join(text.split()).translate(_URL_SAFE).rstrip(b"=")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ImageError("the row holds text that is no image in base64") from None


_URL_SAFE = bytes.maketrans(b"-_", b"+/")

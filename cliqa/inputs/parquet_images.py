"""A Parquet file with image bytes -> its images as sources, one a row. Needs the extra `[parquet]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from cliqa.errors import ImageError, ImageIssue, ImageSkipped, UsageError
from cliqa.inputs.contents import MAX_BYTES, Held
from cliqa.inputs.locations import open_location
from cliqa.inputs.member_names import harmless, member_path, safe_name
from cliqa.records import Issue, Source

IMAGE_COLUMNS = ("image", "jpg", "jpeg", "png", "webp", "img", "image_bytes", "bytes", "content", "data")
KEY_COLUMNS = (
    "__key__", "key", "id", "uid", "image_id", "filename", "file_name", "path", "image_path",
    "image.path",
)  # fmt: skip
_ROWS = 8  # decoded at a time


@dataclass
class TableImages:
    """Iterates over the images of a Parquet file, in order of rows.

    Attributes:
        path: path or address of the file.
        image_column: the column with the bytes, `image.bytes` for a field within one; "" for the one that is named or typed so.
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
        seen: set[str] = set()
        try:
            table = pyarrow.parquet.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
            image, key = find_columns(table.schema_arrow, self.image_column, self.key_column)
            wanted = [image] if key is None else [image, key]
            row = -1
            for batch in table.iter_batches(_ROWS, columns=wanted):
                for index in range(batch.num_rows):
                    row += 1
                    named = str(row) if key is None else _value(batch, key, index)
                    yield self._image(named, _value(batch, image, index), row, seen, mtime_ns)
        except (pyarrow.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
            raise ImageError(f"is no readable Parquet file: {' '.join(str(error).split())[:200]}") from error

    def _image(self, key: Any, data: Any, row: int, seen: set[str], mtime_ns: int | None) -> Source | Issue:
        problem: ImageIssue | None = None
        try:
            name = safe_name(str(row) if key is None else _as_text(key))
        except ImageError as error:
            name, problem = harmless(str(key)), error
        if name in seen:
            problem = problem or ImageError("a second row of that key (--key-column row takes the row's number)")
            while name in seen:
                name += "#2"
        seen.add(name)
        source = Source(member_path(self.path, name))
        if problem is None and not isinstance(data, bytes):
            problem = ImageError("the row holds no image")
        elif problem is None and len(data) > MAX_BYTES:
            problem = ImageSkipped(f"its {len(data)} bytes are more than the limit of {MAX_BYTES}")
        if problem is not None:
            return Issue.of(source, problem)
        return Source(source.path, content=Held(data, len(data), mtime_ns))


def find_columns(schema: Any, image_column: str, key_column: str) -> tuple[str, str | None]:
    """The columns of images and keys, dotted where within a struct; None for the row's number.

    Raises:
        ImageError: what was asked for isn't there, or nothing was asked for and no column is known to hold images.
    """
    leaves = dict(_leaves(schema))
    binary = [name for name, kind in leaves.items() if "binary" in kind]
    if image_column:
        image = next((name for name in (image_column, f"{image_column}.bytes") if name in binary), "")
    else:
        known = [name for known in IMAGE_COLUMNS for name in (known, f"{known}.bytes") if name in binary]
        image = known[0] if known else binary[0] if len(binary) == 1 else ""
    if not image:
        asked = f"no column {image_column} of bytes" if image_column else "no column that is known to hold image bytes"
        raise ImageError(f"has {asked}; --image-column can be {', '.join(binary) or 'none'}")
    if key_column == "row":
        return image, None
    texts = [name for name, kind in leaves.items() if "string" in kind or kind.startswith(("int", "uint"))]
    if key_column and key_column not in texts:
        raise ImageError(f"has no column {key_column} of text or whole numbers; --key-column can be {', '.join(texts)}")
    return image, key_column or next((name for name in KEY_COLUMNS if name in texts), None)


def _leaves(schema: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, type) of each column that is no struct."""
    for index in range(schema.num_fields if before else len(schema)):
        column = schema.field(index)
        name = before + column.name
        if str(column.type).startswith("struct"):
            yield from _leaves(column.type, f"{name}.")
        else:
            yield name, str(column.type)


def _value(batch: Any, column: str, index: int) -> Any:
    if column in batch.schema.names:
        return batch.column(column)[index].as_py()
    value: Any = batch.column(column.split(".", 1)[0])[index].as_py()
    for part in column.split(".")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _as_text(key: Any) -> str:
    return key if isinstance(key, str) else str(key)

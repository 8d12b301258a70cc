"""Parquet files with image bytes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from cliqa.errors import ImageError
from cliqa.inputs.parquet_images import _unlike, find_columns
from tests.shard_files import grey, scored

pyarrow = pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
parquet = pytest.importorskip("pyarrow.parquet")


def write(path: Path, columns: dict[str, list[Any]], **options: Any) -> str:
    parquet.write_table(pyarrow.table(columns), path, **options)
    return str(path)


@pytest.mark.parametrize("workers", [0, 1])
def test_rows_are_named_by_their_keys(workers: int, tmp_path: Path) -> None:
    images = [grey(value) for value in range(1, 31)]
    table = write(tmp_path / "t.parquet", {"id": list(range(100, 130)), "jpg": images}, row_group_size=7)
    assert scored(table, workers) == {f"{table}/{99 + value}": float(value) for value in range(1, 31)}


def test_fields_of_structs_as_data_sets_have_them(tmp_path: Path) -> None:
    images = [{"bytes": grey(5), "path": "x/one.png"}, {"bytes": None, "path": "two.png"}]
    table = write(tmp_path / "t.parquet", {"image": images, "label": [1, 2]})
    assert scored(table) == {f"{table}/x/one.png": 5.0, f"{table}/two.png": "the row holds no image"}


def test_columns_of_choice(tmp_path: Path) -> None:
    columns = {"jpg": [grey(1)], "thumb": [grey(2)], "key": ["k"], "name": ["n"]}
    table = write(tmp_path / "t.parquet", columns)
    assert scored(table) == {f"{table}/k": 1.0}
    assert scored(table, image_column="thumb", key_column="name") == {f"{table}/n": 2.0}
    assert scored(table, key_column="row") == {f"{table}/0": 1.0}
    assert "--image-column can be jpg, thumb" in str(scored(table, image_column="gone")[table])
    assert "--key-column can be key, name" in str(scored(table, key_column="gone")[table])


def test_columns_that_nothing_names(tmp_path: Path) -> None:
    only = pyarrow.schema([("blob", pyarrow.large_binary()), ("height", pyarrow.int32())])
    assert find_columns(only, "", "") == ("blob", None)
    with pytest.raises(ImageError, match="a, b"):
        find_columns(pyarrow.schema([("a", pyarrow.binary()), ("b", pyarrow.binary())]), "", "")
    with pytest.raises(ImageError, match="none"):
        find_columns(pyarrow.schema([("text", pyarrow.string())]), "", "")


def test_keys_are_only_names(tmp_path: Path) -> None:
    keys = [
        "a",
        "a",
        "../../etc/x",
        None,
        "/abs/b.png",
        "",
        "C:\\photos\\c.png",
        "\\\\host\\d",
        "z" * 5000,
        "a",
        "..",
        "a\0b",
        "a#2",
    ]
    table = write(tmp_path / "t.parquet", {"key": keys, "image": [grey(value) for value in range(1, 14)]})
    found = scored(table)
    assert list(found.values()) == [float(value) for value in range(1, 14)]
    names = [
        "a",
        "a#2",
        "%2e%2e/%2e%2e/etc/x",
        "3",
        "abs/b.png",
        "5",
        "C:/photos/c.png",
        "host/d",
        "8",
        "a#3",
        "%2e%2e",
        "a%00b",
    ]
    assert list(found) == [f"{table}/{name}" for name in [*names, "a#2#2"]]


def test_repeated_names_take_no_longer_the_more_there_are(tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    assert [_unlike("image.jpg", seen) for _ in range(100_000)][-1] == "image.jpg#100000"


def test_lists_of_images(tmp_path: Path) -> None:
    def image(value: int, name: str | None = None) -> dict[str, Any]:
        return {"bytes": grey(value), "path": name}

    rows = [
        [image(1, "a.png"), image(2, "b.png")],
        [image(3, "/c/a.png")],
        [],
        None,
        [image(6), {"bytes": None, "path": "e"}],
    ]
    table = write(tmp_path / "t.parquet", {"images": rows})
    none = "the row holds no image"
    expected = {"a.png": 1.0, "b.png": 2.0, "c/a.png": 3.0, "2": none, "3": none, "4/0": 6.0, "e": none}
    assert scored(table) == {f"{table}/{name}": value for name, value in expected.items()}
    bare = write(tmp_path / "b.parquet", {"id": ["p", "q"], "images": [[grey(1), grey(2)], [grey(3)]]})
    assert scored(bare) == {f"{bare}/{name}": value for name, value in {"p/0": 1.0, "p/1": 2.0, "q": 3.0}.items()}


def test_base64_and_lists_of_numbers(tmp_path: Path) -> None:
    text = [base64.b64encode(grey(value)).decode() for value in (1, 2, 3, 4)]
    text[1] = f"data:image/png;base64,{text[1]}"
    text[2] = "\n".join(text[2][at : at + 76] for at in range(0, len(text[2]), 76)).rstrip("=")
    text[3] = text[3].replace("+", "-").replace("/", "_")
    table = write(tmp_path / "t.parquet", {"image": [*text, "no base64!", None]})
    problems = ["the row holds text that is no image in base64", "the row holds no image"]
    assert list(scored(table).values()) == [1.0, 2.0, 3.0, 4.0, *problems]
    packed = write(tmp_path / "p.parquet", {"photo": [line.encode() for line in text[:2]], "path": ["x", "y"]})
    assert scored(packed) == {f"{packed}/x": 1.0, f"{packed}/y": 2.0}
    numbers = pyarrow.array([list(grey(9))], pyarrow.list_(pyarrow.uint8()))
    table = write(tmp_path / "n.parquet", {"img": numbers, "labels": [[1, 2]]})
    assert scored(table) == {f"{table}/0": 9.0}
    paths = write(tmp_path / "q.parquet", {"image": ["/data/a.jpg", "/data/b.jpg"]})
    assert "image is text, but not base64" in str(scored(paths)[paths])


def test_damaged_files_are_one_issue(tmp_path: Path) -> None:
    table = Path(write(tmp_path / "t.parquet", {"image": [grey(value) for value in range(40)]}, row_group_size=10))
    data = table.read_bytes()
    for number, broken in enumerate([b"", b"PAR1", data[:-10], data[: len(data) // 2], b"x" * 1000]):
        name = tmp_path / f"broken{number}.parquet"
        name.write_bytes(broken)
        assert list(scored(str(name))) == [str(name)]
    flipped = bytearray(data)
    flipped[60:90] = b"\xff" * 30
    table.write_bytes(flipped)
    found = scored(str(table))
    assert any(isinstance(message, str) for message in found.values())

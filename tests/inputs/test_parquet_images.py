"""Parquet files with image bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cliqa.errors import ImageError
from cliqa.inputs.parquet_images import find_columns
from tests.inputs.test_shard_images import scored
from tests.shard_files import grey

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


def test_bad_keys_and_rows_are_issues(tmp_path: Path) -> None:
    keys = ["a", "a", "../../etc/x", None, "/abs", ""]
    table = write(tmp_path / "t.parquet", {"key": keys, "image": [grey(3)] * 6})
    found = scored(table)
    assert found.pop(f"{table}/a") == 3.0 and found.pop(f"{table}/3") == 3.0
    assert "second row of that key" in str(found.pop(f"{table}/a#2"))
    assert len(found) == 3 and all(isinstance(message, str) for message in found.values())
    assert not any(".." in path for path in found)


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

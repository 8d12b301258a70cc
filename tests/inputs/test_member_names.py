"""Names of members: what may become a path, what becomes harmless, and which sample they belong to."""

from __future__ import annotations

import pytest

from cliqa.errors import ImageError
from cliqa.inputs.member_names import (
    MAX_NAME_BYTES,
    harmless,
    is_shard,
    member_path,
    row_name,
    safe_name,
    sample_key,
    split_member_path,
    suffix_of,
)


@pytest.mark.parametrize(("name", "safe"), [("a.jpg", "a.jpg"), ("./x//y/a.jpg", "x/y/a.jpg"), ("...jpg", "...jpg")])
def test_names_that_lead_nowhere_are_kept(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    "name", ["", "./", "/etc/passwd", "../a", "x/../a", "x\\a", "a\0", "C:a", "x" * (MAX_NAME_BYTES + 1)]
)
def test_names_that_could_lead_anywhere_are_refused(name: str) -> None:
    with pytest.raises(ImageError):
        safe_name(name)
    shown = harmless(name)
    assert shown and ".." not in shown and "\0" not in shown and ":" not in shown and not shown.startswith("/")


def test_keys_of_rows_are_only_names() -> None:
    assert row_name("a/b.jpg", "7") == "a/b.jpg"
    assert row_name("/etc/../passwd", "7") == "etc/%2e%2e/passwd"
    assert row_name("", "7") == row_name("x" * 5000, "7") == "7"


def test_paths_of_members_come_apart_again() -> None:
    for shard in ("s/000.tar", "s/000.tar.gz", "s/000.TGZ", "s/000.parquet"):
        assert is_shard(shard) and split_member_path(member_path(shard, "x/a.jpg")) == (shard, "x/a.jpg")
    assert split_member_path("s/000.zip/a.jpg") is None and split_member_path("s/000.tar") is None


def test_a_sample_is_the_name_up_to_the_first_dot_of_its_last_part() -> None:
    assert sample_key("v1.2/a.seg.png") == "v1.2/a" and suffix_of("v1.2/a.seg.PNG") == ".png"

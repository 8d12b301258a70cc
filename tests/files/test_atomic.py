"""Files put in place whole, over nothing that exists; only regular ones are opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cliqa.errors import ImageError, UsageError
from cliqa.files.atomic import copy_file, creating, open_regular, replacing


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with open_regular(tmp_path / "a") as stream:
        assert stream.read() == b"1"
    with pytest.raises(ImageError, match="is a folder"):
        open_regular(tmp_path)
    with pytest.raises(ImageError, match="not a regular file"):
        open_regular(os.devnull)


def test_a_new_file_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    target = str(tmp_path / "new" / "x")
    with creating(target) as part:
        Path(part).write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"), creating(target):
        raise AssertionError("never entered")
    with pytest.raises(UsageError), creating(target + "2") as part:
        Path(target + "2").write_bytes(b"theirs")
    assert Path(target + "2").read_bytes() == b"theirs" and sorted(os.listdir(tmp_path / "new")) == ["x", "x2"]


def test_a_replacement_that_fails_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(str(target)) as part:
        Path(part).write_bytes(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["x"]
    with replacing(str(target)) as part:
        Path(part).write_bytes(b"new")
    assert target.read_bytes() == b"new" and os.listdir(tmp_path) == ["x"]


def test_a_copy_never_takes_a_taken_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        copy_file(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == b"b" and sorted(os.listdir(tmp_path)) == ["a", "b"]

"""Output folders are refused, or made and found writable, before anything starts."""

from __future__ import annotations

import errno
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import PlacingError, UsageError
from cliqa.outputs.folder import FolderPlacer
from cliqa.records import Source


def test_links_that_are_not_permitted_are_told_before_anything_starts(tmp_path: Path) -> None:
    with (
        mock.patch("os.symlink", side_effect=OSError(errno.EPERM, "Operation not permitted")),
        pytest.raises(PlacingError, match="run without --symlink"),
    ):
        FolderPlacer(str(tmp_path / "new" / "out"), "symlink").__enter__()
    assert not (tmp_path / "new").exists()


def test_an_output_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    with (
        mock.patch("os.makedirs", side_effect=OSError(errno.EROFS, "Read-only file system")),
        pytest.raises(PlacingError, match="Read-only"),
    ):
        FolderPlacer(str(tmp_path / "out")).__enter__()
    (tmp_path / "there").mkdir()
    with (
        mock.patch("os.open", side_effect=PermissionError(errno.EACCES, "Permission denied")),
        pytest.raises(PlacingError, match="can't be written: Permission denied"),
    ):
        FolderPlacer(str(tmp_path / "there")).__enter__()
    assert (tmp_path / "there").is_dir()


def test_outputs_that_are_refused(tmp_path: Path, photo: Source) -> None:
    source = tmp_path / "in"
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "same").symlink_to(source)
    for output in ("file", "dangling"):
        with pytest.raises(UsageError, match="is no folder"):
            FolderPlacer(str(tmp_path / output)).check([str(source)])
    for output in ("in", "same", "in/../in"):
        with pytest.raises(UsageError, match="is the input folder"):
            FolderPlacer(str(tmp_path / output)).check([str(source)])
    for output in ("in/out", "same/deep/er"):
        with pytest.raises(UsageError, match="lies inside the input folder"):
            FolderPlacer(str(tmp_path / output)).check([str(source)])
    for output in ("inner", "in2/out", "."):
        FolderPlacer(str(tmp_path / output)).check([str(source)])
    assert not (tmp_path / "inner").exists()

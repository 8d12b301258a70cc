"""What the tests of outputs place: a photo, and shards of samples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cliqa.records import Source
from tests.shard_files import VALUES, samples, write_tar


@pytest.fixture
def shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    keys = list(VALUES)
    made = []
    for number in range(3):
        values = {key: VALUES[key] for key in keys[number * 4 : number * 4 + 4]}
        made.append(write_tar(Path(f"shards/{number}.tar"), samples(values)))
    return made


@pytest.fixture
def photo(tmp_path: Path) -> Source:
    path = tmp_path / "in" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(b"a photo")
    os.utime(path, ns=(10**18, 10**18 + 5))
    path.chmod(0o640)
    return Source(str(path))

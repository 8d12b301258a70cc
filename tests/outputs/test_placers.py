"""Folder, tars and key list: one thing to the runs that give them pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cliqa.errors import ImageError
from cliqa.inputs.listing import Listing
from cliqa.outputs import Placer
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.keys import KeyList
from cliqa.outputs.samples import SamplePlacer
from cliqa.outputs.tars import TarWriter
from cliqa.records import Source
from tests.shard_files import grey, samples, write_tar

MADE: dict[str, Callable[[], Placer]] = {
    "kept": lambda: FolderPlacer("kept"),
    "kept/0.tar": lambda: SamplePlacer(TarWriter("kept/%d.tar")),
    "kept/keys": lambda: KeyList("kept/keys"),
}


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    """A loose file and a member of a tar."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.png").write_bytes(grey(9))
    write_tar(Path("s.tar"), samples({"b": 7}))
    return [source for source in Listing("in", "s.tar") if isinstance(source, Source)]


@pytest.mark.parametrize("name", MADE)
def test_what_fits_is_placed_and_the_rest_is_an_issue(name: str, sources: list[Source]) -> None:
    placer = MADE[name]()
    placer.check(["in", "s.tar"])
    assert not os.path.exists("kept")
    loose, member = sources
    fits, other = (loose, member) if name == "kept" else (member, loose)
    with placer:
        with pytest.raises(ImageError):
            placer.place(other)
        placed = placer.place(fits)
    assert os.path.exists(name) and placed in ("kept/a.png", "kept/0.tar/b.png", None)
    assert len(os.listdir("kept")) == 1


@pytest.mark.parametrize("name", MADE)
def test_a_run_that_fails_leaves_nothing_half_done(name: str, sources: list[Source]) -> None:
    with pytest.raises(KeyboardInterrupt), MADE[name]() as placer:
        if name != "kept":
            placer.place(sources[1])
        raise KeyboardInterrupt
    assert not os.path.exists("kept") or not os.listdir("kept")

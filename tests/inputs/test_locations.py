"""Local paths and remote addresses, opened and listed alike."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cliqa.inputs.listing import Listing
from tests.shard_files import grey, samples, scored, tar_bytes

VALUES = {"000": 10, "001": 200, "sub/002": 90}


def test_remote_addresses_through_fsspec(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra [remote]")
    system = fsspec.filesystem("memory")
    for name in ("b/x/000.tar", "b/x/001.tar.gz"):
        data = tar_bytes(samples(VALUES))
        system.pipe_file(f"/{name}", data if name.endswith(".tar") else gzip.compress(data))
    system.pipe_file("/b/loose/one.png", grey(33))
    system.pipe_file("/b/loose/deep/two.png", grey(44))
    system.pipe_file("/b/loose/words.txt", b"-")
    try:
        both = scored("memory://b/x/{000.tar,001.tar.gz,002.tar}")
        assert both.pop("memory://b/x/002.tar") == "no such file"
        assert list(both.values()) == [10.0, 200.0, 90.0] * 2
        assert list(scored("memory://b/x/*.tar").values()) == [10.0, 200.0, 90.0]
        assert list(scored("memory://b/loose").values()) == [33.0]
        listing = Listing("memory://b/loose", recursive=True)
        found = {source.path: source for source in listing}
        assert sorted(path.rpartition("/")[2] for path in found) == ["one.png", "two.png"] and listing.left_out == 1
        assert list(scored("memory://b/loose/one.png").values()) == [33.0]
    finally:
        system.rm("/b", recursive=True)


def test_an_unknown_kind_of_address_is_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs the extra [remote]")
    from cliqa.score import main

    assert main(["-i", "nosuchthing://x/y.tar", "--results", str(tmp_path / "r.db"), "-g", "-1"]) == 2
    assert "nosuchthing://" in capsys.readouterr().err


def test_an_address_that_is_refused_is_not_said_to_be_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = pytest.importorskip("fsspec.implementations.memory", reason="needs the extra [remote]")
    from cliqa.score import main

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("not yours")

    given = ["-i", "memory://b/y.tar", "--results", "never.db", "-g", "-1", "--quiet"]
    assert main(given) == 1 and capsys.readouterr().err == "score: there is no input memory://b/y.tar\n"
    monkeypatch.setattr(memory.MemoryFileSystem, "info", refuse)
    assert main(given) == 1
    assert capsys.readouterr().err == "score: the input memory://b/y.tar can't be had: permission denied\n"

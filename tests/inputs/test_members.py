"""Members are found again by the paths of their records."""

from __future__ import annotations

from pathlib import Path

from cliqa.inputs.members import image_bytes, pick
from cliqa.records import Issue
from tests.shard_files import grey, samples, write_tar

VALUES = {"000": 10, "001": 200, "sub/002": 90}


def test_members_can_be_picked_by_the_paths_of_their_records(tmp_path: Path) -> None:
    shard = str(write_tar(tmp_path / "a.tar", samples(VALUES)))
    assert image_bytes(f"{shard}/sub/002.png") == grey(90)
    for name, message in (("gone.png", "no such member"), ("000.txt", "no such member")):
        issue = pick(f"{shard}/{name}")
        assert isinstance(issue, Issue) and message in issue.message
    packed = pick(f"{write_tar(tmp_path / 'b.tgz', samples(VALUES))}/000.png")
    assert isinstance(packed, Issue) and "uncompressed" in packed.message

"""The images of tars, each with the sample that it belongs to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cliqa.inputs.contents import Slice
from cliqa.inputs.tar_images import TarImages
from cliqa.records import Source
from tests.shard_files import grey, samples, scored, write_tar

SUFFIXES = (".png", ".jpg")


VALUES = {"000": 10, "001": 200, "sub/002": 90}


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_every_image_of_a_tar_is_a_record(name: str, workers: int, tmp_path: Path) -> None:
    shard = str(write_tar(tmp_path / name, samples(VALUES)))
    assert scored(shard, workers) == {f"{shard}/{key}.png": float(value) for key, value in VALUES.items()}


def test_large_members_of_streams_pass_to_busy_workers(tmp_path: Path) -> None:
    """More bytes than a pipe takes at once, in both directions: sending must not wait for reading."""
    big = {f"{number:03d}.png": grey(number) + os.urandom(3 << 20) for number in range(1, 13)}
    found = scored(str(write_tar(tmp_path / "big.tgz", big)), workers=2)
    assert list(found.values()) == [float(number) for number in range(1, 13)]


def test_members_know_their_sample(tmp_path: Path) -> None:
    members = {
        "./a.left.png": grey(1),
        "./a.right.png": grey(2),
        "./a.txt": b"-",
        "./b.json": b"{}",
        "./c.png": grey(3),
    }
    images = TarImages(str(write_tar(tmp_path / "a.tar", members)), SUFFIXES)
    found = list(images)
    assert all(isinstance(source, Source) and isinstance(source.content, Slice) for source in found)
    known = [
        source.content.sample for source in found if isinstance(source, Source) and isinstance(source.content, Slice)
    ]
    assert [(sample.key, sample.images) for sample in known if sample] == [("a", 2), ("a", 2), ("c", 1)]
    assert images.left_out == 1  # b has no image

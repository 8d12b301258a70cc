"""The files that look alike are decoded within a budget: one that no decoder ends with is named, and the rest goes on."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pdqhash")
from cliqa import score
from cliqa.duplicates import __main__ as duplicates
from cliqa.duplicates import decoding
from cliqa.duplicates.decoding import Decoded, GreyPicture
from cliqa.duplicates.pictures import Picture, read_pictures
from cliqa.metrics import Observation, View
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import TIMER_SIGNAL
from cliqa.records import Issue
from cliqa.results.store import Store
from tests.signal.copies.scenes import fine_scene


class Endless(GreyPicture):
    """No decoder ends with pictures of one column more."""

    @classmethod
    def observe(cls, view: View) -> Observation:
        """As it is, or never."""
        until = time.monotonic() + 600
        while view.image.stored.width % 2 and time.monotonic() < until:
            pass
        return super().observe(view)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder with a picture, its copy and another copy, scored."""
    root = tmp_path / "in"
    root.mkdir()
    image = fine_scene(3).convert("RGB").resize((480, 480), Image.Resampling.BICUBIC)
    image.save(root / "a.png")
    image.save(root / "b.jpg", quality=80)
    image.resize((300, 300), Image.Resampling.LANCZOS).save(root / "c.png")
    name = tmp_path / "s.db"
    given = [
        "-i",
        str(root),
        "--results",
        str(name),
        "--metrics",
        "fingerprint",
        "-g",
        "-1",
        "--workers",
        "0",
        "--quiet",
    ]
    assert score.main(given) == 0
    return name


def replaced(store: Path, name: str = "b.jpg", width: int = 481) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (480, width, 3), np.uint8)
    Image.fromarray(picture).save(store.parent / "in" / name)


@pytest.mark.skipif(TIMER_SIGNAL is None, reason="no timer of a process's own time")
def test_a_file_that_no_decoder_ends_with_is_named_and_the_others_are_read(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(store)
    monkeypatch.setattr(decoding, "GreyPicture", Endless)
    told: list[Issue] = []
    with Store(str(store)) as opened:
        pictures, _ = read_pictures(opened)
        with Decoded(opened, pictures, told.append, PipelineSettings(4, file_seconds=0.2)) as look:
            found = [look(index) for index in (0, 1, 2, 1)]
            assert look.failed == 1
    assert [None if one is None else one.grey.shape for one in found] == [(480, 480), None, (300, 300), None]
    (issue,) = told
    assert Path(issue.path).name == "b.jpg" and "took too much processor time" in issue.message


@pytest.mark.parametrize(("workers", "status"), [("0", 0), ("1", 3)])
def test_a_damaged_file_is_an_issue_and_groups_are_found(
    store: Path, workers: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.parent / "in" / "b.jpg").write_bytes(b"no picture")
    given = [str(store), "--workers", workers, *(["--strict"] if status else [])]
    assert duplicates.main(given) == status
    out, err = capsys.readouterr()
    assert err.count("not compared in its pixels") == 1 and "b.jpg" in err
    assert out.count("c.png") == 1 and "the same picture" in out


def test_files_that_are_gone_are_no_matter(store: Path) -> None:
    told: list[Issue] = []
    (store.parent / "in" / "c.png").unlink()
    with Store(str(store)) as opened:
        pictures = [Picture("gone/away.jpg", {}), *read_pictures(opened)[0]]
    with Store(str(store)) as opened, Decoded(opened, pictures, told.append) as look:
        assert [look(index) is None for index in (0, 3)] == [True, True]
    assert not told


def test_members_of_a_shard_are_read_by_a_worker(store: Path, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        tar.add(tmp_path / "in" / "a.png", "a.png")
    with Store(str(store)) as opened, Decoded(opened, [Picture(f"{tmp_path}/shard.tar/a.png", {})]) as look:
        found = look(0)
    assert found is not None and found.grey.shape == found.middle.shape == (480, 480) and not found.table

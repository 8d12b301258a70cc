"""Copies that are no safe removal are kept, and told why."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.duplicates import __main__ as duplicates
from cliqa.duplicates.grouping import Group
from cliqa.duplicates.keeping import kept
from cliqa.duplicates.links import Link
from tests.signal.copies.scenes import fine_scene
from tests.signal.copies.test_motion import window


@pytest.mark.parametrize(
    ("link", "word"),
    [
        (Link(0, 1, "near", light=-0.5), "0.5 EV apart"),
        (Link(0, 1, "near", tones=4.0), "other exposure"),
        (Link(0, 1, "near", tones=math.inf), "another shot"),
        (Link(0, 1, "near", (-0.05, 0.0, 1.0, 1.0)), "shows more"),
        (Link(0, 1, "near", (0.05, 0.0, 1.0, 1.0), light=0.1, tones=1.0), ""),
    ],
)
def test_what_is_in_doubt_is_kept(link: Link, word: str) -> None:
    found = kept(Group("near", (0, 1), (link,)), 0)
    assert (word in found[1]) if word else found == {}


def test_tones_add_up_by_the_way_that_says_least_and_doubt_stays() -> None:
    way = (Link(0, 1, "near", tones=1.0), Link(1, 2, "near", tones=1.0))
    assert kept(Group("near", (0, 1, 2), (*way, Link(0, 2, "near", tones=9.0))), 0) == {}
    assert set(kept(Group("near", (0, 1, 2), (*way, Link(0, 2, "near", tones=math.inf))), 0)) == {2}
    assert set(kept(Group("near", (0, 1, 2, 3), (*way, Link(2, 3, "near", tones=1.0))), 0)) == {3}


@pytest.mark.parametrize("ev", [-1 / 3, 1 / 3, 1.3])
@pytest.mark.parametrize("bright", [0.4, 1.6])
def test_exposures_without_exif_are_never_proposed(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], ev: float, bright: float
) -> None:
    """A third of a stop, dark and partly clipped, each with a smaller copy: one of each stays."""
    root = tmp_path / "in"
    root.mkdir()
    linear = (np.asarray(window(fine_scene(8)).convert("RGB"), np.float32) / 255) ** 2.2 * bright
    for number, by in enumerate((0.0, ev)):
        noise = np.random.default_rng(number).normal(0, 1.0, linear.shape)
        shot = np.clip(255 * np.clip(linear * 2**by, 0, 1) ** (1 / 2.2) + noise, 0, 255).astype(np.uint8)
        image = Image.fromarray(shot)
        image.save(root / f"{number}.jpg", quality=92 - number)
        image.resize((300, 300), Image.Resampling.LANCZOS).save(root / f"{number}-small.jpg", quality=80)
    assert duplicates.main([str(root), "-g", "-1", "--workers", "0", "--quiet", "--keep", "rest", "--print"]) == 0
    rest = {Path(name.decode()).stem for name in capsysbinary.readouterr().out.split()}
    assert not any({f"{number}", f"{number}-small"} <= rest for number in (0, 1))

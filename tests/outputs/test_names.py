"""Names for placed files fit every file system and are known again."""

from __future__ import annotations

import os
from itertools import islice

import pytest

from cliqa.outputs.names import candidates, companion_place, is_candidate, numbered


def test_a_taken_name_gets_a_number_before_its_suffix() -> None:
    assert list(islice(candidates("a.b.jpg"), 3)) == ["a.b.jpg", "a.b_1.jpg", "a.b_2.jpg"]
    assert numbered("README", 2) == "README_2"


@pytest.mark.parametrize("name", ["x" * 300 + ".jpg", "é" * 200 + ".jpg", "日" * 120 + ".png", "a." + "y" * 280])
def test_long_names_are_cut_between_characters(name: str) -> None:
    for number in (0, 1, 12):
        short = numbered(name, number)
        assert len(os.fsencode(short)) <= 255 and is_candidate(short, name)
        short.encode("utf-8")  # no half character


def test_candidates_are_known_again_and_others_are_not() -> None:
    assert is_candidate("a.jpg", "a.jpg") and is_candidate("a_3.jpg", "a.jpg")
    for other in ("a_0.jpg", "a_03.jpg", "b_3.jpg", "a_3.png", "a_x.jpg", "a_3_1.jpg"):
        assert not is_candidate(other, "a.jpg")


def test_companions_follow_their_picture() -> None:
    assert companion_place("in/a.CR2", "in/a.jpg", "out/a_1.jpg") == "out/a_1.CR2"
    assert companion_place("a.jpg.xmp", "a.jpg", "093_a.jpg") == "093_a.jpg.xmp"

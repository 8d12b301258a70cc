"""Tables of labels, and which files they mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cliqa.errors import UsageError
from cliqa.results.labels import match_paths, read_labels


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("path,label\na,keep\nb,drop\n", {"a": True, "b": False}),
        ("a;Yes\nb;no\n\n", {"a": True, "b": False}),
        ("\ufefffile\trating\na\t1\nb\t5\nc\t3\nd\t\n", {"a": False, "b": True, "c": True}),
        ("rating,path\n2,a\n4,b\n", {"a": False, "b": True}),
        ('"with, comma",keep\n"with ""quotes""",drop\n', {"with, comma": True, 'with "quotes"': False}),
        ("a,0\nb,1\n", {"a": False, "b": True}),
        ("a,drop\na,keep\nb,drop\n", {"a": True, "b": False}),
    ],
)
def test_tables_of_labels(tmp_path: Path, text: str, good: dict[str, bool]) -> None:
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    labels = read_labels(str(tmp_path / "labels.csv"))
    assert {path: rating >= labels.keep_from() for path, rating in labels.ratings.items()} == good


def test_ratings_and_wrong_labels(tmp_path: Path) -> None:
    name = tmp_path / "labels.csv"
    name.write_text("a,1\nb,4\nc,5\n")
    labels = read_labels(str(name))
    assert labels.rated and labels.ratings == {"a": 1, "b": 4, "c": 5}
    assert labels.keep_from() == 3 and labels.keep_from(5) == 5
    name.write_text("a,keep\nb,drop\n")
    assert read_labels(str(name)).keep_from(5) == 1, "words need no edge"
    for text, message in (
        ("a,keep\nb,maybe\n", "neither keep, drop nor a rating: 'maybe'"),
        ("a,keep\nb,2\n", "no number, as other labels are: 'keep'"),
        ("a,nan\nb,1\n", "is nan"),
        ("a,inf\nb,1\n", "is inf"),
        ("", "no labels"),
        ("a\nb\n", "no labels"),
    ):
        name.write_text(text)
        with pytest.raises(UsageError, match=message):
            read_labels(str(name))


def test_paths_match_by_text_by_place_or_by_the_longest_end(tmp_path: Path) -> None:
    saved = ["in/a.jpg", "in/sub/b.jpg", "in/sub/c.jpg", "in/c.jpg", "in/new\nline.jpg"]
    wanted = ["in/a.jpg", str(tmp_path / "in/sub/b.jpg"), "c.jpg", "in/new\\nline.jpg", "gone.jpg"]
    found, unclear = match_paths(wanted, saved, str(tmp_path))
    assert found == {
        "in/a.jpg": "in/a.jpg",
        str(tmp_path / "in/sub/b.jpg"): "in/sub/b.jpg",
        "in/new\\nline.jpg": "in/new\nline.jpg",
    }
    assert unclear == {"c.jpg": ["in/sub/c.jpg", "in/c.jpg"]}
    assert match_paths(["elsewhere/b.jpg"], saved, os.sep)[0] == {"elsewhere/b.jpg": "in/sub/b.jpg"}


def test_an_end_of_a_path_matches_both_ways_round() -> None:
    long, other = "/data/y/a.jpg", "/data/x/a.jpg"
    assert match_paths(["y/a.jpg"], [other, long])[0] == {"y/a.jpg": long}
    assert match_paths([long], ["x/a.jpg", "y/a.jpg"])[0] == {long: "y/a.jpg"}
    assert match_paths(["y\\a.jpg", "./x/a.jpg"], [other, long])[0] == {"y\\a.jpg": long, "./x/a.jpg": other}
    assert match_paths(["p/a.jpg", "q/a.jpg"], [long]) == ({}, {"q/a.jpg": [long], "p/a.jpg": [long]})
    assert match_paths([long, "z/a.jpg"], [long])[0] == {long: long}, "a file has one label"

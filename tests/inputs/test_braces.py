"""Brace expansion, against what bash makes of the same patterns."""

from __future__ import annotations

import shutil
import subprocess
from itertools import islice

import pytest

from cliqa.errors import UsageError
from cliqa.inputs import braces
from cliqa.inputs.braces import expand_braces, has_braces

PATTERNS = [
    "shards/{000..012}.tar", "{9..11}", "{08..11}", "{11..9}", "{0..10..5}", "{a..e}", "{e..a}", "{train,val}-{0..2}.tar",
    "{a,b{1..3},c}", "{a,{b,c{d,e}}}x", "plain.tar", "a{b}c", "a{}c", "{,x}y", "{-3..2}", "{a,b", "a}b", "x{1..3}{,z}",
    "{-03..2}",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash to compare with")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_names_as_bash(pattern: str) -> None:
    done = subprocess.run(["bash", "-c", f"printf '%s\\n' {pattern}"], capture_output=True, text=True, check=True)
    assert list(expand_braces(pattern)) == done.stdout.splitlines()


def test_the_names_webdataset_users_write() -> None:
    assert list(expand_braces("s3://bucket/train-{000098..000101}.tar")) == [
        f"s3://bucket/train-{number:06d}.tar" for number in range(98, 102)
    ]
    assert has_braces("a{1..2}") and has_braces("{x}{1,2}")
    assert not has_braces("a{1}") and not has_braces("plain") and not has_braces(r"\{1,2\}")


def test_escaped_braces_belong_to_the_name() -> None:
    assert list(expand_braces(r"\{1,2\}-{a,b}")) == ["{1,2}-a", "{1,2}-b"]


def test_endless_ranges_are_lazy_and_refused_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(islice(expand_braces("{0..999999999999}{0..999999999}"), 2)) == ["00", "01"]
    monkeypatch.setattr(braces, "MAX_NAMES", 100)
    with pytest.raises(UsageError, match="more than 100 names"):
        list(expand_braces("{0..999999999999}"))

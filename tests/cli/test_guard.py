from __future__ import annotations

import os

import pytest

from cliqa.cli.guard import LINEAR_ALGEBRA, guarded


@pytest.mark.parametrize(("before", "wanted"), [(None, "1"), ("3", "3")])
def test_linear_algebra_has_one_thread_unless_the_user_says_otherwise(monkeypatch, before, wanted):
    for name in LINEAR_ALGEBRA:
        monkeypatch.setenv(name, "2")  # so that what the command sets is taken back
        monkeypatch.delenv(name) if before is None else monkeypatch.setenv(name, before)
    assert guarded("test", True, lambda _: int(os.environ["OPENBLAS_NUM_THREADS"])) == int(wanted)

"""How many workers there are where nobody says."""

from __future__ import annotations

import os
from unittest import mock

from cliqa.pipeline.allowance import Allowance
from cliqa.pipeline.run import default_workers


def test_default_workers_are_the_processors_at_hand() -> None:
    assert 1 <= default_workers() <= (os.cpu_count() or 1)
    with mock.patch.object(os, "sched_getaffinity", lambda _: {0, 1, 2}, create=True):
        with mock.patch("cliqa.pipeline.settings.allowance", return_value=Allowance()):
            assert default_workers() == 3
        with mock.patch("cliqa.pipeline.settings.allowance", return_value=Allowance(1.5, None)):
            assert default_workers() == 2
        with mock.patch("cliqa.pipeline.settings.allowance", return_value=Allowance(0.1, 1 << 20)):
            assert default_workers() == 1
        with mock.patch("cliqa.pipeline.settings.allowance", return_value=Allowance(None, 2 << 30)):
            assert default_workers() == 3

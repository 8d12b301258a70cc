"""The names of the labels: plain data, which a command's help reads."""

from __future__ import annotations

import subprocess
import sys

from cliqa.signal.exposure.labels import ALIASES, LABELS, LEVELS


def test_every_label_has_one_alias_and_no_name_means_two():
    assert len(LABELS) == len(ALIASES) == len({*LABELS, *ALIASES}) // 2 == 6
    assert list(LEVELS) == [1, 2, 3, 4]


def test_they_need_no_numpy():
    code = "import sys; import cliqa.signal.exposure.labels; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0

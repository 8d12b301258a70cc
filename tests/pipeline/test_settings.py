"""How many workers there are where nobody says."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest

from cliqa.pipeline.run import default_workers
from cliqa.pipeline.settings import Allowance, allowance


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


V2 = "0::/user/job\n"
V1 = "5:cpu,cpuacct:/docker/ab\n3:memory:/docker/ab\n1:name=systemd:/docker/ab\n"


@pytest.mark.parametrize(
    ("groups", "files", "found"),
    [
        (V2, {}, Allowance()),
        (V2, {"user/job/cpu.max": "max 100000", "user/job/memory.max": "max"}, Allowance()),
        (V2, {"user/job/cpu.max": "150000 100000", "user/job/memory.max": "1073741824"}, Allowance(1.5, 1 << 30)),
        (V2, {"user/cpu.max": "50000 100000", "user/job/cpu.max": "200000 100000"}, Allowance(0.5)),
        (V2, {"cpu.max": "200000 100000", "memory.max": "5"}, Allowance(2.0, 5)),  # the container's own view
        (V1, {"cpu/docker/ab/cpu.cfs_quota_us": "-1", "cpu/docker/ab/cpu.cfs_period_us": "100000"}, Allowance()),
        (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "300000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, Allowance(3.0)),
        (V1, {"memory/docker/ab/memory.limit_in_bytes": "9223372036854771712"}, Allowance()),
        (V1, {"memory/docker/ab/memory.limit_in_bytes": "2147483648"}, Allowance(None, 1 << 31)),
        ("nonsense\n::\n", {"cpu.max": "0 0"}, Allowance()),
    ],
)
def test_the_narrowest_limit_counts(tmp_path: Path, groups: str, files: dict[str, str], found: Allowance) -> None:
    (tmp_path / "groups").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert allowance(str(tmp_path / "groups"), str(tmp_path / "fs")) == found


def test_systems_without_control_groups_have_no_limits(tmp_path: Path) -> None:
    assert allowance(str(tmp_path / "none")) == Allowance()

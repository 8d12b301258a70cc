"""Limits of control groups, from files as the system shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cliqa.pipeline.allowance import Allowance, allowance

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

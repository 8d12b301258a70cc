"""GPU ids become devices only where a driver is there and a metric needs one."""

from __future__ import annotations

import pytest

from cliqa.cli import devices
from cliqa.errors import UsageError


def test_without_a_driver_the_cpu_is_taken_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_cuda_driver", lambda: False)
    said: list[str] = []
    assert devices.resolve([-1], True, said.append) == ["cpu"]
    assert devices.resolve(None, True, said.append) == ["cpu"]
    assert not said, "nobody asked for one"
    assert devices.resolve([0, 1], True, said.append) == ["cpu"]
    assert len(said) == 1 and "no CUDA device" in said[0]


def test_metrics_without_torch_never_ask_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_cuda_driver", lambda: True)
    assert devices.resolve([0], False, pytest.fail) == ["cpu"]


def test_gpus_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(devices, "has_cuda_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices.resolve([1, 0, 1], True, pytest.fail) == ["cuda:1", "cuda:0"]
    with pytest.raises(UsageError, match="no GPU 2; this machine has 2"):
        devices.resolve([0, 2], True, pytest.fail)


@pytest.mark.parametrize("ids", [[-2], [-1, 0]])
def test_ids_that_are_none(ids: list[int]) -> None:
    with pytest.raises(UsageError, match="-1 alone"):
        devices.resolve(ids, False, pytest.fail)

"""GPU ids become devices only where a driver is there and a metric needs one."""

from __future__ import annotations

import pytest

from cliqa.cli import devices
from cliqa.errors import UsageError


def test_without_a_driver_the_cpu_is_taken_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_cuda_driver", lambda: False)
    assert devices.resolve([-1], uses_torch=True) == (["cpu"], "")
    found, message = devices.resolve([0, 1], uses_torch=True)
    assert found == ["cpu"] and "no CUDA device" in message
    assert devices.resolve(None, uses_torch=True) == (["cpu"], ""), "nobody asked for one"


def test_metrics_without_torch_never_ask_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_cuda_driver", lambda: True)
    assert devices.resolve([0], uses_torch=False) == (["cpu"], "")


def test_gpus_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(devices, "has_cuda_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices.resolve([1, 0, 1], uses_torch=True) == (["cuda:1", "cuda:0"], "")
    with pytest.raises(UsageError, match="no GPU 2; this machine has 2"):
        devices.resolve([0, 2], uses_torch=True)


@pytest.mark.parametrize("ids", [[-2], [-1, 0]])
def test_ids_that_are_none(ids: list[int]) -> None:
    with pytest.raises(UsageError, match="-1 alone"):
        devices.resolve(ids, uses_torch=False)

"""What `cliqa metrics` prints."""

from __future__ import annotations

import pytest

import cliqa
from cliqa.metrics.__main__ import main as list_the_metrics

BRIGHTNESS = "tests.toy_metric:Brightness"


def test_the_metrics_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_the_metrics(["--no-speed"]) == 0
    out = capsys.readouterr().out
    for name in cliqa.list_metrics():
        assert f"{name}: " in out
    assert "grain_noise.psnr" in out and "0 to 50 dB" in out and "higher is better" in out
    assert list_the_metrics([BRIGHTNESS]) == 0
    out = capsys.readouterr().out
    assert "brightness.mean" in out and "weights: none needed" in out and " ms" in out
    assert list_the_metrics(["grain_nois"]) == 2

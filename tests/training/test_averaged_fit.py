"""The loop that the fits of small networks share: it resumes where it was, and returns the running average."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cliqa.training.averaged_fit import AveragedFit  # noqa: E402


@dataclass(frozen=True)
class Settings:
    epochs: int = 4
    batch: int = 8
    rate: float = 0.05
    decay: float = 0.0
    average: float = 0.5
    seed: int = 3


def fit(work, epochs, settings, x, y):
    """Linear regression, stopped after `epochs` epochs as if it were killed."""
    torch.manual_seed(0)
    run = AveragedFit(torch.nn.Linear(3, 1), len(x), settings, work)
    seen = []
    for epoch, batches in run.epochs():
        if epoch == epochs:
            break
        for batch in batches:
            run.step(torch.nn.functional.mse_loss(run.net(x[batch]), y[batch]))
        seen.append((epoch, torch.cat(batches).tolist()))
    return run, seen


@pytest.fixture
def data():
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32))
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]])


def test_every_epoch_sees_every_example_once_in_its_own_order(tmp_path, data):
    _, seen = fit(tmp_path, 9, Settings(), *data)
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3]
    assert all(sorted(order) == list(range(30)) for _, order in seen)
    assert seen[0][1] != seen[1][1]


def test_a_stopped_fit_goes_on_to_the_same_weights(tmp_path, data):
    whole, _ = fit(tmp_path / "whole", 9, Settings(), *data)
    fit(tmp_path / "stopped", 2, Settings(), *data)
    resumed, seen = fit(tmp_path / "stopped", 9, Settings(), *data)
    assert [epoch for epoch, _ in seen] == [2, 3]
    for one, other in zip(whole.averaged.parameters(), resumed.averaged.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not (tmp_path / "stopped" / "state.part").exists()


def test_the_average_follows_its_decay(tmp_path, data):
    x, y = data
    run = AveragedFit(torch.nn.Linear(3, 1, bias=False), len(x), Settings(batch=30, epochs=3), tmp_path)
    expected = None
    for _, batches in run.epochs():
        for batch in batches:
            run.step(torch.nn.functional.mse_loss(run.net(x[batch]), y[batch]))
            now = run.net.weight.detach().clone()
            expected = now if expected is None else 0.5 * expected + 0.5 * now
    torch.testing.assert_close(run.averaged.weight.detach(), expected)

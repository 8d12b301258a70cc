"""The network over regions against its torch twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cliqa.signal.networks.regions import RegionNetwork
from cliqa.training.region_network import TorchRegions


@pytest.fixture(scope="module")
def networks() -> tuple[TorchRegions, RegionNetwork, np.ndarray, np.ndarray]:
    torch.manual_seed(0)
    statistics, rows = torch.randn(50, 11) * 3 + 1, torch.randn(400, 7) * 2 - 1
    net = TorchRegions(statistics, rows, (16, 12), 5).eval()
    return net, RegionNetwork(net.tensors("a."), "a."), statistics.numpy(), rows.numpy()


def test_torch_and_numpy_answer_alike(networks):
    net, read, statistics, rows = networks
    with torch.no_grad():
        wanted = net(torch.from_numpy(statistics[:1]), torch.from_numpy(rows[None, :80])).numpy()[0]
    np.testing.assert_allclose(read(statistics[0], rows[:80]), wanted, atol=1e-5)
    assert read.inputs == (11, 7) and read.outputs == 5


def test_the_order_of_regions_does_not_matter_but_what_they_say_does(networks):
    _, read, statistics, rows = networks
    answer = read(statistics[0], rows[:64])
    np.testing.assert_allclose(read(statistics[0], rows[:64][::-1]), answer, atol=1e-5)
    np.testing.assert_allclose(read(statistics[0], np.tile(rows[:64], (2, 1))), answer, atol=1e-5)
    assert np.abs(read(statistics[0], rows[64:128] + 2) - answer).max() > 1e-2


def test_a_widened_network_says_the_same_and_can_learn_more(networks):
    net, _, statistics, rows = networks
    more = np.concatenate([statistics, np.random.default_rng(0).normal(5, 2, (50, 3)).astype(np.float32)], axis=1)
    wide = TorchRegions.widened(net.tensors("b."), "b.", torch.from_numpy(more), 8).eval()
    with torch.no_grad():
        before = net(torch.from_numpy(statistics[:4]), torch.from_numpy(rows).view(4, 100, 7))
        after = wide(torch.from_numpy(more[:4]), torch.from_numpy(rows).view(4, 100, 7))
    torch.testing.assert_close(after[:, :5], before)
    assert (after[:, 5:] == 0).all()
    np.testing.assert_allclose(wide.mean[11:], more[:, 11:].mean(axis=0), rtol=1e-5)
    assert all(parameter.requires_grad for parameter in wide.parameters())

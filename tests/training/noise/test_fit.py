from dataclasses import replace

import numpy as np
import pytest
import torch

from cliqa.training.noise.fit import NoiseExamples, NoiseFit, fit_noise, histogram

LEVELS = np.arange(10.0, 31.0, dtype=np.float32)
SMALL = NoiseFit(
    hidden=(16,), epochs=30, batch=32, dropout=0, input_noise=0, gain=3.0, average=0.9, rate=1e-2, regions=4
)


def examples(count: int, low: float, high: float, seed: int) -> NoiseExamples:
    """Numbers of picture and regions tell the level: 10 dB more noise is a factor of 10 in energy. Others say nothing."""
    rng = np.random.default_rng(seed)
    target = rng.uniform(low, high, count).astype(np.float32)
    energy = np.repeat(-target[:, None] * np.log(10) / 10, 2, axis=1)
    statistics = np.stack([energy, rng.normal(size=energy.shape)], axis=2).astype(np.float32)
    regions = rng.normal(size=(count, 2, 6, 3))
    regions[..., 0] = energy[..., None] + 0.1 * regions[..., 0]
    return NoiseExamples(
        statistics, regions.astype(np.float16), target[:, None], np.ones(count, np.float32), np.ones(count, bool)
    )


def test_histograms_are_centred_on_the_target():
    found = histogram(torch.tensor([12.3, 15.0, 99.0]), torch.from_numpy(LEVELS), 0.7).numpy()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert found[:2] @ LEVELS == pytest.approx([12.3, 15.0], abs=0.02)
    assert found[2].argmax() == len(LEVELS) - 1


def test_changes_of_contrast_teach_levels_that_no_example_has(tmp_path):
    slopes = np.array([1, 0], np.float32), np.array([1, 0, 0], np.float32)
    train, unseen = examples(256, 18, 22, 0), examples(64, 23, 24.5, 1)
    errors = {}
    for gain in (0.0, 4.0):
        fit_noise(train, unseen, LEVELS, slopes, tmp_path / str(gain), replace(SMALL, gain=gain))
        errors[gain] = np.genfromtxt(tmp_path / str(gain) / "curve.csv", delimiter=",", names=True)["val_error"][-1]
    assert errors[4.0] < 0.6 * errors[0.0]


def test_a_complete_fit_is_read_back(tmp_path):
    data, settings = examples(64, 15, 25, 0), replace(SMALL, epochs=2)
    slopes = np.ones(2, np.float32), np.ones(3, np.float32)
    once, again = (fit_noise(data, data, LEVELS, slopes, tmp_path, settings) for _ in range(2))
    assert len(np.genfromtxt(tmp_path / "curve.csv", delimiter=",", names=True)) == 2 and not again.training
    for name, value in once.tensors().items():
        np.testing.assert_array_equal(value, again.tensors()[name])


def test_a_fit_goes_on_from_a_network_and_leaves_it_alone(tmp_path):
    data, slopes = examples(64, 15, 25, 0), (np.ones(2, np.float32), np.ones(3, np.float32))
    first = fit_noise(data, data, LEVELS, slopes, tmp_path / "first", replace(SMALL, epochs=12))
    before = first.tensors()
    fit_noise(data, data, LEVELS, slopes, tmp_path / "next", replace(SMALL, epochs=2, rate=1e-4), first)
    errors = [
        np.genfromtxt(tmp_path / name / "curve.csv", delimiter=",", names=True)["val_error"]
        for name in ("first", "next")
    ]
    assert errors[1][0] == pytest.approx(errors[0][-1], abs=0.3) and errors[0][0] > errors[1][0] + 1
    for name, value in first.tensors().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_fit_answers_several_levels_and_tells_what_is_known(tmp_path):
    data, slopes = examples(256, 15, 25, 0), (np.array([1, 0], np.float32), np.array([1, 0, 0], np.float32))
    known = (data.statistics[..., 1] > 0).astype(np.float32)
    second = np.clip(data.target + 3, None, LEVELS[-1])
    data = replace(data, target=np.concatenate([data.target, second], axis=1), known=known)
    net = fit_noise(data, data, LEVELS, slopes, tmp_path, SMALL)
    statistics, regions, target, *_ = data.flat()
    with torch.no_grad():
        said = net(statistics, regions.float())
    assert said.shape[1] == 2 * len(LEVELS) + 1
    chances = torch.softmax(said[:, :-1].reshape(len(said), 2, -1), 2)
    error = ((chances * torch.from_numpy(LEVELS)).sum(2) - target).abs().mean(0)
    assert (error < 1.2).all()
    assert ((said[:, -1] > 0).numpy() == (known.ravel() > 0.5)).mean() > 0.9

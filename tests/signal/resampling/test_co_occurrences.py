"""Co-occurrences, counted again by hand."""

import itertools

import numpy as np

from cliqa.signal.resampling.co_occurrences import LEVELS, NEIGHBOURS, of_colours, of_neighbours
from tests.rough_pictures import rough


def test_neighbours_of_first_differences():
    plane = rough(40, 40, 4).astype(np.int16)
    residuals = [np.diff(plane, axis=1), np.diff(plane.T, axis=1)]
    counts: dict[tuple[int, ...], int] = {}
    for row in np.clip(np.concatenate(residuals), -2, 2).tolist():
        for triple in zip(row, row[1:], row[2:], strict=False):
            key = min(triple, triple[::-1], tuple(-v for v in triple), tuple(-v for v in triple[::-1]))
            counts[key] = counts.get(key, 0) + 1
    expected = sorted(count / sum(counts.values()) for count in counts.values())
    (found,) = of_neighbours([(each[None], 2) for each in residuals], [1])
    np.testing.assert_allclose(sorted(found[found > 0] ** 2), expected, rtol=1e-5)
    triples = set(itertools.product(range(-2, 3), repeat=LEVELS - 2))
    assert len({min(t, t[::-1], tuple(-v for v in t), tuple(-v for v in t[::-1])) for t in triples}) == NEIGHBOURS


def test_the_three_colours_at_one_place():
    planes = np.stack([rough(40, 40, seed) for seed in (7, 8, 9)]).astype(np.int16)
    turns = [np.diff(turned, axis=2)[:, None] for turned in (planes, planes.swapaxes(1, 2))]
    counts: dict[tuple[int, ...], int] = {}
    for turned in turns:
        for triple in np.clip(turned, -2, 2).reshape(3, -1).T.tolist():
            key = min(tuple(triple), tuple(-v for v in triple))
            counts[key] = counts.get(key, 0) + 1
    expected = sorted(count / sum(counts.values()) for count in counts.values())
    found = of_colours(turns, 1)
    np.testing.assert_allclose(sorted(found[found > 0] ** 2), expected, rtol=1e-5)


def test_a_coarser_step_is_counted_beside_the_fine_one():
    residuals = [(np.diff(rough(40, 40, 5).astype(np.int16), axis=1)[None], 1)]
    both = of_neighbours(residuals, [1, 3])
    for step, found in zip((1, 3), both, strict=True):
        np.testing.assert_allclose(found, of_neighbours(residuals, [step])[0], rtol=1e-6)

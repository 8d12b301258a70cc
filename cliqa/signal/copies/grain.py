"""Whether two pictures that lie on each other have the same noise: a copy's is its original's, that of another shot is its own.

Codecs take noise away, and what they leave or add resembles the original's less the more they take. So weak noise tells only of
pictures that went through the same codec at the same strength: there a copy's noise, where both have any, is at least half the
original's. Where much is left in both, codecs have taken little, and any two files can be compared.
Where the picture is plain, what lies between FINE and COARSE pixels is noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.copies.elsewhere import blurred, toned

FINE, COARSE = (
    0.8,
    1.6,
)  # pixels between which noise is looked for; finer one is taken by codecs, coarser one is hidden by what is shown
PLAIN = (1.6, 4.0)  # pixels between which a plain place has little
BLOCK = 8  # pixels a side
DARK, LIGHT = 6.0, 249.0  # levels beyond which noise is clipped
CLEAR = 0.98  # share of a block's pixels that are neither
PLAINEST = 0.1  # share of the blocks that are looked at
LEAST_BLOCKS = 64  # of those that are not clipped
FLOOR = 0.01  # squared levels; rounding leaves as much

# Chosen on frames of 26 training photographs by two simulators against 676 pairs of edits saved with the same tables; of 56 none of
# 1,456 edits are taken for shots, and 45 % of the frames that nothing else tells
SHARED = 0.5  # of the weaker noise that both share
OWN = 0.14  # levels that neither has from the other
# Correlation of the details of half the blocks that have most. Frames from a tripod reach 0.99; a copy that was cropped by 4 pixels and
# enlarged to its former size 0.96: there nothing lies on its own noise
ALIGNED = 0.95

# Chosen on copies of 28 training photographs in 21 ways: those with that much noise share 0.35 of it and more, frames up to 0.14
STRONG = 0.4  # levels
STRONG_SHARED = 0.25

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


def noise_apart(first: Grey, second: Grey) -> bool:
    """Whether two pictures of one shape, uint8 (height, width), of one scene, have noise, and each its own."""
    found = _noise(first, second)
    if found is None:
        return False
    own_1, own_2, shared = found
    apart = float(np.median(np.minimum(own_1, own_2) - shared))
    return apart >= OWN**2 and _shared(*found) < SHARED


def strong_noise_apart(first: Grey | Floats, second: Grey | Floats) -> bool:
    """The same of pictures that lie on each other, float32 or uint8, 0-255, whatever codecs and sizes they went through.

    A codec that leaves that much noise leaves the original's.
    """
    found = _noise(first, second)
    if found is None:
        return False
    weaker = min(float(found[0].mean()), float(found[1].mean()))
    return weaker >= STRONG**2 and _shared(*found) < STRONG_SHARED


def _shared(own_1: Floats, own_2: Floats, shared: Floats) -> float:
    """Which part of the weaker noise both share."""
    return float(shared.mean()) / (min(float(own_1.mean()), float(own_2.mean())) + FLOOR)


def _noise(first: Grey | Floats, second: Grey | Floats) -> tuple[Floats, Floats, Floats] | None:
    """The powers of both noises, and what they share, in the plainest blocks; None where that can't be told."""
    two = second.astype(np.float32)
    one = toned(first.astype(np.float32), two)
    clipped = (np.minimum(first, second) < DARK) | (np.maximum(first, second) > LIGHT)
    clear = _around(_blocks(clipped.astype(np.float32))) <= 1 - CLEAR
    if clear.sum() < LEAST_BLOCKS:
        return None
    details = [blurred(each, PLAIN[0]) - blurred(each, PLAIN[1]) for each in (one, two)]
    power_1, power_2, both = (_blocks(a * b) for a, b in (details[:1] * 2, details[1:] * 2, details))
    busy = _around(power_1 + power_2)
    bounds = np.quantile(busy[clear], (PLAINEST, 1 - PLAINEST))
    most = clear & (busy >= bounds[1])
    if float(np.median(both[most] / np.sqrt(power_1[most] * power_2[most] + FLOOR))) < ALIGNED:
        return None
    plainest = clear & (busy <= bounds[0])
    noise = [blurred(each, FINE) - blurred(each, COARSE) for each in (one, two)]
    own_1, own_2, shared = (_blocks(a * b)[plainest] for a, b in (noise[:1] * 2, noise[1:] * 2, noise))
    return own_1, own_2, shared


def _blocks(values: Floats) -> Floats:
    """Means over blocks."""
    high, wide = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    part = values[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide, BLOCK)
    return np.asarray(part.mean((1, 3)), np.float32)


def _around(blocks: Floats) -> Floats:
    """The largest of each block and its eight neighbours."""
    padded = np.pad(blocks, 1, mode="edge")
    high, wide = blocks.shape
    return np.asarray(np.max([padded[y : y + high, x : x + wide] for y in range(3) for x in range(3)], 0), np.float32)

"""Whether two pictures that lie on each other have the same noise: a copy's is its original's, that of another shot is its own.

Codecs take noise away, resizes do, edits add some; but of a copy and its original one has hardly any that the other lacks, and of two
shots each has. What both have of their own is small beside the stronger noise where one is the other's copy, whatever was done to it.
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

# Noise that each has of its own at least, in squared levels, and as a share of the mean of both. Of 592 copies of 19 training
# photographs in 33 ways (codecs, sizes, crops, filters, added grain) those with so much have shares up to 0.35: a coarse save's errors
OWN, OWN_SHARE = 0.08, 0.45
# The same of files that one program saved with one table, and once: none of 1,836 edits of 54 photographs has as much, 17 of 108 do
# that went through WebP in between
OWN_ALIKE, OWN_SHARE_ALIKE = 0.02, 0.25

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


def noise_apart(first: Grey | Floats, second: Grey | Floats, alike: bool = False) -> bool:
    """Whether two pictures have noise, and each its own.

    Args:
        first, second: (height, width), 0-255, that lie on each other to a quarter of a pixel.
        alike: whether both were saved with one table, and once.
    """
    two = second.astype(np.float32)
    one = toned(first.astype(np.float32), two)
    clipped = (np.minimum(first, second) < DARK) | (np.maximum(first, second) > LIGHT)
    clear = _around(_blocks(clipped.astype(np.float32))) <= 1 - CLEAR
    if clear.sum() < LEAST_BLOCKS:
        return False
    busy = _around(
        _blocks(np.sum([(blurred(each, PLAIN[0]) - blurred(each, PLAIN[1])) ** 2 for each in (one, two)], 0))
    )
    plainest = clear & (busy <= np.quantile(busy[clear], PLAINEST))
    noise = [blurred(each, FINE) - blurred(each, COARSE) for each in (one, two)]
    of_1, of_2, shared = (_blocks(a * b)[plainest] for a, b in (noise[:1] * 2, noise[1:] * 2, noise))
    own = float(
        np.median(np.minimum(of_1, of_2) - shared)
    )  # a coarse save leaves noise in few blocks: not in most of them
    power_1, power_2 = float(of_1.mean()), float(of_2.mean())
    share = (min(power_1, power_2) - float(shared.mean())) / (float(np.sqrt(power_1 * power_2)) + FLOOR)
    return own >= (OWN_ALIKE if alike else OWN) and share >= (OWN_SHARE_ALIKE if alike else OWN_SHARE)


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

"""Pairs of fingerprints that are alike, among millions, without comparing all with all: locality-sensitive hashing by sampled bits.

Each of TABLES tables sorts all hashes by a few of their bits; those that share all of these are compared in full. The number of
bits grows with that of the pictures, so a bucket holds one stranger on average, however many there are (Indyk & Motwani 1998).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint8]  # (n, 32): 256 bits

BITS = 256  # of PDQ
FAR = 100  # bits of 256: 98 % of crops of up to 8 % a side are nearer; strangers begin at 94, and the alignment tells them
# Pictures; from there on 2 bits less for each doubling, or a million would have two million strangers to align
CROWD = 1 << 16
TABLES = 64  # of synthetic crops (0.2 of the bits turned) among 2,000: 92 % are found; near copies 100 %, 99.9 % among a million
LOW = 10  # the lowest LOW x LOW frequencies: their bits survive crops best
MOST = 48  # of a bucket are compared with each other; larger ones hold flat pictures, each compared with its MOST nearest in order

KINDS = 5  # ways in which two pictures' hashes can meet

THREADS = 2  # tables at a time: NumPy sorts and compares without the interpreter's lock

_ONES = np.array([bin(value).count("1") for value in range(256)], np.uint8)
_ONES = (_ONES[:, None] + _ONES[None]).ravel()  # of every 16-bit word


def alike(
    whole: Hashes,
    inner: Hashes,
    framed: Hashes | None = None,
    framed_of: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs that are worth a closer look.

    Args:
        whole, inner: (n, 32) hashes of each whole picture, and of its inside. A crop's whole is near its original's inside.
        framed, framed_of: (m, 32) hashes of pictures with their bars or frame, and (m,) whose they are.

    Returns:
        (pairs, kinds): (m, 2) indices, the smaller first, each pair once; (m,) which hashes met: 0 whole and whole, 1 the first's
        inside and the second's whole, 2 the first's whole and the second's inside, 3 and 4 the same with the framed ones.
    """
    n = len(whole)
    owners, kinds_of = np.tile(np.arange(n), 2), np.repeat(np.arange(2, dtype=np.int8), n)
    hashes = np.concatenate([whole, inner])
    if framed is not None and framed_of is not None:
        hashes = np.concatenate([hashes, framed])
        owners, kinds_of = np.r_[owners, framed_of], np.r_[kinds_of, np.full(len(framed), 2, np.int8)]
    words = np.ascontiguousarray(hashes).view(np.uint16)
    far = far_among(n)
    count = max(8, int(np.ceil(np.log2(max(n, 2)))) + 2)
    order = np.arange(BITS).reshape(16, 16)[-LOW:, -LOW:].ravel()  # PDQ's bits begin with the highest frequency
    columns = np.ascontiguousarray(hashes.T)
    rng = np.random.default_rng(1)  # so that the same pairs come out

    def met(bits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Codes of the pairs that share these bits and are near."""
        parts = []
        for left, right in _bucket_pairs(_keys(columns, bits)):
            # Two parts tell nothing that wholes don't
            useful = ((left < n) | (right < n)) & (owners[left] != owners[right])
            left, right = left[useful], right[useful]
            near = np.zeros(len(left), bool)
            for start in range(0, len(left), 1 << 18):
                part = slice(start, start + (1 << 18))
                near[part] = _ONES[words[left[part]] ^ words[right[part]]].sum(1, dtype=np.uint16) <= far
            left, right = left[near], right[near]
            swap = owners[left] > owners[right]
            left, right = np.where(swap, right, left), np.where(swap, left, right)
            kind = np.where(left >= n, 2 * kinds_of[left] - 1, 2 * kinds_of[right])
            parts.append((owners[left] * n + owners[right]) * KINDS + kind)
        return _distinct(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    found = np.zeros(0, np.int64)
    with ThreadPoolExecutor(THREADS if n > 10_000 else 1) as threads:
        for codes in threads.map(met, [rng.choice(order, count, replace=False) for _ in range(TABLES)]):
            found = _distinct(np.concatenate([found, codes]))
    pairs, kinds = found // KINDS, found % KINDS
    keep = np.r_[True, pairs[1:] != pairs[:-1]] if len(pairs) else np.zeros(0, bool)  # whole and whole comes first
    return np.stack([pairs[keep] // n, pairs[keep] % n], 1), kinds[keep]


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values in order, each once. NumPy's `unique` goes by hash, which takes minutes where values lie in steps, as codes do."""
    values = np.sort(values, kind="stable")  # merges runs that are in order
    return values[np.r_[True, values[1:] != values[:-1]]] if len(values) else values


def far_among(count: int) -> int:
    """The distance within which pairs are worth a closer look, among so many pictures."""
    return FAR - 2 * max(0, round(math.log2(max(count, 1) / CROWD)))


def _keys(columns: NDArray[np.uint8], bits: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The chosen bits of each hash, as one number; `columns` (32, n) are the bytes of all hashes."""
    keys = np.zeros(columns.shape[1], np.uint32)
    for place, bit in enumerate(bits):
        keys |= ((columns[bit // 8] >> (7 - bit % 8)) & 1).astype(np.uint32) << np.uint32(place)
    return keys


def _bucket_pairs(keys: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs with equal keys, in large buckets those within MOST places; those a step apart at a time."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    alive = np.arange(len(keys) - 1)
    for step in range(1, MOST + 1):
        alive = alive[alive + step < len(keys)]
        alive = alive[ordered[alive] == ordered[alive + step]]
        if not len(alive):
            return
        yield order[alive], order[alive + step]

"""The spectra of the steps along an axis, and their values at the harmonics of a block grid that a resize has stretched.

Profiles of the steps are averaged over all rows (or columns); their spectra are in units of what lies about each frequency, and a later
save's own lines at multiples of 1/8 are taken out first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled

Floats = NDArray[np.float32]

LENGTH = 8192
HARMONICS = 4
MOST_LINES = 640
"""Of at least twice as many rows (columns) every second, third ... is read."""
LATER = 8
"""Period of the lines that later saves leave, by JPEG and (4) by WebP."""
_TOGETHER = 64
"""Rows that are read at a time: of 8-64 the fastest."""
_SMOOTH = 21


def profiles(luma: Floats, most_lines: int = MOST_LINES) -> list[tuple[NDArray[np.float64], float]]:
    """Profiles along the rows of luma (h, w), each with the place of its first value, in pixels from the left edge."""
    lines = luma[:: max(1, len(luma) // most_lines)]
    means = _step_sums(lines) / len(lines)
    whole = lines.shape[1]
    return [
        (mean[: whole - lost], place)
        for mean, lost, place in zip(means, (1, 3, 2, 4), (1.0, 2.0, 1.5, 2.5), strict=True)
    ]


def _step_sums(lines: Floats) -> NDArray[np.float64]:
    """Sums down lines (h, w) of sqrt|first|, log of relative, sqrt|second|, sqrt|fourth| steps: (4, w), the last places not filled."""
    height, width = lines.shape
    library = compiled()
    if library is not None and lines.strides[1] == lines.itemsize:
        sums = np.empty((4, width))
        if not library.step_sums(lines, lines.strides[0] // lines.itemsize, height, width, sums):
            return sums
    sums = np.zeros((4, width))
    for top in range(0, height, _TOGETHER):  # some rows at a time, so that they stay in the processor's cache
        part = lines[top : top + _TOGETHER]
        ones = np.ones(len(part), np.float32)
        first = part[:, 1:] - part[:, :-1]
        second = first[:, 1:] - first[:, :-1]
        third = second[:, 1:] - second[:, :-1]
        fourth = third[:, 1:] - third[:, :-1]
        np.abs(first, out=first)
        about = first[:, :-2] + first[:, 2:]
        about *= np.float32(0.5)
        about += 1
        relative = first[:, 1:-1] + np.float32(1)
        relative /= about
        sums[1, : width - 3] += ones @ np.log(relative, out=relative)
        for place, steps in ((0, first), (2, np.abs(second, out=second)), (3, np.abs(fourth, out=fourth))):
            sums[place, : steps.shape[1]] += ones @ np.sqrt(steps, out=steps)
    return sums


def _moving_mean(values: NDArray[np.floating], length: int) -> NDArray[np.float64]:
    half = length // 2
    sums = np.concatenate([[0.0], values[half:0:-1], values, values[-2 : -half - 2 : -1]])
    np.cumsum(sums, out=sums)
    means: NDArray[np.float64] = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return means


@dataclass(frozen=True)
class Spectra:
    """Of the profiles along one axis, in units of their surroundings.

    Attributes:
        values: complex64 (profiles, length / 2 + 1); places: (profiles,) of their first value in the picture, in pixels.
    """

    values: NDArray[np.complex64]
    places: NDArray[np.float64]

    @property
    def length(self) -> int:
        """Of the transform: frequencies are multiples of its inverse."""
        return 2 * int(self.values.shape[1] - 1)

    @cached_property
    def joined(self) -> NDArray[np.complex64]:
        """Their mean as if all began at the place of the first: complex64 (2, length / 2 + 1).

        The second row is for frequencies folded at a half or a whole cycle: those change sign there that begin half a pixel off.
        """
        moves, signs = _moves(tuple((self.places - self.places[0]).tolist()), self.length)
        joined: NDArray[np.complex64] = signs @ (self.values * moves)
        return joined


@lru_cache(maxsize=4)
def _moves(apart: tuple[float, ...], length: int) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """By how much a spectrum turns that begins so far off, (profiles, length / 2 + 1), and the weights of both means, (2, profiles)."""
    off = np.array(apart)
    cycles = np.arange(length // 2 + 1) / length
    signs = np.stack([np.ones(len(off)), np.cos(2 * np.pi * off)])
    return np.exp(-2j * np.pi * off[:, None] * cycles).astype(np.complex64), (signs / len(off)).astype(np.complex64)


def spectra(luma: Floats, start: int = 0, most_lines: int = MOST_LINES, length: int = LENGTH) -> Spectra:
    """The spectra of the profiles along the rows, by transforms of that length; `start` is the place of the first column."""
    found = profiles(luma, most_lines)
    flat = np.zeros((len(found), length), np.float32)
    for (profile, _), line in zip(found, flat, strict=True):
        line[: len(profile)] = _flat(profile)
    values = np.fft.rfft(flat).astype(np.complex64, copy=False)
    for (profile, _), spectrum in zip(found, values, strict=True):
        _whiten(spectrum, int(length / len(profile) * 40) | 1)
    return Spectra(values, np.array([place + start for _, place in found]))


def _flat(profile: NDArray[np.float64]) -> Floats:
    """A profile without its slow part, its spikes and what later saves left, tapered."""
    position, count, taper = _positions(len(profile))
    library = compiled()
    if library is not None and len(profile) > _SMOOTH:
        made = np.empty(len(profile), np.float32)
        if not library.flat_profile(profile, taper, len(profile), made):
            return made
    flat = profile - _moving_mean(profile, _SMOOTH)
    limit = 4 * np.median(np.abs(flat)) + 1e-6
    flat = np.clip(flat, -limit, limit)
    flat = flat - (np.bincount(position, flat, LATER) / count)[position]
    return (flat * taper).astype(np.float32)


def _whiten(spectrum: NDArray[np.complex64], length: int) -> None:
    """Divide a spectrum by the mean of its sizes over so many places about each."""
    about = _moving_mean(np.abs(spectrum), length)
    spectrum /= (about + 1e-9).astype(np.float32)


@lru_cache(maxsize=16)
def _positions(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """(position, count, taper): of each of so many values its place in a period of `LATER`, how many each place has, the window."""
    position = np.arange(length) % LATER
    return position, np.bincount(position, minlength=LATER), np.sqrt(np.hanning(length + 2)[1:-1])


def folded(
    steps: NDArray[np.float64], length: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """(cycles, mirrored, place): cycles a pixel of the harmonics of some steps, whether folded back, their place in a spectrum."""
    cycles = np.arange(1, HARMONICS + 1)[:, None] * steps / 8
    part = cycles - np.floor(cycles)
    mirrored = part > 0.5
    return cycles, mirrored, np.where(mirrored, 1 - part, part) * length


def _turned(cycles: NDArray[np.float64], place: NDArray[np.float64] | float) -> NDArray[np.complex64]:
    """By how much those cycles a pixel turn up to some places."""
    turns = cycles * place
    turns -= np.floor(turns)  # in doubles: places are large, and single precision is enough only for what is left
    angle = turns.astype(np.float32) * np.float32(-2 * np.pi)
    turned = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=turned.real)
    np.sin(angle, out=turned.imag)
    return turned


def harmonics(spectrum: Spectra, steps: NDArray[np.float64]) -> NDArray[np.complex64]:
    """The spectra at the harmonics of some steps, real where a block starts at the left edge: (profiles, harmonics, steps)."""
    cycles, mirrored, place = folded(steps, spectrum.length)
    left = np.minimum(place.astype(np.intp), spectrum.values.shape[1] - 2)
    value = spectrum.values[:, left]
    value += (spectrum.values[:, left + 1] - value) * (place - left).astype(np.float32)
    np.negative(value.imag, out=value.imag, where=mirrored)
    value *= _turned(cycles, spectrum.places[:, None, None])
    return value


def mean_harmonics(spectrum: Spectra, steps: NDArray[np.float64]) -> NDArray[np.complex64]:
    """The mean of `harmonics` over the profiles, from `Spectra.joined`, at a quarter of the cost: (harmonics, steps)."""
    cycles, mirrored, _ = folded(steps, spectrum.length)
    value = _joined_at(spectrum, *joined_places(steps, spectrum.length))
    np.negative(value.imag, out=value.imag, where=mirrored)
    value *= _turned(cycles, float(spectrum.places[0]))
    return value


def harmonic_sizes(spectrum: Spectra, places: tuple[NDArray[np.intp], Floats]) -> Floats:
    """The absolute values of `mean_harmonics` at `joined_places`, for which nothing need be turned: float32 (harmonics, steps)."""
    sizes: Floats = np.abs(_joined_at(spectrum, *places))
    return sizes


def joined_places(steps: NDArray[np.float64], length: int) -> tuple[NDArray[np.intp], Floats]:
    """Where `Spectra.joined` has the harmonics of some steps: the place before, and how far beyond it they lie; (harmonics, steps)."""
    cycles, mirrored, place = folded(steps, length)
    odd = (np.floor(cycles) + mirrored).astype(np.intp) % 2
    index = np.minimum(place.astype(np.intp), length // 2 - 1)
    return index + odd * (length // 2 + 1), (place - index).astype(np.float32)


def _joined_at(spectrum: Spectra, index: NDArray[np.intp], part: Floats) -> NDArray[np.complex64]:
    flat = spectrum.joined.ravel()
    value: NDArray[np.complex64] = np.take(flat, index)
    value += (np.take(flat[1:], index) - value) * part
    return value

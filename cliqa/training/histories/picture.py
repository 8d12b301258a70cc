"""A picture on its way through a history, and the truth about it for every metric.

Three pictures may go the same way: `pixels` through everything, `lossless` through all but lossy saves, `clean` through all but saves
and noise. So at the end, whatever happened in between, the fidelity is that of `pixels` to `lossless`, and the noise that of `lossless`
to `clean`. Twins cost what they take: those that nothing has set apart yet are one array, those that no truth needs are None.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.noise.psnr import NOISE_FREE, colour_error, grey

Pixels = NDArray[np.uint8]
Rng = np.random.Generator
Change = Callable[[Rng, Pixels], Pixels]
Pair = tuple[float, float]


@dataclass(frozen=True)
class Save:
    """One lossy save.

    Attributes:
        codec: one of `cliqa.signal.compression.codecs.CODECS`.
        quality: as asked for, on the encoder's own scale.
        encoder: which it was, and with which settings.
        sampling: of the chroma, such as "4:2:0"; "" where it isn't told.
        table: of a JPEG, the IJG quality nearest to its luma table, 1-100; 0 of others.
        data: the file; empty where there is none that cliqa reads, or where it isn't kept.
        error: mean square error between the pixels that it was given and what it left of them; 0 where no lossless twin is followed.
    """

    codec: str
    quality: float
    encoder: str = ""
    sampling: str = ""
    table: int = 0
    data: bytes = b""
    error: float = 0.0


@dataclass(frozen=True)
class Picture:
    """Pixels uint8 (height, width, 3) and what happened to them so far.

    Attributes:
        lossless, clean: the twins, or None where they are not followed.
        saves: all lossy saves, first to last.
        fresh: whether nothing came after the last of them.
        grid: (x, y) of the first whole block of the last save as JPEG, 0-7; None without one, or where none can be told any more.
        factors: (y, x) how much larger it is than what it shows: an enlargement multiplies them, a reduction divides them, not below 1.
        since: (y, x) factors by which it was resized since the JPEG save of the lowest quality.
        noise: the last family of noise, or "clean".
        noise_share: share of the mean square between `lossless` and `clean` that is noise: 0.5 where `clean` has as much of its own.
        share: of the area that the photograph covers, less than 1 in a page or a frame.
    """

    pixels: Pixels
    lossless: Pixels | None = None
    clean: Pixels | None = None
    saves: tuple[Save, ...] = ()
    fresh: bool = False
    grid: tuple[int, int] | None = None
    factors: Pair = (1.0, 1.0)
    since: Pair = (1.0, 1.0)
    noise: str = "clean"
    noise_share: float = 1.0
    share: float = 1.0

    def changed(self, rng: Rng, change: Change) -> Picture:
        """After what happens to all three alike. `change` draws from `rng` what it needs, the same for each of them."""
        again = deepcopy(rng) if any(twin is not self.pixels for twin in self._twins().values()) else rng
        done = {id(self.pixels): change(rng, self.pixels)}
        for twin in self._twins().values():
            if id(twin) not in done:
                done[id(twin)] = change(deepcopy(again), twin)
        twins = {name: done[id(twin)] for name, twin in self._twins().items()}
        return replace(self, pixels=done[id(self.pixels)], fresh=False, **twins)  # type: ignore[arg-type]

    def cropped(self, top: int, left: int, height: int | None = None, width: int | None = None) -> Picture:
        """The part that begins there, to the end where no size is given."""
        height, width = height or self.pixels.shape[0] - top, width or self.pixels.shape[1] - left

        def change(rng: Rng, pixels: Pixels) -> Pixels:
            return np.ascontiguousarray(pixels[top : top + height, left : left + width])

        grid = self.grid and ((self.grid[0] - left) % 8, (self.grid[1] - top) % 8)
        return replace(self.changed(np.random.default_rng(0), change), grid=grid)

    def turned(self, rng: Rng, change: Change) -> Picture:
        """After a turn by 90 degrees: what was down is across now. Where the grid lies then is not followed."""
        return replace(self.changed(rng, change), grid=None, factors=self.factors[::-1], since=self.since[::-1])

    def resized(self, rng: Rng, change: Change, factors: Pair) -> Picture:
        """After a resize by the (y, x) `factors`."""
        larger = tuple(max(1.0, before * by) for before, by in zip(self.factors, factors, strict=True))
        since = tuple(before * by for before, by in zip(self.since, factors, strict=True))
        return replace(self.changed(rng, change), grid=None, factors=(larger[0], larger[1]), since=(since[0], since[1]))

    def saved(self, pixels: Pixels, save: Save) -> Picture:
        """After a lossy save that left `pixels`, which may lack a last row or column."""
        part = self if pixels.shape == self.pixels.shape else self.cropped(0, 0, *pixels.shape[:2])
        if self.lossless is not None:
            save = replace(save, error=float(np.square(part.pixels.astype(np.float32) - pixels).mean()))
        jpeg = save.codec == "jpeg"
        since = (1.0, 1.0) if jpeg and save.table <= self.jpeg_quality else self.since
        grid = (0, 0) if jpeg else self.grid
        return replace(part, pixels=pixels, saves=(*self.saves, save), fresh=True, grid=grid, since=since)

    def noised(self, base: Pixels, noisy: Pixels, family: str, share: float = 1.0) -> Picture:
        """After noise: `noisy` is `base` with it, and `base` what the picture would be without (where a camera softened it, say)."""

        def moved(twin: Pixels, to: Pixels) -> Pixels:
            if twin is self.pixels or to is self.pixels:
                return to if twin is self.pixels else twin
            return np.clip(twin + (to.astype(np.int16) - self.pixels), 0, 255).astype(np.uint8)

        lossless = None if self.lossless is None else moved(self.lossless, noisy)
        clean = None if self.clean is None else moved(self.clean, base)
        return replace(self, pixels=noisy, lossless=lossless, clean=clean, fresh=False, noise=family, noise_share=share)

    def _twins(self) -> dict[str, Pixels]:
        twins = {"lossless": self.lossless, "clean": self.clean}
        return {name: twin for name, twin in twins.items() if twin is not None}

    @property
    def jpeg_quality(self) -> int:
        """The lowest quality of all JPEG saves, 100 for none: `jpeg_quality`'s truth."""
        return min((save.table for save in self.saves if save.codec == "jpeg"), default=100)

    @property
    def jpeg_last(self) -> int:
        """Quality of the last save where it was a JPEG, else 0: `jpeg_qf`'s truth."""
        return self.saves[-1].table if self.saves else 0

    @property
    def is_420(self) -> bool:
        """Whether any save as JPEG halved the chroma both ways."""
        return any(save.codec == "jpeg" and save.sampling == "4:2:0" for save in self.saves)

    @property
    def resized_since(self) -> float:
        """Factor by which it was resized since its lowest JPEG save, the geometric mean of both axes; 1 without one."""
        return float(np.sqrt(self.since[0] * self.since[1])) if self.jpeg_quality < 100 else 1.0

    @property
    def strongest(self) -> Save | None:
        """The save that changed its pixels most: `compression`'s codec. None without one."""
        return max(self.saves, key=lambda save: save.error, default=None)

    @property
    def file(self) -> bytes:
        """The last save's file, where the pixels are still what it holds."""
        return self.saves[-1].data if self.saves and self.fresh else b""

    def noise_psnr(self) -> Pair:
        """PSNR of the noise in grey and in its colours alone, dB, at most 50: `grain_noise`'s truth.

        Needs the clean twin, and the lossless one where there were saves: else what they lost counts as noise.
        """
        noisy = self.pixels if self.lossless is None else self.lossless
        if self.clean is None:
            raise ValueError("no clean twin was followed")
        errors = (
            float(np.mean(np.square(grey(self.clean) - grey(noisy)), dtype=np.float64)),
            colour_error(self.clean, noisy),
        )
        found = [
            min(NOISE_FREE, float(10 * np.log10(255.0**2 / max(self.noise_share * each, 1e-6)))) for each in errors
        ]
        return found[0], found[1]

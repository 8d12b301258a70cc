"""A picture on its way through a history, and the truth about it.

Three pictures go the same way: `pixels` through everything, `lossless` through all but lossy codecs, `clean` through all but codecs and
noise. So what noise there is can be measured at the end, whatever happened after it: by PSNR between the last two, as the metric's
target is defined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Apply = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Save:
    """One lossy save: `codec` ("jpeg", "webp", "avif", "heic", "jxl"), its own quality, the encoder, the chroma sampling."""

    codec: str
    quality: float
    encoder: str = ""
    sampling: str = ""


@dataclass(frozen=True)
class State:
    """Pictures uint8 (h, w, 3), and what happened so far.

    Attributes:
        lossless, clean: None until noise comes in: until then they are not needed.
        saves: all lossy saves, first to last.
        band: share of the sampling rate that the content fills, across and down: 1 as taken, 0.5 after an enlargement to 2.
        since: factor by which it was resized since the lowest JPEG save, across and down.
        share: share of the picture that the content covers; less than 1 inside a page or a frame.
        steps: names of the steps.
    """

    pixels: Pixels
    lossless: Pixels | None = None
    clean: Pixels | None = None
    saves: tuple[Save, ...] = ()
    band: tuple[float, float] = (1.0, 1.0)
    since: tuple[float, float] = (1.0, 1.0)
    share: float = 1.0
    steps: tuple[str, ...] = field(default=())

    def through(self, name: str, apply: Apply) -> State:
        """After a step that changes all three pictures alike (any geometry, tone, filter, palette)."""
        lossless = None if self.lossless is None else apply(self.lossless)
        clean = None if self.clean is None else apply(self.clean)
        return replace(self, pixels=apply(self.pixels), lossless=lossless, clean=clean, steps=(*self.steps, name))

    def saved(self, name: str, apply: Apply, save: Save) -> State:
        """After a lossy save, which only the picture itself goes through."""
        lowest = save.codec == "jpeg" and save.quality <= self.jpeg_quality
        since = (1.0, 1.0) if lowest else self.since
        return replace(
            self, pixels=apply(self.pixels), saves=(*self.saves, save), since=since, steps=(*self.steps, name)
        )

    def noisy(self, name: str, apply: Apply) -> State:
        """After noise; it is the same noise in the picture and in its lossless twin."""
        before = self.pixels if self.lossless is None else self.lossless
        clean = self.pixels if self.clean is None else self.clean
        noise = apply(before).astype(np.int16) - before
        pixels = np.clip(self.pixels + noise, 0, 255).astype(np.uint8)
        lossless = np.clip(before + noise, 0, 255).astype(np.uint8)
        return replace(self, pixels=pixels, lossless=lossless, clean=clean, steps=(*self.steps, name))

    def resized(self, name: str, apply: Apply, factors: tuple[float, float]) -> State:
        """After a resize by such factors, across and down."""
        done = self.through(name, apply)
        band = tuple(min(1.0, band / factor) for band, factor in zip(self.band, factors, strict=True))
        since = tuple(since * factor for since, factor in zip(self.since, factors, strict=True))
        return replace(done, band=(band[0], band[1]), since=(since[0], since[1]))

    @property
    def jpeg_quality(self) -> float:
        """The lowest quality of the JPEG saves, 100 for none."""
        return min((save.quality for save in self.saves if save.codec == "jpeg"), default=100.0)

    @property
    def jpeg_last(self) -> float | None:
        """Quality of the last save where nothing came after it and it was a JPEG, else None."""
        last = self.saves[-1] if self.saves and self.steps and self.steps[-1].startswith("save") else None
        return last.quality if last is not None and last.codec == "jpeg" else None

    @property
    def scale_factor(self) -> float:
        """How much larger the picture is than its content needs, along the less enlarged axis: 1 for not enlarged."""
        return 1 / max(self.band)

    @property
    def resized_since(self) -> float:
        """Factor by which it was resized since the lowest JPEG save, the geometric mean of both axes; 1 without a save."""
        return float(np.sqrt(self.since[0] * self.since[1])) if self.jpeg_quality < 100 else 1.0

    def noise_psnr(self, most: float = 50.0) -> tuple[float, float]:
        """(grey, chroma) PSNR of the noise in dB, at most `most`: that of the channels' mean, and that of the differences from it."""
        if self.lossless is None or self.clean is None:
            return most, most
        error = self.lossless.astype(np.float64) - self.clean
        grey = np.rint(self.lossless.mean(axis=2)) - np.rint(self.clean.mean(axis=2))
        colour = error - error.mean(axis=2, keepdims=True)
        found = [10 * np.log10(255**2 / max(float(np.mean(part**2)), 1e-6)) for part in (grey, colour)]
        return min(found[0], most), min(found[1], most)

"""What the filters would drop with their own thresholds, in words: for summaries, for one picture's scores, and for pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One fault: pictures whose `column` is `operator` `value`.

    Attributes:
        operator: `<`, `>`, `>=` or `==`.
        command: the filter that drops such pictures.
        words: what a summary says after their number; "" for one that only a page names.
        one, many: what a page says after their number, the threshold in braces: "1 was a JPEG below 90"; "" for one without a number.
        short: what stands under a picture, its own value in braces.
        sure, least: only where that column is at least that much.
    """

    column: str
    operator: str
    value: float | str
    command: str
    words: str
    one: str = ""
    many: str = ""
    short: str = ""
    sure: str = ""
    least: float = 0.0

    def shown_by(self, scores: Mapping[str, Any]) -> bool:
        """Whether a picture's scores show it; what is missing shows nothing."""
        value = scores.get(self.column)
        if self.sure and (scores.get(self.sure) or 0.0) < self.least:
            return False
        if isinstance(self.value, str) or not isinstance(value, (int, float)):
            return self.operator == "==" and value == self.value
        return {"<": value < self.value, ">": value > self.value, ">=": value >= self.value}[self.operator]


def _level(label: str, words: str, short: str) -> Fault:
    """A fault of exposure at a level that its filter drops; `words` begins with the verb: "is too dark"."""
    verb, _, rest = words.partition(" ")
    many = f"{ {'is': 'are', 'has': 'have'}[verb] } {rest}"
    return Fault(f"exposure.{label}_level", ">", 2, "filter_bad_exposure", label.replace("_", " "), words, many, short)


# The thresholds are the defaults of the filters, which a test compares.
FAULTS = (
    Fault("jpeg_quality.quality", "<", 90, "filter_low_quality_jpeg", "saved as a low quality JPEG",
          "was a JPEG below {}", "were JPEGs below {}", "JPEG {}"),
    Fault("grain_noise.psnr", "<", 40, "filter_noisy_photo", "noisy", "is noisy", "are noisy", "noisy"),
    Fault("scale_factor.quality", "<", 95, "filter_low_quality_resize", "enlarged",
          "was enlarged", "were enlarged", "enlarged"),
    Fault("scale_factor.learned", ">=", 0.5, "filter_low_quality_resize", "enlarged by a network",
          "was enlarged by a network", "were enlarged by a network", "by a network"),
    Fault("sharpness.blur", ">", 2, "filter_blurry_photo", "blurred",
          "is blurred", "are blurred", "blurred", "sharpness.confidence", 0.5),
    Fault("compression.fidelity", "<", 70, "filter_low_quality_compression", "much lost to a codec",
          "lost much to a codec", "lost much to a codec", "codec"),
    _level("too_bright", "is too bright", "too bright"),
    _level("too_dark", "is too dark", "too dark"),
    _level("contrast_too_high", "has too much contrast", "harsh"),
    _level("contrast_too_low", "has too little contrast", "flat"),
    _level("highlights_clipped", "has clipped highlights", "clipped"),
    _level("highlights_over_suppressed", "has greyed highlights", "greyed"),
    Fault("grepq.quality", "<", 50, "filter_low_perceptual_quality", "of low perceptual quality",
          "would be rated low", "would be rated low", "low"),
    Fault("aesthetic.label", "==", "rejected", "filter_low_aesthetic", "not worth keeping"),
    Fault("aesthetic.score", "<", 0.5, "filter_low_aesthetic", "",
          "is hardly worth keeping", "are hardly worth keeping", "poor"),
)  # fmt: skip


def faults_among(columns: Iterable[str]) -> list[Fault]:
    """The faults that these columns can tell."""
    known = set(columns)
    return [fault for fault in FAULTS if fault.column in known and (not fault.sure or fault.sure in known)]

"""What the filters would drop with their own thresholds, in words: for summaries, and for the scores of a single picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cliqa.records import Scalar
from cliqa.signal.exposure.labels import LABELS


@dataclass(frozen=True)
class Fault:
    """One fault. `keep` is the condition of a picture without it, as `apply --where` takes it: name, `>=`, `<` or `!=`, value."""

    words: str
    name: str
    rule: str
    value: float | str

    @property
    def keep(self) -> str:
        """The condition that a picture without it fulfils."""
        value = f"'{self.value}'" if isinstance(self.value, str) else f"{self.value:g}"
        return f"{self.name} {self.rule} {value}"

    def has(self, value: Scalar) -> bool:
        """Whether a score shows it; what is missing shows nothing."""
        if self.rule == "!=":
            return value == self.value
        if not isinstance(value, (int, float)) or isinstance(self.value, str):
            return False
        return value < self.value if self.rule == ">=" else value >= self.value


# The defaults of the filters, which a test compares.
FAULTS = (
    Fault("saved as a low quality JPEG", "jpeg_quality.quality", ">=", 90),
    Fault("noisy", "grain_noise.psnr", ">=", 40),
    Fault("enlarged", "scale_factor.quality", ">=", 95),
    Fault("enlarged by a network", "scale_factor.learned", "<", 0.5),
    Fault("much lost to a codec", "compression.fidelity", ">=", 70),
    *(
        Fault(label.replace("_", " "), f"exposure.{label}_level", "<", 3)
        for label in LABELS
    ),
    Fault("of low perceptual quality", "grepq.quality", ">=", 50),
    Fault("not worth keeping", "aesthetic.label", "!=", "rejected"),
)  # fmt: skip


def found(values: Mapping[str, Scalar]) -> Iterable[Fault]:
    """The faults that a picture's scores show."""
    return (fault for fault in FAULTS if fault.has(values.get(fault.name)))


def of_field(name: str) -> Fault | None:
    """The fault that a score tells of, if it tells of one."""
    return next((fault for fault in FAULTS if fault.name == name), None)

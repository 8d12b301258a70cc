"""The keep rule that most filters have: one field reaches one threshold, which is also what goes before the name."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cliqa.cli.filtering import Filter


@dataclass(frozen=True)
class Threshold:
    """Keep an image whose `field` is at least the option of the same name.

    Attributes:
        field: a field of the metric, a number.
        default: the option's default.
        kind: the option's type, such as `cliqa.cli.options.bounded(0, 100)`.
        help: what the option's help says.
        digits: how many the prefix has, so that names sort like scores.
    """

    field: str
    default: float
    kind: Callable[[str], float]
    help: str
    digits: int = 3

    def add_option(self, group: argparse._ArgumentGroup) -> None:
        """Add `--<field>`."""
        group.add_argument(f"--{self.field}", type=self.kind, default=self.default, help=self.help)

    def keep(self, options: argparse.Namespace, fields: dict[str, Any]) -> bool:
        """Whether the field reaches the option."""
        return bool(fields[self.field] >= getattr(options, self.field))

    def prefix(self, fields: dict[str, Any]) -> str:
        """The rounded field, with leading zeros."""
        return f"{round(fields[self.field]):0{self.digits}d}"


def threshold_filter(command: str, metric: str, threshold: Threshold, description: str) -> Filter:
    """A filter that is its threshold and nothing else; arguments as of `Filter`."""
    return Filter(command, metric, description, threshold.add_option, threshold.keep, threshold.prefix)

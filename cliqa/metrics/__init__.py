"""The registry of metrics: built in here, or from other packages through the entry-point group `cliqa.metrics`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Mapping

from cliqa.errors import CheckpointError, UsageError
from cliqa.metrics import checkpoints
from cliqa.metrics.base import Field, Metric, Observation, Value, View

__all__ = ["Field", "Metric", "Observation", "Value", "View", "list_metrics", "load_metric", "metric_class"]

ENTRY_POINTS = "cliqa.metrics"

_BUILT_IN = {
    "jpeg_quality": "cliqa.metrics.jpeg_quality:JpegQuality",
    "grain_noise": "cliqa.metrics.grain_noise:GrainNoise",
    "scale_factor": "cliqa.metrics.scale_factor:ScaleFactor",
    "jpeg_qf": "cliqa.metrics.jpeg_qf:JpegQf",
    "compression": "cliqa.metrics.compression:Compression",
    "exposure": "cliqa.metrics.exposure:Exposure",
    "aesthetic": "cliqa.metrics.aesthetic:Aesthetic",
    "grepq": "cliqa.metrics.grepq:GRepQ",
    "sharpness": "cliqa.metrics.sharpness:Sharpness",
    "fingerprint": "cliqa.metrics.fingerprint:Fingerprint",
}

_NEEDS = {"fingerprint": ("pdqhash", "duplicates")}  # a package, and the extra that brings it

# Built in too, but not listed: they need weights of the user's own.
_UNLISTED = {
    "exposure_clip": "cliqa.metrics.exposure_clip:ExposureClip",
    "aesthetic_inception": "cliqa.metrics.aesthetic_inception:AestheticInception",
}


def _targets() -> dict[str, str]:
    from importlib import metadata  # a tenth of a second of start that no built-in metric needs

    found = {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}
    return found | _BUILT_IN | _UNLISTED  # a built-in name can't be taken over


def list_metrics() -> list[str]:
    """Names of all metrics, the built-in ones first; one whose package is not installed is left out."""
    lacking = left_out()
    built_in = [name for name in _BUILT_IN if name not in lacking]
    return [*built_in, *sorted(set(_targets()) - set(_BUILT_IN) - set(_UNLISTED))]


def known_metrics() -> set[str]:
    """Every name that `load_metric` takes: also those that are not listed, or lack a package."""
    return set(_targets())


def left_out() -> dict[str, str]:
    """Built-in metrics whose package is not installed, and the extra that brings it."""
    return {name: extra for name, (package, extra) in _NEEDS.items() if importlib.util.find_spec(package) is None}


def metric_class(name: str) -> type[Metric]:
    """The class of a metric, by its registered name or as `package.module:Class`.

    Raises UsageError for an unknown name, with the nearest known ones.
    """
    targets = _BUILT_IN if name in _BUILT_IN else {name: name} if ":" in name else _targets()
    if name not in targets:
        raise UsageError(f"there is no metric {name!r}{_hint(name, targets)}")
    module, _, attribute = targets[name].partition(":")
    try:
        found: type[Metric] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the metric {name!r} can't be imported from {targets[name]}: {error}") from error
    return found


def _hint(name: str, targets: Mapping[str, str]) -> str:
    """What a wrong name may stand for: a metric's field, the start of names, a slip of the keys."""
    metric, dot, field = name.partition(".")
    if dot and metric in targets:
        return f"; {metric} is the metric, {field} would be its field: give {metric}"
    begun = [known for known in targets if name and known.startswith(name)]
    near = begun or difflib.get_close_matches(name, targets, n=2)
    return f"; did you mean {' or '.join(near)}?" if near else f"; known: {', '.join(list_metrics())}"


def load_metric(name: str, checkpoint: str | None = None, device: str = "cpu") -> Metric:
    """A metric with its weights, ready to score.

    Args:
        name: one of `list_metrics()`.
        checkpoint: a weights file; None takes the one that ships with cliqa.
        device: "cpu", or a torch device such as "cuda:0" for metrics that run a torch network.

    Raises:
        UsageError: there is no such metric, or its package is not installed.
        CheckpointError: the weights are missing, unreadable or of another metric.
    """
    cls = metric_class(name)
    if extra := left_out().get(name):
        raise UsageError(f"the metric {name!r} needs the extra: pip install 'cliqa[{extra}]'")
    if not cls.weights:
        return cls({}, {"weights": f"version-{cls.version}"} if cls.version > 1 else {}, device)
    path = checkpoint if checkpoint is not None else checkpoints.shipped_path(name)
    tensors, facts = checkpoints.load(path, metric=name, architecture=cls.architecture, version=cls.version)
    try:
        return cls(tensors, facts | {"weights": checkpoints.fingerprint(path)}, device)
    except (KeyError, IndexError, ValueError) as error:
        raise CheckpointError(f"{path} lacks what {name} needs, or has it in another shape: {error}") from error

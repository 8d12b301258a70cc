"""One file -> what the metrics observe of it, or an issue: open, decode once, reduce. Runs in a worker or in the main process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from cliqa.errors import ImageIssue, ImageSkipped
from cliqa.images.jpeg import hand_on
from cliqa.images.loading import load_image
from cliqa.inputs.contents import content_sha256
from cliqa.metrics import Metric, Observation, Value, View
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue, Scalar, Source
from cliqa.text import described


@dataclass
class Observed:
    """One decoded file: facts, and per metric its observation, its fields where it is `in_worker`, or why there is neither."""

    source: Source
    facts: dict[str, Scalar]
    observations: dict[str, Observation | ImageIssue] = field(default_factory=dict)
    values: dict[str, dict[str, Value]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def observe_file(
    source: Source,
    settings: PipelineSettings,
    metrics: Sequence[Metric | type[Metric]],
    declared: Callable[[int, int], None] = lambda size, pixels: None,
) -> Observed | Issue:
    """Open, decode once and observe. Whatever goes wrong with the file becomes an Issue.

    Loaded metrics that are `in_worker` score too; of the others the class will do.

    `declared` is called before the pixels are decoded, with the file's size and how many its header declares.
    """
    facts: dict[str, Scalar] = {}
    content = source.content
    if content is not None:
        source = source.released()
    try:
        facts = _stat_facts(source)
        data = content.read() if content is not None else None
        if settings.content_hash:
            facts["sha256"] = content_sha256(source.path) if data is None else hashlib.sha256(data).hexdigest()
        image = load_image(
            source.path if data is None else data,
            settings.max_image_pixels,
            partial(declared, int(facts.get("size") or 0)),
            settings.score_damaged,
        )
        facts |= image.facts()
        view = View(image, settings.num_patches)
        found = Observed(source, facts)
        for metric in metrics:
            try:
                if image.is_preview and metric.reads_grid:
                    raise ImageSkipped("a preview's pixels are not those of the picture")
                seen = metric.observe(view)
                if isinstance(metric, Metric) and metric.in_worker:
                    found.values[metric.name] = metric.plain_score(seen)
                else:
                    found.observations[metric.name] = seen
            except ImageIssue as issue:
                found.observations[metric.name] = issue
        if image.header.is_jpeg:
            hand_on(image.stored)
        failures = [seen for seen in found.observations.values() if isinstance(seen, ImageIssue)]
        if failures and len(failures) == len(metrics):
            return Issue.of(source, failures[0], facts)
        found.notes += image.notes
        if image.icc_ignored:
            found.notes.append("the colour profile can't be used and was ignored")
        return found
    except ImageIssue as error:
        return Issue.of(source, error, facts)
    except MemoryError:
        return Issue(source, "error", "not enough memory", facts)
    except Exception as error:  # one file never ends the run
        return Issue(source, "error", described(error), facts)


def _stat_facts(source: Source) -> dict[str, Scalar]:
    state = source.state()
    return {} if state is None else {"size": state.size, "mtime_ns": state.mtime_ns}  # opening it will say why

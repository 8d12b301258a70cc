"""Options -> what a run works with: the listing, the output folder, the metrics, the settings, the results' columns."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from cliqa.cli import devices
from cliqa.cli.console import Console
from cliqa.cli.options import file_options, way
from cliqa.errors import UsageError
from cliqa.inputs.folders import IMAGE_SUFFIXES, parse_suffixes
from cliqa.inputs.listing import Listing, reaches_beyond
from cliqa.inputs.locations import is_remote
from cliqa.inputs.member_names import is_shard
from cliqa.limits import DEFAULT_NUM_PATCHES, FILE_SECONDS
from cliqa.metrics import Metric, load_metric, metric_class
from cliqa.outputs import Placer
from cliqa.outputs.companions import Companions, judged_by_suffix
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.keys import KeyList
from cliqa.outputs.samples import SamplePlacer, refuse_options
from cliqa.outputs.tars import TarWriter, is_tar_pattern
from cliqa.pipeline.run import PipelineSettings, default_workers
from cliqa.results import Results, Schema


def open_listing(options: argparse.Namespace) -> Listing:
    """The input files that the options name. Raises UsageError or RunError."""
    listing = Listing(
        *options.input,
        recursive=options.recursive,
        suffixes=parse_suffixes(options.exts) if options.exts else IMAGE_SUFFIXES,
        null=options.null,
        stream=sys.stdin.buffer if "-" in options.input and sys.stdin is not None else None,
        image_column=options.image_column,
        key_column=options.key_column,
    )
    listing.check()
    return listing


def open_placer(options: argparse.Namespace) -> Placer | None:
    """The output folder or tars, checked but not made yet; None where nothing is to be placed."""
    if not options.output:
        if options.sync or options.with_companions:
            raise UsageError(f"{file_options(options)[-1]} is about an output folder: give --output")
        return None
    beyond = [given for given in options.input if reaches_beyond(given)]
    placer: Placer
    if is_tar_pattern(options.output):
        if not beyond:
            raise UsageError(
                "tars take whole samples of shards, and loose files belong to none: give a folder as --output"
            )
        refuse_options(options.score_prefix, file_options(options))
        placer = SamplePlacer(TarWriter(options.output, options.shard_size, options.resume))
    elif any(is_shard(given) or is_remote(given) for given in beyond):
        raise UsageError("from shards whole samples go into tars, -o kept/%06d.tar; or name the images with --print")
    else:
        suffixes = parse_suffixes(options.exts) if options.exts else IMAGE_SUFFIXES
        companions = Companions(judged_by_suffix(suffixes)) if options.with_companions else None
        placer = FolderPlacer(options.output, way(options), options.resume, companions, options.sync)
    placer.check(options.input)
    return None if options.dry_run else placer


def open_key_list(options: argparse.Namespace) -> Placer | None:
    """The file for the keys of kept samples, checked but not made yet; None where none was asked for."""
    if not options.keys:
        return None
    if not any(reaches_beyond(given) for given in options.input):
        raise UsageError("--keys lists samples of shards; of files name the paths with --print")
    if options.output and not is_tar_pattern(options.output):
        raise UsageError(
            "--keys lists samples of shards, and a folder takes single files: give tars as --output, or none"
        )
    keys = KeyList(options.keys, b"\0" if options.null else b"\n", options.resume)
    keys.check(options.input)
    return keys


def open_metrics(names: Sequence[str], options: argparse.Namespace, console: Console) -> list[list[Metric]]:
    """The metrics with their weights, once per device."""
    uses_torch = any(metric_class(name).uses_torch for name in names)
    found = devices.resolve(options.gpu, uses_torch, console.say)
    return [[load_metric(name, options.checkpoint, device) for name in names] for device in found]


def schema_of(metrics: Sequence[Metric], num_patches: int = DEFAULT_NUM_PATCHES) -> Schema:
    """The results columns of these metrics. A number of patches other than the default marks rows as other weights do."""
    mark = "" if num_patches == DEFAULT_NUM_PATCHES else f"-patches{num_patches}"
    return Schema(
        {metric.name: metric.fields for metric in metrics},
        {metric.name: metric.metadata.get("weights", "none") + mark for metric in metrics},
    )


def note_input(results: Results, inputs: Sequence[str]) -> None:
    """Remember, for commands that act on the results, where relative paths hold from and below which folders trees lie."""
    results.note("base", json.dumps(os.getcwd()))
    if folders := [given for given in inputs if given != "-" and os.path.isdir(given)]:
        noted = json.loads(results.noted("inputs") or "[]")
        results.note("inputs", json.dumps(list(dict.fromkeys([*noted, *folders]))))


def pipeline_settings(options: argparse.Namespace, content_hash: bool = False) -> PipelineSettings:
    """How the options of `add_compute` and `add_input` have a run carried out.

    A limit that was asked for needs a process that can be ended: with `--file-seconds`, no workers are one.
    """
    workers = default_workers() if options.workers is None else options.workers
    return PipelineSettings(
        workers=workers if workers or not options.file_seconds else 1,
        batch_size=options.batch_size,
        num_patches=options.num_patches,
        max_image_pixels=options.max_image_pixels,
        file_seconds=FILE_SECONDS if options.file_seconds is None else options.file_seconds,
        content_hash=content_hash,
        score_damaged=options.damaged == "score",
    )

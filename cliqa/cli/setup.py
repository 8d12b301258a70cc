"""Options -> what a run works with: the listing, the output folder, the metrics, the settings, the results' columns."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cliqa.errors import UsageError
from cliqa.limits import DEFAULT_NUM_PATCHES, FILE_SECONDS

if TYPE_CHECKING:
    from cliqa.cli.console import Console
    from cliqa.inputs.folders import Listing
    from cliqa.inputs.shards import ShardListing
    from cliqa.metrics import Metric
    from cliqa.outputs.folder import Placer
    from cliqa.outputs.keys import KeyList
    from cliqa.outputs.samples import SamplePlacer
    from cliqa.pipeline.run import PipelineSettings
    from cliqa.results import Results, Schema


def open_listing(options: argparse.Namespace) -> Listing | ShardListing:
    """The input files that the options name. Raises UsageError or RunError."""
    from cliqa.inputs.folders import IMAGE_SUFFIXES, Listing, parse_suffixes
    from cliqa.inputs.shards import ShardListing, reaches_beyond

    suffixes = parse_suffixes(options.exts) if options.exts else IMAGE_SUFFIXES
    stream = sys.stdin.buffer if options.input == "-" and sys.stdin is not None else None
    listing: Listing | ShardListing
    if reaches_beyond(options.input):
        columns = (options.image_column, options.key_column)
        listing = ShardListing(options.input, options.recursive, suffixes, options.null, stream, *columns)
    else:
        listing = Listing(options.input, options.recursive, suffixes, options.null, stream)
    listing.check()
    return listing


def open_placer(options: argparse.Namespace) -> Placer | SamplePlacer | None:
    """The output folder or tars, checked but not made yet; None where nothing is to be placed."""
    from cliqa.inputs.locations import is_remote
    from cliqa.inputs.member_names import is_shard
    from cliqa.inputs.shards import reaches_beyond
    from cliqa.outputs.folder import Placer
    from cliqa.outputs.samples import SamplePlacer, refuse_options
    from cliqa.outputs.tars import TarWriter, is_tar_pattern

    if not options.output:
        return None
    placer: Placer | SamplePlacer
    if is_tar_pattern(options.output):
        if not reaches_beyond(options.input):
            raise UsageError(
                "tars take whole samples of shards, and loose files belong to none: give a folder as --output"
            )
        refuse_options(options.symlink, options.score_prefix)
        placer = SamplePlacer(TarWriter(options.output, options.shard_size, options.resume))
    elif reaches_beyond(options.input) and (is_shard(options.input) or is_remote(options.input)):
        raise UsageError("from shards whole samples go into tars, -o kept/%06d.tar; or name the images with --print")
    else:
        placer = Placer(options.output, options.symlink, options.resume)
    placer.check(options.input)
    return None if options.dry_run else placer


def open_key_list(options: argparse.Namespace) -> KeyList | None:
    """The file for the keys of kept samples, checked but not made yet; None where none was asked for."""
    from cliqa.inputs.shards import reaches_beyond
    from cliqa.outputs.keys import KeyList

    if not options.keys:
        return None
    if not reaches_beyond(options.input):
        raise UsageError("--keys lists samples of shards; of files name the paths with --print")
    keys = KeyList(options.keys, b"\0" if options.null else b"\n", options.resume)
    keys.check()
    return keys


def open_metrics(names: Sequence[str], options: argparse.Namespace, console: Console) -> list[list[Metric]]:
    """The metrics with their weights, once per device."""
    from cliqa.cli import devices
    from cliqa.metrics import load_metric, metric_class

    uses_torch = any(metric_class(name).uses_torch for name in names)
    found, message = devices.resolve(options.gpu, uses_torch)
    if message:
        console.say(message)
    return [[load_metric(name, options.checkpoint, device) for name in names] for device in found]


def schema_of(metrics: Sequence[Metric], num_patches: int = DEFAULT_NUM_PATCHES) -> Schema:
    """The results columns of these metrics. A number of patches other than the default marks rows as other weights do."""
    from cliqa.results import Schema

    mark = "" if num_patches == DEFAULT_NUM_PATCHES else f"-patches{num_patches}"
    return Schema(
        {metric.name: metric.fields for metric in metrics},
        {metric.name: metric.metadata.get("weights", "none") + mark for metric in metrics},
    )


def note_input(results: Results, given: str) -> None:
    """Remember, for commands that act on the results, where relative paths hold from and below which folders trees lie."""
    results.note("base", json.dumps(os.getcwd()))
    if given != "-" and os.path.isdir(given):
        inputs = json.loads(results.noted("inputs") or "[]")
        results.note("inputs", json.dumps(list(dict.fromkeys([*inputs, given]))))


def pipeline_settings(options: argparse.Namespace, content_hash: bool = False) -> PipelineSettings:
    """How the options of `add_compute` and `add_input` have a run carried out.

    A limit that was asked for needs a process that can be ended: with `--file-seconds`, no workers are one.
    """
    from cliqa.pipeline.run import PipelineSettings, default_workers

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

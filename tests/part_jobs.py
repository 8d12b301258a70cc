"""What every slot of a run in parts has to know, for a toy metric."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from cliqa.cli.setup import schema_of
from cliqa.metrics import load_metric
from cliqa.pipeline.part_scorer import Job
from cliqa.pipeline.run import PipelineSettings

TOY = "tests.toy_metric:Brightness"


SCHEMA = schema_of([load_metric(TOY)])


def job(results: Path, **changes: Any) -> Job:
    settings = PipelineSettings(workers=0, content_hash=True)
    made = Job((TOY,), None, "cpu", settings, (".png",), "", "", SCHEMA, str(results), "", os.getcwd())
    return replace(made, **changes)

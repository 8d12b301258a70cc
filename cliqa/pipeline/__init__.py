"""Sources -> decode workers -> metrics -> records. The stream is told in `cliqa.pipeline.run`."""

from cliqa.pipeline.run import run
from cliqa.pipeline.settings import DEFAULT_BATCH_SIZE, PipelineSettings, default_workers

__all__ = ["DEFAULT_BATCH_SIZE", "PipelineSettings", "default_workers", "run"]

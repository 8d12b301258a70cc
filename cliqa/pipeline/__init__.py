"""Sources -> decode workers -> batches -> records. The stream is told in `cliqa.pipeline.run`."""

from cliqa.pipeline.run import DEFAULT_BATCH_SIZE, PipelineSettings, default_workers, run

__all__ = ["DEFAULT_BATCH_SIZE", "PipelineSettings", "default_workers", "run"]

"""What `tests/cli/test_ray_run.py` runs in a process of its own: several runs of `cliqa score` on one Ray of two CPUs."""

from __future__ import annotations

import contextlib
import os
import sys

import cliqa.cli.ray_run as engine
from cliqa.score import main


def start() -> None:
    """Two CPUs, whatever the machine has; a machine that is busy may need another go."""
    ray = engine._import_ray()
    for attempt in range(3):
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            return
        except Exception:
            ray.shutdown()
            if attempt == 2:
                raise


if __name__ == "__main__":
    os.environ["TOY_DEATH"], arguments = sys.argv[1], sys.argv[2:]
    rest = ["--engine", "ray", "-g", "-1", *arguments]
    with contextlib.redirect_stdout(sys.stderr):  # where Ray, which is not ended in between, tells of the dead actor
        start()
        assert main(rest) == 0
        assert os.path.exists(os.environ["TOY_DEATH"]), "no actor was killed"
        assert os.path.exists(os.environ["TOY_DEATH"] + ".decoder"), "no decoder was killed"
        engine._import_ray().shutdown()
    assert main([*rest, "--resume", "--print"]) == 0

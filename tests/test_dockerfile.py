"""The Dockerfile copies what is there, compiles, installs torch without CUDA and runs without rights. (Nothing here builds it.)"""

import re
import shlex
from pathlib import Path

from cliqa.__main__ import main

ROOT = Path(__file__).parent.parent
LINES = [
    shlex.split(line)
    for line in (ROOT / "Dockerfile").read_text().splitlines()
    if line and not line.startswith("#") and not line.startswith(("CMD", "ENTRYPOINT"))
]


def test_what_it_copies_exists_and_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    copied = [name for words in LINES if words[0] == "COPY" and "--from=build" not in words for name in words[1:-1]]
    assert {"pyproject.toml", "hatch_build.py", "cliqa", "pretrained_models"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert name in kept


def test_it_runs_as_a_user_without_rights_and_installs_no_cuda() -> None:
    users = [words[1] for words in LINES if words[0] == "USER"]
    assert users and users[-1] not in ("root", "0")
    assert any("--torch-backend=cpu" in words for words in LINES)


def test_its_entry_point_is_the_command() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r'^ENTRYPOINT \["cliqa"\]$', text, re.M)
    assert main(["--help"]) == 0

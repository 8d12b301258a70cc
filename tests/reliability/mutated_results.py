"""Damaged and hostile results files, stores and weights: told in one line or read, never a crash, never a file that is harmed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from cliqa.errors import CliqaError
from cliqa.metrics import load_metric
from cliqa.results.store import Store
from tests.reliability.campaign import Tally
from tests.reliability.commands import COMMANDS
from tests.reliability.mutations import mutated
from tests.reliability.runs import damage, inputs, make_workspace, run

KINDS = ("csv", "jsonl", "db", "parquet")


def mutate_results(folder: Path, count: int, seed: int = 0) -> Tally:
    """`count` mutated results files: read as a store, then gone on with by a run."""
    tally = Tally()
    for kind in KINDS:
        command = next(each for each in COMMANDS if each.name == f"filter {kind}")
        root = folder / kind
        make_workspace(root, command)
        assert run(command, root)[0] == 0
        sound = {path.name: path.read_bytes() for path in root.glob(f"r*.{kind}")}
        for number in range(count // len(KINDS)):
            rng = np.random.default_rng([seed, KINDS.index(kind), number])
            for name, data in sound.items():
                (root / name).write_bytes(mutated(data, list(sound.values()), rng)[0])
            shutil.rmtree(root / "out")
            for path in root.glob(".r*"):
                path.unlink()
            (root / "out").mkdir()
            for name in ("mine.txt", "04.png"):
                (root / "out" / name).write_bytes(inputs(root)[f"out/{name}"])
            before = inputs(root)
            tally.injected[f"mutated .{kind}"] += 1
            tally.statuses[_read(root / command.results, tally, f"{kind} {number}")] += 1
            status, messages = run(command, root, "--resume")
            tally.statuses[f"resumed: {status}"] += 1
            if status not in (0, 1, 2) or "internal error" in messages or "Traceback" in messages:
                tally.findings.append(f"{kind} {number}: resumed with {status}: {messages[-300:]}")
            tally.findings += [f"{kind} {number}: {finding}" for finding in damage(root, before)]
        shutil.rmtree(root)
    return tally


def _read(path: Path, tally: Tally, label: str) -> str:
    try:
        with Store(str(path)) as store:
            for _ in store.rows(store.columns):
                pass
            for _ in store.issues():
                pass
            for name in store.score_columns:
                store.field(name)
    except CliqaError:
        return "refused"
    except Exception as error:
        tally.findings.append(f"{label}: read: {type(error).__name__}: {error}")
        return "crashed"
    return "read"


def mutate_weights(folder: Path, count: int, seed: int = 0) -> Tally:
    """`count` mutated weights files: refused in one line, or loaded."""
    from cliqa.metrics.checkpoints import shipped_path

    tally = Tally()
    sound = shipped_path("jpeg_quality").read_bytes()
    others = [sound, b"PK\3\4" + bytes(200), b"\x80\2}q\0."]
    for number in range(count):
        rng = np.random.default_rng([seed, 9, number])
        suffix = ".pth" if number % 5 == 4 else ".safetensors"
        path = folder / f"weights{suffix}"
        path.write_bytes(mutated(sound, others, rng)[0])
        tally.injected["mutated weights"] += 1
        try:
            load_metric("jpeg_quality", str(path))
            tally.statuses["loaded"] += 1
        except CliqaError as error:
            tally.statuses["refused"] += 1
            if "\n" in str(error):
                tally.findings.append(f"weights {number}: more than a line: {error}")
        except Exception as error:
            tally.findings.append(f"weights {number}: {type(error).__name__}: {error}")
        path.unlink()
    return tally

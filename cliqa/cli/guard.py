"""Around every command's body: failures become one line and an exit status, signals end a run cleanly."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from cliqa.cli.console import Console
from cliqa.errors import CliqaError

# NumPy's own linear algebra, which reads these when NumPy is first imported. The networks that it runs are small: more threads would
# spin for each other, on the processors that the decode workers need (a third of a run's time).
LINEAR_ALGEBRA = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class _Stopped(KeyboardInterrupt):
    """The system asked this process to end; `args` holds the signal's number."""


def guarded(command: str, quiet: bool, action: Callable[[Console], int], resumes: bool = False) -> int:
    """Run a command's body; failures become one line on standard error and an exit status.

    `resumes` says that `--resume` would go on with this run, which a person who interrupted it may want to know.

    Beside the documented statuses, a run that Ctrl-C or a signal stopped gives 128 + the signal's number, as in any shell.
    """
    console = Console(command, quiet)
    for name in LINEAR_ALGEBRA:
        os.environ.setdefault(name, "1")
    _hold_standard_streams()
    try:
        with _signals_interrupt():
            return action(console)
    except CliqaError as error:
        console.error(str(error))
        return error.exit_status
    except KeyboardInterrupt as stop:
        console.error("interrupted" + ("; run again with --resume to go on" if resumes else ""))
        return 128 + int(stop.args[0] if stop.args else signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would fail once more, at its end
        console.say(f"{command}: stopped, since nobody reads standard output any more")
        return 1
    except Exception as error:
        if os.environ.get("CLIQA_DEBUG"):
            raise
        if isinstance(error, ModuleNotFoundError) and not (error.name or "cliqa").startswith("cliqa"):
            console.error(
                f"{error.name} is not installed for {sys.executable}; in the folder of cliqa `make install` makes .venv/bin/cliqa, "
                "and `python -m pip install .` installs it here"
            )
            return 1
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        console.error(f"internal error: {reason}; what was done so far is kept (CLIQA_DEBUG=1 shows where it happened)")
        return 1


def run_body(command: str, body: str, options: argparse.Namespace, resumes: bool = False, *more: object) -> int:
    """`guarded`, with a `module:function` of (options, console, *more) that is imported no sooner: `--help` must be instant."""

    def action(console: Console) -> int:
        module, _, name = body.partition(":")
        return int(getattr(importlib.import_module(module), name)(options, console, *more))

    return guarded(command, options.quiet, action, resumes)


def _hold_standard_streams() -> None:
    """Where a standard stream was closed, nothing else may get its number: a results file as number 2 would take messages."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and a closed terminal end a run as Ctrl-C does: workers ended, files closed, one line said."""

    def interrupt(number: int, _: object) -> None:
        raise _Stopped(number)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]  # `nohup` has its way
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)

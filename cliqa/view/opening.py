"""What `cliqa view` does. Options -> a session: which store a folder has, where marks and thumbnails go, what is to be scored."""

from __future__ import annotations

import argparse
import os
import sys

from cliqa.cli.console import Console
from cliqa.errors import RunError, UsageError
from cliqa.pipeline.settings import default_workers
from cliqa.results.store import DATABASE_SUFFIXES
from cliqa.view.acting import Actor
from cliqa.view.home import kept_file
from cliqa.view.marks import MarkBook
from cliqa.view.scoring import BackgroundScoring
from cliqa.view.session import Session
from cliqa.view.table import FileTable
from cliqa.view.thumbnails import Thumbnails


def view(options: argparse.Namespace, console: Console) -> int:
    """Serve the page until Ctrl-C; returns the exit status."""
    try:
        from cliqa.view.serving import Serving
    except ImportError:
        raise UsageError("the viewer needs the extra: pip install 'cliqa[view]'") from None
    if not os.path.lexists(options.target):
        raise RunError(f"there is no folder or store {options.target}")
    session = open_session(options)
    try:
        with Serving(session, options.port) as serving:
            session.start()
            print(serving.address, flush=True)
            console.say(
                "Open that address in a browser of this machine; it carries the secret of this session. Ctrl-C ends it."
            )
            console.say(f"Scores and marks: {session.table.path}")
            if not options.no_browser:
                _open_browser(serving.address)
            serving.wait()
    except KeyboardInterrupt:
        console.say("ended; every mark is saved")
    finally:
        session.close()
    return 0


def _open_browser(address: str) -> None:
    import webbrowser

    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return  # a browser in the terminal could not show it
    webbrowser.open(address)


def open_session(options: argparse.Namespace) -> Session:
    """A session, with nothing under way yet. Raises CliqaError where something can't be read or written."""
    target = options.target
    folder = target if os.path.isdir(target) and not os.path.isfile(os.path.join(target, "cliqa.json")) else None
    if folder is None and options.store:
        raise UsageError("--store goes with a folder of pictures; a store needs no other")
    store = target
    if folder is not None:
        store = os.path.abspath(options.store) if options.store else kept_file(folder, ".db")
        if not store.lower().endswith(DATABASE_SUFFIXES):
            raise UsageError(f"the store of a folder is a {' or '.join(DATABASE_SUFFIXES)} file")
    own = store.lower().endswith(DATABASE_SUFFIXES) and (not os.path.exists(store) or os.access(store, os.W_OK))
    book = MarkBook(store if own else kept_file(store, ".marks.db"))
    try:
        table = FileTable(store, folder, options.recursive)
    except BaseException:
        book.close()
        raise
    scoring = None
    if folder is not None and not options.no_score:
        words = [
            "--workers",
            str(options.workers or max(1, default_workers() - 1)),
            *(["--recursive"] if options.recursive else []),
        ]
        scoring = BackgroundScoring(os.path.abspath(folder), store, words)
    actor = Actor(
        table,
        os.path.abspath(options.output),
        kept_file(os.path.abspath(options.output), ".journal.db"),
        options.sidecars,
    )
    return Session(table, book, Thumbnails(kept_file(store, ".thumbnails.db")), actor, scoring)

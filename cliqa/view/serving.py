"""The server around a session: one port of the loopback address, a secret, and an end that leaves nothing open."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import uvicorn

from cliqa.errors import RunError
from cliqa.view.guard import Guard
from cliqa.view.server import application
from cliqa.view.session import Session

LOOPBACK = "127.0.0.1"
_STARTING = 20.0  # seconds


class Serving:
    """Serves while its block runs. Raises RunError where no port can be had.

    Attributes:
        address: what a person opens, with the secret in it.
        guard: what lets requests through.
    """

    def __init__(self, session: Session, port: int) -> None:
        self._socket = _listen(port)
        self.port = int(self._socket.getsockname()[1])
        self.guard = Guard(application(session), self.port)
        self.address = f"http://{LOOPBACK}:{self.port}/?token={self.guard.token}"
        config = uvicorn.Config(
            self.guard, log_level="error", access_log=False, lifespan="off", server_header=False, date_header=False,
            proxy_headers=False, ws="none", timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Serving:
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_STARTING / 0.02)):
            if self._server.started:
                return self
            waited.wait(0.02)
        raise RunError("the server does not begin")

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def wait(self) -> None:
        """Until the server ends, or a signal raises."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def _serve(self) -> None:
        with contextlib.suppress(Exception):
            self._server.run(sockets=[self._socket])


def _listen(port: int) -> socket.socket:
    """A socket on the port, or on any that is free where somebody has it."""
    problem: Any = None
    for wanted in dict.fromkeys((port, 0)):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
            else:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((LOOPBACK, wanted))
            listening.listen(64)
            return listening
        except OverflowError:
            listening.close()
            raise RunError(f"there is no port {wanted}") from None
        except OSError as error:
            listening.close()
            problem = error
    raise RunError(f"no port of this machine can be had: {problem}")

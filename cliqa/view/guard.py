"""Who may ask: this machine's user, through the page that this server gave out, and nobody else.

Every request has to come to the loopback address by its own name (which ends DNS rebinding), from the page itself (a foreign page's
requests carry its origin, or say that they are cross-site), and with the secret that the printed address carries. What changes
anything must be a POST of the page's own script: a form can't send its kind of content.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 16 << 20  # bytes: the row numbers of two million files
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-frame-options", "DENY"),
)
REFUSED = b"Refused. Open the address that `cliqa view` printed: it carries the secret of this session.\n"


class Guard:
    """Lets the page's own requests through to `application`, refuses all others with 403 and without a reason.

    Args:
        application: what answers.
        port: on which the server listens.
    """

    def __init__(self, application: Application, port: int) -> None:
        self.application = application
        self.token = secrets.token_urlsafe(32)
        self.port = port
        self.cookie = f"cliqa-view-{port}"
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.application(scope, receive, send)
            return
        if scope["type"] != "http":  # there is no socket here
            return
        answer = self._judged(scope)
        if answer is not None:
            await _answer(send, *answer)
            return
        await self.application(scope, _bounded(receive), _with_headers(send))

    def _judged(self, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        """What a request is answered at once; None where it may go on."""
        refused = (403, [(b"content-type", b"text/plain; charset=utf-8")], REFUSED)
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        host = headers.get("host", [])
        if len(host) != 1 or host[0].lower() not in self.hosts:
            return refused
        if any(origin != f"http://{host[0].lower()}" for origin in headers.get("origin", [])):
            return refused
        opened = scope["method"] == "GET" and scope["path"] == "/"
        allowed = ("same-origin", "none") if opened else ("same-origin",)
        if any(site not in allowed for site in headers.get("sec-fetch-site", [])):
            return refused
        if any(part in (b"..", b".") for part in bytes(scope.get("raw_path") or b"").split(b"?")[0].split(b"/")):
            return refused
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        if opened and given:  # the printed address: the secret moves from there, where it would be seen, into a cookie
            if len(given) != 1 or not self._is_token(given[0]):
                return refused
            cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
            return 303, [(b"location", b"/"), (b"set-cookie", cookie.encode("ascii"))], b""
        if not self._has_token(headers):
            return refused
        if scope["method"] in ("GET", "HEAD"):
            return None
        kind = headers.get("content-type", [""])[0].split(";")[0].strip().lower()
        return None if scope["method"] == "POST" and kind == "application/json" and headers.get("origin") else refused

    def _has_token(self, headers: dict[str, list[str]]) -> bool:
        for line in headers.get("cookie", []):
            try:
                found = SimpleCookie(line).get(self.cookie)
            except CookieError:
                continue
            if found is not None and self._is_token(found.value):
                return True
        return False

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode())


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    extra = [(name.encode(), value.encode()) for name, value in HEADERS]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, *extra, (b"cache-control", b"no-store")],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _bounded(receive: Receive) -> Receive:
    """The same, with no more than `MOST_BODY` bytes of a body: what is beyond is taken for the end of the connection."""
    taken = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MOST_BODY else message

    return limited


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in message["headers"]}
            policy = [(b"content-security-policy", POLICY.encode())] if b"content-security-policy" not in names else []
            extra = [(name.encode(), value.encode()) for name, value in HEADERS]
            message = {**message, "headers": [*message["headers"], *policy, *extra]}
        await send(message)

    return sending

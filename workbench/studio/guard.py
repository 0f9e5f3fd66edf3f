# SPDX-License-Identifier: Apache-2.0
"""Who may ask the studio: a browser on this computer that knows the token, on the studio's own page.

Other pages in the same browser can send requests to 127.0.0.1, too. What they cannot forge tells them apart:

- the token is the first part of every path. It is no cookie: a browser would send that to every port.
- the header Host is the studio's own address: a foreign name that leads to 127.0.0.1 (DNS rebinding) is none.
- the header Origin is the studio's own, and is wanted of every WebSocket and of all that is no GET or HEAD.

The answers' Content-Security-Policy lets the browser reach nothing but the studio.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]  # ASGI

HOSTS = ("127.0.0.1", "localhost")
_SAFE = ("GET", "HEAD")
_FORWARDED = b"x-forwarded-"  # no proxy stands before the studio
_REFUSED = b"This is not the address that earshot studio printed, or another page asked.\n"
_LEFT_TO_US = (b"access-control-", b"content-security-policy")  # headers of the answer


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: App, token: str, port: int) -> None:
        """port: on which the studio is served."""
        self._app, self._token = app, token.encode()
        self._hosts = tuple(f"{host}:{port}".encode() for host in HOSTS)
        sockets = " ".join(f"ws://{host}:{port}" for host in HOSTS)
        policy = (
            "default-src 'self'; "
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'; "  # Vue compiles its templates in the browser
            "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
            f"media-src 'self' blob:; connect-src 'self' {sockets}; worker-src 'self' blob:; "
            "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is allowed."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if not self._allowed(scope):
            await _refuse(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [
                    pair for pair in message.get("headers", ()) if not pair[0].lower().startswith(_LEFT_TO_US)
                ]
                message = {**message, "headers": [*own, *self._headers]}
            await send(message)

        headers = [pair for pair in scope["headers"] if not pair[0].lower().startswith(_FORWARDED)]
        await self._app({**scope, "headers": headers}, receive, answer)

    def _allowed(self, scope: Scope) -> bool:
        first = str(scope["path"]).split("/")[1:2]
        if not first or not hmac.compare_digest(first[0].encode(), self._token):
            return False
        hosts, origins = (
            [value.lower() for key, value in scope["headers"] if key.lower() == name]
            for name in (b"host", b"origin")
        )
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return False
        if origins:
            return origins == [b"http://" + hosts[0]]
        return scope["type"] == "http" and scope["method"] in _SAFE


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # what the client wanted to connect
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSED})

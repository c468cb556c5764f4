"""The raw ASGI application that uvicorn and granian serve: not a server itself."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HELLO_PATHS, PERSON
from tests.benchmarks.servers.page import page
from tests.benchmarks.servers.promise import later

__all__ = ["app"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

HTML, JSON = CONTENT_TYPE.encode(), b"application/json"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by path."""
    path = scope["path"]
    if path in HELLO_PATHS:
        await answer(send, 200, HELLO)
    elif path == "/deferred":
        await answer(send, 200, await later())
    elif path == "/json":
        await answer(send, 200, json.dumps(PERSON).encode(), JSON)
    elif path == "/template":
        await answer(send, 200, page().encode())
    elif path == "/echo":
        await answer(send, 200, await body_of(receive))
    else:
        await answer(send, 404, b"Not found\n")


async def answer(send: Send, status: int, body: bytes, kind: bytes = HTML) -> None:
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body

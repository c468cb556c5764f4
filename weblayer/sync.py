"""Asking other servers from a plain script, where no loop runs: every call waits for its end.

`weblayer.sync.get("https://example.org/").text()`. The body is read with the response, whole. In a
coroutine, or in what a reactor calls, waiting would stop everything else: there it is a
RuntimeError, and `await weblayer.client.get(...)` does the same.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar, Unpack

from weblayer.client.asked import Asked
from weblayer.client.response import Readable
from weblayer.client.session import Session as _Session
from weblayer.loop.loops import new_loop
from weblayer.loop.reactor import Reactor
from weblayer.wire.headers import Headers

__all__ = ["Response", "Session", "delete", "get", "head", "patch", "post", "put", "request"]

T = TypeVar("T")


class Response:
    """What a server answered, its body with it: as the client's, and nothing is awaited."""

    def __init__(self, response: Readable) -> None:
        self._response = response

    @property
    def code(self) -> int:
        """200, 404 and so on."""
        return self._response.code

    @property
    def phrase(self) -> str:
        """What the server said beside the code; may be empty."""
        return self._response.phrase

    @property
    def headers(self) -> Headers:
        """The fields, as they came."""
        return self._response.headers

    @property
    def uri(self) -> str:
        """Where it came from, behind all redirects."""
        return self._response.request.absoluteURI

    def content(self) -> bytes:
        """All of the body."""
        return _now(self._response.content())

    def text(self, encoding: str | None = None) -> str:
        """All of the body as text, by *encoding*, else by the charset it came with, else UTF-8."""
        return _now(self._response.text(encoding))

    def json(self) -> Any:  # Any: as json.loads
        """What the body says in JSON. Raises ValueError where it says none."""
        return _now(self._response.json())

    def raiseForStatus(self) -> Self:
        """Itself, when its code is below 400. Raises BadStatus."""
        self._response.raiseForStatus()
        return self

    def __repr__(self) -> str:
        return repr(self._response)


class Session:
    """As the client's Session, whose keywords it takes; to be closed, or used in a `with` block.

    It has an event loop of its own, and belongs to the thread that made it.
    """

    def __init__(self, **options: Any) -> None:  # Any: what Session of the client takes
        _check()
        self._loop = new_loop()
        self._session = _Session(Reactor(self._loop), **options)

    @property
    def cookieJar(self) -> Any:  # Any: a CookieJar; its module takes long to load
        """The cookies that it has been given."""
        return self._session.cookieJar

    def request(self, method: str, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask for *uri*, and read the body. Raises as the client's, and as content()."""
        _check()
        return Response(self._loop.run_until_complete(self._asked(method, uri, asked)))

    def get(self, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask with GET, as `request` does."""
        return self.request("GET", uri, **asked)

    def head(self, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask with HEAD, as `request` does."""
        return self.request("HEAD", uri, **asked)

    def post(self, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask with POST, as `request` does."""
        return self.request("POST", uri, **asked)

    def put(self, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask with PUT, as `request` does."""
        return self.request("PUT", uri, **asked)

    def patch(self, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask with PATCH, as `request` does."""
        return self.request("PATCH", uri, **asked)

    def delete(self, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
        """Ask with DELETE, as `request` does."""
        return self.request("DELETE", uri, **asked)

    def close(self) -> None:
        """Close all connections, and the loop."""
        if self._loop.is_closed():
            return
        self._session.close()
        self._loop.run_until_complete(_leave())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _asked(self, method: str, uri: str | bytes, asked: Asked) -> Readable:
        response = await self._session.request(method, uri, **asked)
        await response.content()
        return response


def request(method: str, uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask for *uri*, with what Asked lists, and read the body."""
    with Session() as session:
        return session.request(method, uri, **asked)


def get(uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask with GET, as `request` does."""
    return request("GET", uri, **asked)


def head(uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask with HEAD, as `request` does."""
    return request("HEAD", uri, **asked)


def post(uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask with POST, as `request` does."""
    return request("POST", uri, **asked)


def put(uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask with PUT, as `request` does."""
    return request("PUT", uri, **asked)


def patch(uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask with PATCH, as `request` does."""
    return request("PATCH", uri, **asked)


def delete(uri: str | bytes, **asked: Unpack[Asked]) -> Response:
    """Ask with DELETE, as `request` does."""
    return request("DELETE", uri, **asked)


def _check() -> None:
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("a loop runs here, and would stop: await weblayer.client.get(...)")


async def _leave() -> None:
    """Let the loop close what was closed."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _now(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that has nothing to wait for: the body is here."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the body was read before")

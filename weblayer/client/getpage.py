"""The field's shortest way to a page: `getPage(url)` and `downloadPage(url, path)`.

Each gives a Deferred, for programs that add callbacks; a coroutine may await it, or use the verbs.
"""

import os
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar, Unpack

from weblayer.client.asked import Asked
from weblayer.client.response import MOST_READ
from weblayer.client.verbs import request
from weblayer.loop.bridge import ensureDeferred
from weblayer.loop.deferred import Deferred

__all__ = ["downloadPage", "getPage"]

P = ParamSpec("P")
T = TypeVar("T")


# Any: what a coroutine is sent and gives to its loop.
def _deferred(coroutine: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Deferred[T]]:
    """Have a coroutine function give a Deferred."""

    @wraps(coroutine)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        return ensureDeferred(coroutine(*args, **kwargs))

    return asked


@_deferred
async def getPage(
    url: str | bytes, method: str = "GET", maxSize: int = MOST_READ, **asked: Unpack[Asked]
) -> bytes:
    """Fires with the body at *url*, of *maxSize* bytes at most.

    Fails with BadStatus for an answer of 400 or above, and as `request` does otherwise, whose
    arguments it takes too; cancelling it ends the request.
    """
    response = await request(method, url, **asked)
    return await response.raiseForStatus().content(maxSize)


@_deferred
async def downloadPage(
    url: str | bytes,
    file: str | os.PathLike[str] | IO[bytes],
    method: str = "GET",
    **asked: Unpack[Asked],
) -> None:
    """Fires when all of the body at *url* is in *file*: a path, or an open file, which stays open.

    What stands at a path is replaced when the whole has come, and not before. Fails as getPage
    does, and then nothing is left at the path that was not there.
    """
    response = (await request(method, url, **asked)).raiseForStatus()
    with _opened(file) as opened:
        async for piece in response:
            opened.write(piece)


def _opened(file: str | os.PathLike[str] | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    return _Replacing(Path(file)) if isinstance(file, str | os.PathLike) else nullcontext(file)


class _Replacing:
    """A file beside *path*, which takes its place when all has gone well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.part-{os.urandom(4).hex()}")

    def __enter__(self) -> IO[bytes]:
        self._file = self._partial.open("xb")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink()

"""The one junction: whatever a render gives, now or later, becomes the answer here.

| outcome | meaning |
|---|---|
| bytes | the body |
| str | the body as UTF-8; the charset is added to the content type |
| dict, list | the body as JSON |
| NOT_DONE_YET | the resource will write and finish later |
| a Deferred, a coroutine, any awaitable of these | settled when it arrives |
| an iterator or async iterator of bytes or str | streamed, as fast as the client reads |
| a file, or anything with a `read` | its rest, read as fast as the client does, then closed |
"""

import asyncio
import inspect
import types
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextvars import Context, copy_context
from functools import cache
from typing import Any, Protocol

from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure
from weblayer.loop.loops import current_loop
from weblayer.web.gate import Gate
from weblayer.web.request import NotDoneYet, Request

__all__ = ["Asker", "settle", "when"]

_LATER = (types.CoroutineType, Deferred)
_STRUCTURED = (dict, list)  # not `dict | list`, which is made at each question

UTF_8 = "; charset=utf-8"
JSON = "application/json"


class Asker(Protocol):
    """Who waits for the outcome."""

    request: Request

    def fail(self, error: BaseException, /) -> None:
        """There will be no outcome but this."""

    def wait(self, cancel: Callable[[], object], /, *, stream: bool = False) -> None:
        """Something is awaited, or poured; *cancel* ends it."""

    def arrive(self, then: Callable[[Any], object], value: Any, /) -> None:
        """What was awaited has come: go on with *then*."""


# Any: what a program may return is for us to find out.
def settle(asker: Asker, outcome: Any) -> None:
    """Make *outcome* the answer, or wait for what it will be."""
    request = asker.request
    try:
        if isinstance(outcome, bytes):
            request._deliver(outcome, request.defaultContentType)
        elif isinstance(outcome, str):
            # A visitor may send what is no UTF-8, and a page may say it back.
            request._deliver(outcome.encode("utf-8", "replace"), _text_type(request))
        else:
            _settle_other(asker, request, outcome)
    except Exception as error:
        asker.fail(error)


def _settle_other(asker: Asker, request: Request, outcome: Any) -> None:
    if type(outcome) in _LATER:  # the usual ones, without a search
        when(asker, outcome, lambda arrived: settle(asker, arrived))
    elif isinstance(outcome, _STRUCTURED):
        request._deliver(_json_writer()(outcome).encode("ascii"), JSON)
    elif isinstance(outcome, NotDoneYet):
        return
    elif hasattr(outcome, "read"):  # a file is also an iterator, of its lines
        settle(asker, _reader()(request, outcome))
    elif isinstance(outcome, Awaitable):
        when(asker, outcome, lambda arrived: settle(asker, arrived))
    elif isinstance(outcome, AsyncIterable | Iterable):
        _stream(asker, outcome)
    else:
        raise TypeError(
            f"render of {request.method} {request.path} gave {outcome!r}; give bytes, str, a dict, "
            "a list, an iterator, a file, NOT_DONE_YET, or an awaitable of these"
        )


@cache
def _json_writer() -> Callable[[Any], str]:
    """What writes JSON; loaded with the first answer in it, and not made anew for each."""
    from json import JSONEncoder

    # NaN is not JSON (RFC 8259, 6): better told here than by every client.
    return JSONEncoder(allow_nan=False).encode


@cache
def _reader() -> Callable[[Request, Any], Any]:
    """What reads a file; loaded, and its threads with it, when a page first gives one."""
    from weblayer.web.readable import read_out

    return read_out


def when(
    asker: Asker,
    awaitable: Awaitable[Any],
    then: Callable[[Any], object],
    *,
    stream: bool = False,
) -> None:
    """Call *then* with what *awaitable* becomes, or fail the asker, who may cancel it.

    A coroutine runs in a real task, as asyncio's timeouts and task groups need.
    """
    if isinstance(awaitable, Deferred):
        if awaitable._is_settled():
            _arrived(asker, awaitable._take(), then)
            return
        asker.wait(awaitable.cancel)
        awaitable.addCallbacks(
            lambda value: asker.arrive(then, value), lambda failure: asker.fail(failure.value)
        )
        return
    running = _run(asker, awaitable, then, copy_context())
    running.send(None)
    asker.wait(current_loop().create_task(running).cancel, stream=stream)


# Any: what a Deferred has fired with.
def _arrived(asker: Asker, result: Any, then: Callable[[Any], object]) -> None:
    if isinstance(result, Failure):
        asker.fail(result.value)
    else:
        asker.arrive(then, result)


async def _run(
    asker: Asker, awaitable: Awaitable[Any], then: Callable[[Any], object], outer: Context
) -> None:
    """Await it, and go on in the *outer* context: what comes next may be another's request.

    To go on from here spares the loop the call that a task's end is told by: a third of all that
    an async render costs.
    """
    try:
        await _begun()
        value = await awaitable
    except (Exception, asyncio.CancelledError) as error:
        if inspect.iscoroutine(awaitable):
            awaitable.close()  # it may not have begun
        outer.run(asker.fail, error)
    else:
        outer.run(asker.arrive, then, value)


@types.coroutine
def _begun() -> Generator[None, None, None]:
    """Wait until the task takes its first step.

    A coroutine that has not begun would not hear of a cancelling before that, and tell nobody.
    """
    yield


def _text_type(request: Request) -> str:
    """The type of text; one that says nothing of its charset says from now on that it is UTF-8."""
    if request._headers is not None:
        kind = request._headers.getHeader("content-type") or ""
        if _lacks_charset(kind):
            request.setHeader(b"Content-Type", kind + UTF_8)
    kind = request.defaultContentType
    if kind == "text/html":  # the rule, without a search
        return "text/html; charset=utf-8"
    return kind + UTF_8 if _lacks_charset(kind) else kind


def _lacks_charset(kind: str) -> bool:
    kind = kind.lower()
    return kind.startswith("text/") and "charset" not in kind


def _stream(asker: Asker, chunks: AsyncIterable[bytes | str] | Iterable[bytes | str]) -> None:
    source = aiter(chunks) if isinstance(chunks, AsyncIterable) else _each(iter(chunks))
    when(asker, _pour(asker.request, source), lambda _: None, stream=True)


async def _each(chunks: Iterator[bytes | str]) -> AsyncIterator[bytes | str]:
    """A plain iterator, with a turn of the loop between its pieces, so that others get theirs."""
    try:
        for chunk in chunks:
            yield chunk
            await asyncio.sleep(0)
    finally:
        if close := getattr(chunks, "close", None):
            close()


async def _pour(request: Request, chunks: AsyncIterator[bytes | str]) -> None:
    """Write what comes, each piece when the client has room for it."""
    gate = Gate()
    try:
        request.registerProducer(gate, True)
        async for chunk in chunks:
            _write(request, chunk)
            if request.method == "HEAD":
                break  # the first piece has shown what the head is; nobody will see the rest
            await gate.opened()
        request.unregisterProducer()
        request.finish()
    finally:
        # An async for that is left early does not close what it iterates over.
        if close := getattr(chunks, "aclose", None):
            await close()


def _write(request: Request, chunk: bytes | str) -> None:
    if isinstance(chunk, str):
        if not request.began:
            kind = _text_type(request)
            if not request.hasResponseHeader(b"content-type"):
                request.setHeader(b"Content-Type", kind)
        chunk = chunk.encode("utf-8", "replace")
    elif not isinstance(chunk, bytes):
        raise TypeError(
            f"render of {request.method} {request.path} gave an iterator, and that gave {chunk!r}; "
            "let it give bytes or str"
        )
    request.write(chunk)

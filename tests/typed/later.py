"""Answers that come later, with types; see `tree`."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from weblayer import (
    NOT_DONE_YET,
    Deferred,
    Request,
    Resource,
    Session,
    deferLater,
    deferToThread,
    reactor,
)
from weblayer.web.request import NotDoneYet


class A(Resource):
    async def render_GET(self, request: Request) -> str:
        await asyncio.sleep(1)
        return "x"


class B(Resource):
    async def render_GET(self, request: Request) -> AsyncIterator[bytes]:
        yield b"x"


class C(Resource):
    def render_GET(self, request: Request) -> Iterator[str]:
        yield "x"


class D(Resource):
    def render_GET(self, request: Request) -> Deferred[bytes]:
        return deferLater(reactor, 1, lambda: b"x")

    def render_POST(self, request: Request) -> NotDoneYet:
        d = deferToThread(len, "abc")
        d.addCallback(lambda n: request.write(b"%d" % n))
        d.addCallback(lambda _: request.finish())
        return NOT_DONE_YET


async def ask() -> str:
    async with Session(timeout=3) as session:
        response = await session.get("http://localhost/", headers={"a": "b"})
        return await response.text()

"""Tornado on the loop of asyncio: on uvloop it was seen to cost the same."""

import asyncio
import logging
from typing import Any

from tornado.web import Application, RequestHandler

from tests.benchmarks.servers import HELLO, HOST, LOG, PERSON, own_port
from tests.benchmarks.servers.page import page
from tests.benchmarks.servers.promise import later


class Hello(RequestHandler):
    def get(self) -> None:
        self.write(HELLO)


class AsyncHello(RequestHandler):
    async def get(self) -> None:
        self.write(HELLO)


class Deferred(RequestHandler):
    async def get(self) -> None:
        self.write(await later())


class Person(RequestHandler):
    def get(self) -> None:
        self.write(PERSON)


class Template(RequestHandler):
    def get(self) -> None:
        self.write(page())


class Echo(RequestHandler):
    def post(self) -> None:
        self.write(self.request.body)


def application() -> Application:
    return Application([
        ("/", Hello), ("/one/two", Hello), ("/async", AsyncHello), ("/deferred", Deferred),
        ("/json", Person), ("/template", Template), ("/echo", Echo),
    ], **settings())  # fmt: skip


def settings() -> dict[str, Any]:
    """Without a log function it makes each line of the log, though nobody reads it."""
    return {} if LOG else {"log_function": lambda handler: None}


async def serve() -> None:
    application().listen(own_port(), HOST, backlog=1024)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if LOG:
        logging.basicConfig(filename=LOG, level=logging.INFO)
    asyncio.run(serve())

"""Sanic on uvloop, in one process."""

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, html, json

from tests.benchmarks.servers import HELLO, HELLO_PATHS, HOST, LOG, PERSON, own_port
from tests.benchmarks.servers.page import page
from tests.benchmarks.servers.promise import later


async def hello(request: Request) -> HTTPResponse:
    return html(HELLO)


async def deferred(request: Request) -> HTTPResponse:
    return html(await later())


async def person(request: Request) -> HTTPResponse:
    return json(PERSON)


async def template(request: Request) -> HTTPResponse:
    return html(page())


async def echo(request: Request) -> HTTPResponse:
    return html(request.body)


def application() -> Sanic:
    app = Sanic("benchmark")
    for number, path in enumerate(HELLO_PATHS):
        app.add_route(hello, path, name=f"hello{number}")
    app.add_route(deferred, "/deferred")
    app.add_route(person, "/json")
    app.add_route(template, "/template")
    app.add_route(echo, "/echo", methods=["POST"])
    return app


if __name__ == "__main__":
    application().run(
        HOST,
        own_port(),
        single_process=True,
        access_log=bool(LOG),  # to standard output, which is a file here
        motd=False,
        backlog=1024,
    )

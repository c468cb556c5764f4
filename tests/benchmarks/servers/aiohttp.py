"""aiohttp's server on uvloop."""

import logging

import uvloop
from aiohttp import web

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HELLO_PATHS, HOST, LOG, PERSON, own_port
from tests.benchmarks.servers.page import page
from tests.benchmarks.servers.promise import later


async def hello(request: web.Request) -> web.Response:
    return web.Response(body=HELLO, content_type=CONTENT_TYPE)


async def deferred(request: web.Request) -> web.Response:
    return web.Response(body=await later(), content_type=CONTENT_TYPE)


async def person(request: web.Request) -> web.Response:
    return web.json_response(PERSON)


async def template(request: web.Request) -> web.Response:
    return web.Response(text=page(), content_type=CONTENT_TYPE)


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), content_type=CONTENT_TYPE)


def application() -> web.Application:
    app = web.Application()
    for path in HELLO_PATHS:
        app.router.add_get(path, hello)
    app.router.add_get("/deferred", deferred)
    app.router.add_get("/json", person)
    app.router.add_get("/template", template)
    app.router.add_post("/echo", echo)
    return app


if __name__ == "__main__":
    if LOG:
        logging.basicConfig(filename=LOG, level=logging.INFO)
    web.run_app(
        application(),
        host=HOST,
        port=own_port(),
        access_log=logging.getLogger("aiohttp.access") if LOG else None,
        backlog=1024,
        loop=uvloop.new_event_loop(),
    )

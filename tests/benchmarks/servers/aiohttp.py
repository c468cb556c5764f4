"""aiohttp's server on uvloop."""

import uvloop
from aiohttp import web

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HOST, own_port


async def hello(request: web.Request) -> web.Response:
    return web.Response(body=HELLO, content_type=CONTENT_TYPE)


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), content_type=CONTENT_TYPE)


def application() -> web.Application:
    app = web.Application()
    for path in "/", "/one/two", "/async":
        app.router.add_get(path, hello)
    app.router.add_post("/echo", echo)
    return app


if __name__ == "__main__":
    web.run_app(
        application(),
        host=HOST,
        port=own_port(),
        access_log=None,
        backlog=1024,
        loop=uvloop.new_event_loop(),
    )

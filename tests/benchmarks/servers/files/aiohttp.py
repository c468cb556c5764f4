"""aiohttp's server on uvloop: a static route."""

import ssl

import uvloop
from aiohttp import web

from tests.benchmarks.servers import HOST, own_port
from tests.benchmarks.servers.files import CERTIFICATE, FOLDER


def context() -> ssl.SSLContext | None:
    if not CERTIFICATE:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(CERTIFICATE)
    return made


def application() -> web.Application:
    app = web.Application()
    app.router.add_static("/", FOLDER)
    return app


if __name__ == "__main__":
    web.run_app(
        application(),
        host=HOST,
        port=own_port(),
        access_log=None,
        backlog=1024,
        loop=uvloop.new_event_loop(),
        ssl_context=context(),
    )

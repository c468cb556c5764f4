"""Sanic on uvloop, in one process: a static route."""

from sanic import Sanic

from tests.benchmarks.servers import HOST, own_port
from tests.benchmarks.servers.files import CERTIFICATE, FOLDER


def application() -> Sanic:
    app = Sanic("benchmark")
    app.static("/", FOLDER)
    return app


if __name__ == "__main__":
    application().run(
        HOST,
        own_port(),
        single_process=True,
        access_log=False,
        motd=False,
        backlog=1024,
        ssl={"cert": CERTIFICATE, "key": CERTIFICATE} if CERTIFICATE else None,
    )

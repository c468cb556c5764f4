"""Tornado on the loop of asyncio: a StaticFileHandler."""

import asyncio

from tornado.web import Application, StaticFileHandler

from tests.benchmarks.servers import HOST, own_port
from tests.benchmarks.servers.files import CERTIFICATE, FOLDER


async def serve() -> None:
    app = Application(
        [("/(.*)", StaticFileHandler, {"path": FOLDER})], log_function=lambda handler: None
    )
    certificate = {"certfile": CERTIFICATE, "keyfile": CERTIFICATE} if CERTIFICATE else None
    app.listen(own_port(), HOST, backlog=1024, ssl_options=certificate)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())

"""A raw ASGI application on uvicorn, with httptools and uvloop."""

from typing import Any

import uvicorn

from tests.benchmarks.servers import HOST, LOG, own_port


def run(app: Any, ssl_certfile: str | None = None) -> None:
    """Serve an ASGI application: uvicorn's C parts, and nothing that the cases do not use.

    Over HTTPS where *ssl_certfile* has a certificate and its key.
    """
    uvicorn.run(
        app,
        host=HOST,
        port=own_port(),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=bool(LOG),  # to standard output, which is a file here
        log_level="info" if LOG else "warning",
        timeout_keep_alive=75,  # seconds, and not 5: idle connections are measured, too
        ssl_certfile=ssl_certfile,
    )


if __name__ == "__main__":
    from tests.benchmarks.servers.asgi import app

    run(app)

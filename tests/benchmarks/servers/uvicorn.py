"""A raw ASGI application on uvicorn, with httptools and uvloop."""

from typing import Any

import uvicorn

from tests.benchmarks.servers import HOST, own_port


def run(app: Any) -> None:
    """Serve an ASGI application: uvicorn's C parts, and nothing that the cases do not use."""
    uvicorn.run(
        app,
        host=HOST,
        port=own_port(),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    from tests.benchmarks.servers.asgi import app

    run(app)

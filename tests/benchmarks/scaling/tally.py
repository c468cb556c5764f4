"""A client beside the load, that asks what has been done."""

import http.client
import json

from tests.benchmarks.load import LoadFailed
from tests.benchmarks.servers import HOST

__all__ = ["tally"]

DEADLINE = 10.0  # seconds


def tally(port: int) -> list[float]:
    """What the server counts: requests, and seconds of CPU and on the clock. Raises LoadFailed."""
    connection = http.client.HTTPConnection(HOST, port, timeout=DEADLINE)
    try:
        connection.request("GET", "/tally")
        counted: list[float] = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LoadFailed(f"no tally: {error!r}") from error
    finally:
        connection.close()
    return counted

"""One request and no more: `await get("https://example.org/")`.

Each has a connection of its own, which ends with the body. Who asks more than once has a Session.
"""

from functools import lru_cache
from typing import Unpack

from weblayer.client.asked import Asked
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.response import Readable
from weblayer.client.session import Session
from weblayer.client.trust import BrowserLikePolicyForHTTPS

__all__ = ["delete", "get", "head", "patch", "post", "put", "request"]


async def request(method: str, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask for *uri*, with what Asked lists; as Session.request."""
    pool = HTTPConnectionPool(persistent=False)
    return await Session(pool=pool, trust=_trust()).request(method, uri, **asked)


async def get(uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask with GET, as `request` does."""
    return await request("GET", uri, **asked)


async def head(uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask with HEAD, as `request` does."""
    return await request("HEAD", uri, **asked)


async def post(uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask with POST, as `request` does."""
    return await request("POST", uri, **asked)


async def put(uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask with PUT, as `request` does."""
    return await request("PUT", uri, **asked)


async def patch(uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask with PATCH, as `request` does."""
    return await request("PATCH", uri, **asked)


async def delete(uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
    """Ask with DELETE, as `request` does."""
    return await request("DELETE", uri, **asked)


@lru_cache(maxsize=1)
def _trust() -> BrowserLikePolicyForHTTPS:
    """One for all: the authorities of the system take 20 ms to load."""
    return BrowserLikePolicyForHTTPS()

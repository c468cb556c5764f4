"""Asking through a proxy: one that is named, else that of HTTP_PROXY and HTTPS_PROXY.

Run `python examples/through_proxy.py http://localhost:8000/ http://localhost:8080` while
examples/hello.py serves at the one, and examples/forward_proxy.py is the other:
    Hello, web!
    by way of 1.1 weblayer
"""

import sys

from weblayer import react
from weblayer.client import Session
from weblayer.client.error import ProxyError


async def main(reactor, uri, proxy=None):
    async with Session(proxy=proxy) as session:
        try:
            response = await session.get(uri)
        except ProxyError as error:
            sys.exit(f"It is the proxy's fault: {error}")
        print(await response.text(), end="")
        print("by way of", response.headers.getHeader("via"))


react(main, sys.argv[1:])

"""Asking a server for a page, and reading it as text: one line each.

Run `python examples/print_resource.py http://localhost:8000/` while examples/hello.py serves there:
    200 OK, text/html; charset=utf-8
    Hello, web!
"""

import sys

from weblayer import react
from weblayer.client import get


async def main(reactor, uri):
    response = await get(uri)
    print(f"{response.code} {response.phrase}, {response.headers.getHeader('content-type')}")
    print(await response.text(), end="")


react(main, sys.argv[1:])

"""A body piece by piece, into a file, with a word on how far it is: never all of it in memory.

Run `python examples/download.py http://localhost:8000/ page.html` while examples/static_site.py
serves there; `weblayer fetch -o page.html http://localhost:8000/` does it with a bar.
"""

import sys

from weblayer import react
from weblayer.client import get


async def main(reactor, uri, name):
    response = (await get(uri, headers={"Accept-Encoding": "identity"})).raiseForStatus()
    done = 0
    with open(name, "wb") as file:  # noqa: ASYNC230  a disk is faster than the network
        async for piece in response:
            file.write(piece)
            done += len(piece)
            print(f"\r{done} of {response.length} bytes", end="")
    print(f"\n{name} is here.")


react(main, sys.argv[1:])

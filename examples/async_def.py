"""A render that awaits: any asyncio library may stand where asyncio.sleep does.

Run `python examples/async_def.py`, with a port behind it if you like, and under the address it
prints try /Ada/Grace: two waits of a second take one. A visitor who leaves cancels both.
"""

import asyncio
import sys

from weblayer import Resource, Site, reactor


async def greet(name):
    await asyncio.sleep(1)
    return f"{name} says hello"


class Greetings(Resource):
    isLeaf = True  # so that the names are in request.postpath

    async def render_GET(self, request):
        return await asyncio.gather(*map(greet, request.postpath))


root = Greetings()

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()

"""An answer that is sent while it is being made, as fast as its reader reads.

Run `python examples/streaming.py`, with a port behind it if you like, and under the address it
prints try `curl -N` on /countdown, which takes its time, and on /numbers, which never ends.
"""

import asyncio
import sys
from itertools import count

from weblayer import Resource, Site, reactor


class Countdown(Resource):
    async def render_GET(self, request):
        for number in (3, 2, 1):
            yield f"{number}\n"
            await asyncio.sleep(0.5)
        yield "Lift-off!\n"


class Numbers(Resource):
    def render_GET(self, request):
        return (f"{number}\n" for number in count())


root = Resource()
root.putChild("countdown", Countdown())
root.putChild("numbers", Numbers())

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()

"""Answers that come later: a Deferred of the answer, or writing and finishing by hand.

Run `python examples/delayed.py`, with a port behind it if you like, and under the address it prints
try /deferred and /byhand, both at once.
"""

import sys

from weblayer import NOT_DONE_YET, Resource, Site, deferLater, reactor


class ByDeferred(Resource):
    def render_GET(self, request):
        return deferLater(reactor, 1, lambda: "At last!\n")


class ByHand(Resource):
    def render_GET(self, request):
        request.write(b"Wait... ")
        call = reactor.callLater(1, self.answer, request)
        request.notifyFinish().addErrback(lambda left: call.cancel())
        return NOT_DONE_YET

    def answer(self, request):
        request.write(b"at last!\n")
        request.finish()


root = Resource()
root.putChild("deferred", ByDeferred())
root.putChild("byhand", ByHand())

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()

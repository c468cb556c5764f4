"""Twisted Web on its default reactor, epoll: the same tree as weblayer's."""

from twisted.internet import defer, reactor
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.benchmarks.servers import HELLO, HOST, own_port


class Hello(Resource):
    def render_GET(self, request: Request) -> bytes:
        return HELLO


class AsyncHello(Resource):
    def render_GET(self, request: Request) -> int:
        defer.ensureDeferred(self.answer(request))
        return NOT_DONE_YET

    async def answer(self, request: Request) -> None:
        # Without it the answer would be chunked, unlike everybody else's.
        request.setHeader(b"content-length", b"%d" % len(HELLO))
        request.write(HELLO)
        request.finish()


class Echo(Resource):
    def render_POST(self, request: Request) -> bytes:
        return request.content.read()


class QuietSite(Site):
    """A site that writes no access log; without a log path, Twisted sends it to its own log."""

    def log(self, request: Request) -> None:
        pass


def tree() -> Resource:
    root, one = Resource(), Resource()
    root.putChild(b"", Hello())
    root.putChild(b"one", one)
    one.putChild(b"two", Hello())
    root.putChild(b"async", AsyncHello())
    root.putChild(b"echo", Echo())
    return root


if __name__ == "__main__":
    reactor.listenTCP(own_port(), QuietSite(tree()), backlog=1024, interface=HOST)
    reactor.run()

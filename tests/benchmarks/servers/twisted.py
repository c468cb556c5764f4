"""Twisted Web on its default reactor, epoll: the same tree as weblayer's."""

import json

from twisted.internet import defer, reactor
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from zope.interface import Interface

from tests.benchmarks.servers import HELLO, HOST, LOG, PERSON, own_port
from tests.benchmarks.servers.page import page


class Hello(Resource):
    def render_GET(self, request: Request) -> bytes:
        return HELLO


class AsyncHello(Resource):
    def render_GET(self, request: Request) -> int:
        defer.ensureDeferred(self.answer(request))
        return NOT_DONE_YET

    async def answer(self, request: Request) -> None:
        finish(HELLO, request)


class DeferredHello(Resource):
    def render_GET(self, request: Request) -> int:
        deferred = defer.Deferred()
        deferred.addCallback(finish, request)
        reactor.callLater(0, deferred.callback, HELLO)
        return NOT_DONE_YET


def finish(body: bytes, request: Request) -> None:
    # Without it the answer would be chunked, unlike everybody else's.
    request.setHeader(b"content-length", b"%d" % len(body))
    request.write(body)
    request.finish()


class Person(Resource):
    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(PERSON).encode()


class Template(Resource):
    def render_GET(self, request: Request) -> bytes:
        return page().encode()


class IGreeting(Interface):
    """What a session holds."""


class Enter(Resource):
    def render_GET(self, request: Request) -> bytes:
        request.getSession().setComponent(IGreeting, HELLO)
        return b""


class Session(Resource):
    def render_GET(self, request: Request) -> bytes:
        return request.getSession().getComponent(IGreeting)


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
    root.putChild(b"deferred", DeferredHello())
    root.putChild(b"json", Person())
    root.putChild(b"template", Template())
    root.putChild(b"enter", Enter())
    root.putChild(b"session", Session())
    root.putChild(b"echo", Echo())
    return root


if __name__ == "__main__":
    site = Site(tree(), logPath=LOG) if LOG else QuietSite(tree())
    reactor.listenTCP(own_port(), site, backlog=1024, interface=HOST)
    reactor.run()

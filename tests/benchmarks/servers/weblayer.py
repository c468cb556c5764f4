"""weblayer: a tree of resources."""

from typing import Any

from tests.benchmarks.servers import HELLO, HOST, LOG, PERSON, own_port
from tests.benchmarks.servers.page import FOLDER, NAME, VALUES
from weblayer import Deferred, Request, Resource, Site, Templates, reactor

PAGES = Templates(FOLDER)


class Hello(Resource):
    def render_GET(self, request: Request) -> bytes:
        return HELLO


class AsyncHello(Resource):
    async def render_GET(self, request: Request) -> bytes:
        return HELLO


class DeferredHello(Resource):
    def render_GET(self, request: Request) -> Deferred[bytes]:
        deferred: Deferred[bytes] = Deferred()
        reactor.callLater(0, deferred.callback, HELLO)
        return deferred


class Person(Resource):
    def render_GET(self, request: Request) -> dict[str, Any]:
        return PERSON


class Template(Resource):
    def render_GET(self, request: Request) -> str:
        return PAGES.page(NAME, **VALUES)


class Enter(Resource):
    def render_GET(self, request: Request) -> bytes:
        request.getSession()["greeting"] = HELLO.decode()
        return b""


class Session(Resource):
    def render_GET(self, request: Request) -> str:
        return request.getSession()["greeting"]


class Echo(Resource):
    def render_POST(self, request: Request) -> bytes:
        return request.content.read()


def tree() -> Resource:
    root, one = Resource(), Resource()
    root.putChild("", Hello())
    root.putChild("one", one)
    one.putChild("two", Hello())
    root.putChild("async", AsyncHello())
    root.putChild("deferred", DeferredHello())
    root.putChild("json", Person())
    root.putChild("template", Template())
    root.putChild("enter", Enter())
    root.putChild("session", Session())
    root.putChild("echo", Echo())
    return root


if __name__ == "__main__":
    reactor.listenTCP(own_port(), Site(tree(), logPath=LOG), interface=HOST)
    reactor.run()

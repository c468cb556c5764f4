"""weblayer: a tree of resources."""

from tests.benchmarks.servers import HELLO, HOST, own_port
from weblayer import Request, Resource, Site, reactor


class Hello(Resource):
    def render_GET(self, request: Request) -> bytes:
        return HELLO


class AsyncHello(Resource):
    async def render_GET(self, request: Request) -> bytes:
        return HELLO


class Echo(Resource):
    def render_POST(self, request: Request) -> bytes:
        return request.content.read()


def tree() -> Resource:
    root, one = Resource(), Resource()
    root.putChild("", Hello())
    root.putChild("one", one)
    one.putChild("two", Hello())
    root.putChild("async", AsyncHello())
    root.putChild("echo", Echo())
    return root


if __name__ == "__main__":
    reactor.listenTCP(own_port(), Site(tree()), interface=HOST)
    reactor.run()

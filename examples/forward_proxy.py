"""A proxy for programs that ask for http: what each asks for is asked here, and passed on.

Run `python examples/forward_proxy.py`, and name what it prints as the proxy of a browser, of
`curl -x`, or of examples/through_proxy.py. For this machine alone: to others it would be a way in.
"""

import sys

from weblayer import Agent, Error, Policy, Resource, Site, reactor

# Of one connection, and not of what comes over it (RFC 9110, 7.6.1); the last two a site sets.
HOP = ["Connection", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE", "Upgrade",
       "Transfer-Encoding", "Date", "Server"]  # fmt: skip


class Forward(Resource):
    isLeaf = True
    policy = Policy(takesBody="spool", maxBody=100 * 1024 * 1024)

    async def render(self, request):
        headers, body = request.requestHeaders.copy(), request.content.read() or None
        for name in [*HOP, "Content-Length"]:
            headers.removeHeader(name)
        try:
            answer = await agent.request(request.method, request.uri, headers, body)
        except Exception as error:
            raise Error(502, str(error)) from error
        request.setResponseCode(answer.code)
        for name, values in answer.headers.getAllRawHeaders():
            if name.title() not in HOP:
                request.responseHeaders.setRawHeaders(name, values)
        request.responseHeaders.addRawHeader("Via", "1.1 weblayer")
        return aiter(answer)


agent = Agent(reactor)
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(Forward()), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()

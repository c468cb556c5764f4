"""An agent whose network and time are in a test's hands, and readers that remember."""

from weblayer.client.agent import Agent
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.response import Response
from weblayer.client.timeouts import Timeouts
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure
from weblayer.loop.memoryreactor import MemoryReactor
from weblayer.loop.protocol import Protocol

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def answering(code, *fields, body=b""):
    """The bytes of an answer; *fields* are its lines."""
    lines = [f"HTTP/1.1 {code} Said", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class World:
    """A reactor in memory, a pool and an agent; keywords are attributes of the pool."""

    def __init__(self, timeouts: Timeouts | None = None, persistent=True, **numbers):
        self.reactor = MemoryReactor()
        self.servers = []
        self.pool = HTTPConnectionPool(self.reactor, persistent)
        for name, value in numbers.items():
            assert hasattr(self.pool, name)
            setattr(self.pool, name, value)
        self.agent = Agent(self.reactor, pool=self.pool, timeouts=timeouts)

    def ask(self, uri="http://a.example/", method="GET", headers=None, body=None):
        """Ask, and gather what comes of it."""
        return Outcome(self.agent.request(method, uri, headers, body))

    @property
    def attempts(self):
        """The connectors that wait for the test's word."""
        return [one for one in self.reactor.connectors if one.state == "connecting"]

    def accept(self):
        """Let the attempt that waits for longest through; gives the server's side."""
        self.servers.append(self.attempts[0].accept())
        return self.servers[-1]

    def pump(self):
        """Let the loop have its next turns: connections that were closed end."""
        for server in self.servers:
            server.pump()

    def connected(self, **asked):
        """Ask, connect, and give the outcome and the server's side."""
        outcome = self.ask(**asked)
        return outcome, self.accept()

    def serve(self, raw):
        """Answer the request that waits, connecting first where it waits for that; gives it."""
        server = self.accept() if self.attempts else self._asking()
        asked = bytes(server.received)
        server.received.clear()
        server.send(raw)
        return asked

    def _asking(self):
        (server,) = [one for one in self.servers if one.received]
        return server

    def advance(self, seconds):
        """Let time pass, in steps in which everybody has a turn."""
        for _ in range(int(seconds * 4)):
            self.reactor.advance(0.25)
            self.pump()

    @property
    def hosts(self):
        """The hosts that are connected to, or tried."""
        open_ones = [one for one in self.reactor.connectors if one.state != "disconnected"]
        return [str(one.getDestination().hostname) for one in open_ones]


class Outcome:
    """What came of a request: a response or an error."""

    def __init__(self, deferred: Deferred):
        self.deferred = deferred
        self.response: Response | None = None
        self.error: BaseException | None = None
        deferred.addCallbacks(self._answered, self._failed)

    def _answered(self, response):
        self.response = response

    def _failed(self, failure):
        self.error = failure.value

    @property
    def is_open(self):
        """Whether nothing has come yet."""
        return self.response is None and self.error is None

    def read(self):
        """Have the body delivered to a reader that remembers."""
        reader = Reader()
        self.response.deliverBody(reader)
        return reader


class Reader(Protocol):
    """Remembers what it was given."""

    def __init__(self):
        self.data = bytearray()
        self.reason: Failure | None = None

    def dataReceived(self, data):
        assert self.reason is None
        self.data += data

    def connectionLost(self, reason):
        assert self.reason is None
        self.reason = reason

    @property
    def end(self):
        """The class of what the body ended with; None before."""
        return self.reason and self.reason.type

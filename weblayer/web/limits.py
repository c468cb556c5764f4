"""How much a stranger may ask of a site at once."""

from dataclasses import dataclass, fields

from weblayer.wire.parse import Limits as ParserLimits

__all__ = ["Limits"]

# Where no other is known: a thousand is what a login shell may open on most systems.
FEW = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a site takes before it refuses; give it to `Site(limits=...)`. Sizes are in bytes.

    maxRequestLine: of the method, the target and the version; more is a 414.
    maxHead: of a request's head; more is a 431.
    maxHeadFields: the number of its fields; more is a 431.
    maxChunkLine: of a line that gives a chunk's size, extensions and all; more is a 400.
    maxChunkFrame: of chunk lines and trailers without a byte of body between them; more is a 400.
    maxConnections: more are told 503, and closed. None leaves a quarter of the descriptors that
    the process may open to files and to connections of its own, and never goes over 10,000.
    maxRequestsInFlight: of requests whose answers are not whole; more are answered with 503. None
    is one for each connection, which has never more than one.
    maxRequestsPerConnection: the last of them is answered with `Connection: close`. None sets no
    bound: a connection keeps nothing of the requests it has answered.
    maxPipelined: of what was sent behind a request before its answer is whole; with more, that is
    the last answer, and its client is to send the rest again (RFC 9112, 9.3.2).
    How much a body may have is a matter of its resource: see `Policy`.
    Raises ValueError for what is no positive number, and a maxHead below maxRequestLine.
    """

    # RFC 9112, 3 asks servers to take request lines of 8000 octets.
    maxRequestLine: int = 8 * 1024
    # Cookies of one site may sum to 50 x 4 kB; the largest head browsers send in practice is
    # under 20 kB, and nginx stops at 32.
    maxHead: int = 64 * 1024
    # A browser sends 12 to 20, a chain of proxies adds a handful.
    maxHeadFields: int = 100
    # A size is 16 digits; nobody uses extensions, so a line of 256 is generous.
    maxChunkLine: int = 256
    maxChunkFrame: int = 8 * 1024
    maxConnections: int | None = None
    maxRequestsInFlight: int | None = None
    maxRequestsPerConnection: int | None = None
    # While one waits nothing more is read, and a read gives so much at most: who sends a thousand
    # requests in one go has a thousand answers. Less is for who counts on many such clients.
    maxPipelined: int = 256 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            most = getattr(self, field.name)
            if most is not None and (
                isinstance(most, bool) or not isinstance(most, int | float) or most < 1
            ):
                raise ValueError(f"{field.name} must be a number above 0, not {most!r}")
        if self.maxHead < self.maxRequestLine:
            raise ValueError(
                f"maxHead must be at least maxRequestLine, {self.maxRequestLine} bytes,"
                f" not {self.maxHead}"
            )

    def _forParser(self) -> ParserLimits:
        """Those that hold while bytes are read."""
        return ParserLimits(
            self.maxRequestLine, self.maxHead, self.maxHeadFields, self.maxChunkLine,
            self.maxChunkFrame,
        )  # fmt: skip

    def _connections(self) -> int:
        """How many connections may be open, where nobody said so."""
        if self.maxConnections is not None:
            return self.maxConnections
        try:
            from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
        except ImportError:  # Windows
            return FEW
        most = getrlimit(RLIMIT_NOFILE)[0]
        # 4 kB each, and as much again for what the kernel keeps: 80 MB.
        # A server has 17 descriptors of its own: where there are few they are more than a quarter.
        return 10_000 if most == RLIM_INFINITY else max(1, min(10_000, most * 3 // 4, most - 32))

"""What the event loop calls for one connection.

Two small objects exist per connection: `Connection` is what the event loop calls, `Transport`
what the protocol holds. Neither stands in the way of a packet: when the connection is made,
`Connection.data_received` becomes the protocol's own `dataReceived`, and `Transport.write` the
loop's own `write`. uvloop looks the former up only in `set_protocol`, which is therefore called
again after each such change.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol as Face
from typing import cast

from weblayer.loop.address import Address
from weblayer.loop.error import NoProtocol
from weblayer.loop.failure import Failure
from weblayer.loop.loops import Soon
from weblayer.loop.protocol import IHalfCloseableProtocol, IProtocol, IRetiringProtocol
from weblayer.loop.transport import Transport, guarded

__all__ = ["Connection", "Owner"]

log = logging.getLogger("weblayer")


class Owner(Face):
    """Whose connection it is: a port's, or a connector's.

    *soon* has something called in the next turn of the loop.
    """

    soon: Soon

    def buildProtocol(self, addr: Address, /) -> IProtocol | None: ...
    def opened(self, connection: "Connection", /) -> object: ...
    def lost(self, connection: "Connection", reason: Failure, /) -> object: ...


class Connection(asyncio.BaseProtocol):
    """What the event loop calls for one connection."""

    __slots__ = ("_early", "begun", "data_received", "owner", "protocol", "transport")

    data_received: Callable[[bytes], object]
    transport: Transport

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.begun = False  # whether there has been a protocol
        self.protocol: IProtocol | None = None
        self._early: bytes | None = None

    def connection_made(self, under: asyncio.BaseTransport) -> None:
        # cast: the loop types its callbacks for every kind of transport.
        self.transport = transport = Transport(cast("asyncio.Transport", under), self)
        self.data_received = read_nothing
        self.owner.opened(self)
        self.begin(self.owner.buildProtocol)
        if transport.paused:
            self._hold()

    def connection_lost(self, exc: Exception | None) -> None:
        reason = Failure(self.transport.end(exc))
        protocol, self.protocol = self.protocol, None
        self.data_received = read_nothing  # the loop may hold on to us, not to the protocol
        if protocol is not None:
            guarded(partial(protocol.connectionLost, reason))
        self.owner.lost(self, reason)

    def eof_received(self) -> bool:
        """The peer will send no more: close when what was written has been sent.

        True keeps the connection open, for a protocol that asked to go on alone.
        """
        protocol: object = self.protocol  # mypy takes an IProtocol to be never half-closeable
        if isinstance(protocol, IHalfCloseableProtocol):
            self.transport.hear_end(protocol)
            return True
        self.transport.close()
        return False

    def retire(self) -> None:
        """The reactor shuts down: close, or let the protocol, which may have more to say."""
        protocol: object = self.protocol
        if isinstance(protocol, IRetiringProtocol) and not self.transport.disconnecting:
            guarded(protocol.retire)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        self.transport.choke()

    def resume_writing(self) -> None:
        self.transport.unchoke()

    def broken(self, error: Exception, politely: bool) -> None:
        """The encryption cannot go on; *politely* leaves time to tell the peer why."""
        if politely:
            self.transport.give_up(error)
        else:
            self.transport.drop(error)

    def begin(self, build: Callable[[Address], IProtocol | None]) -> None:
        """Build the protocol and have it begin."""
        try:
            self._begin(build(self.transport.getPeer()))
        except Exception as error:
            log.exception("a connection could not begin")
            self.transport.drop(error)

    def bind(self, protocol: IProtocol) -> None:
        """Make *protocol* the one that data and the loss go to."""
        self.protocol, self.begun = protocol, True
        self.data_received = protocol.dataReceived
        # uvloop reads the name `data_received` here and nowhere else.
        self.transport.under.set_protocol(self)

    def resume(self) -> None:
        """Read on, beginning with what came too early."""
        if self._early is None:
            self.transport.under.resume_reading()
        else:
            self.owner.soon(self._release)

    def take_early(self) -> bytes:
        """Give away what came too early, for the encryption that has begun since."""
        early, self._early = self._early, None
        if self.protocol is not None:
            self.data_received = self.protocol.dataReceived
        return early or b""

    def _begin(self, protocol: IProtocol | None) -> None:
        if protocol is None:
            self.transport.drop(NoProtocol("the factory built no protocol for this connection"))
        else:
            self.bind(protocol)
            protocol.makeConnection(self.transport)

    # uvloop starts to read after connection_made whatever was asked before, so a protocol
    # that pauses at once would be sent the first bytes: they are kept until it resumes.

    def _hold(self) -> None:
        self._early = b""
        self.data_received = self._keep
        self.transport.under.set_protocol(self)

    def _keep(self, data: bytes) -> None:
        self._early = (self._early or b"") + data
        self.transport.under.pause_reading()

    def _release(self) -> None:
        early, protocol, transport = self._early, self.protocol, self.transport
        if early is None or protocol is None or transport.paused:
            return
        self._early = None
        self.bind(protocol)
        try:
            if early:
                protocol.dataReceived(early)
        except Exception as error:
            log.exception("an error escaped from dataReceived")
            transport.drop(error)
        if not transport.paused:
            transport.under.resume_reading()


def read_nothing(data: bytes) -> None:
    """What `data_received` is without a protocol."""

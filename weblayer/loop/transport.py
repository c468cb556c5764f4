"""A connection: asyncio's callbacks on one side, the field's transport on the other.

Two small objects exist per connection. `Connection` is what the event loop calls,
`Transport` what the protocol holds. Neither stands in the way of a packet: when the
connection is made, `Connection.data_received` becomes the protocol's own `dataReceived`,
and `Transport.write` the loop's own `write`. uvloop looks the former up only in
`set_protocol`, which is therefore called again after each such change.

What asyncio does not say is added here: that nothing may be written after the end, that a
producer is waited for, why a connection was lost, and that it is told exactly once.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Protocol as Face
from typing import cast

from weblayer.loop.address import Address, fromSocketName
from weblayer.loop.error import (
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    NoProtocol,
)
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IProtocol, IPullProducer, IPushProducer

__all__ = ["Connection", "Owner", "Soon", "Transport"]

log = logging.getLogger("weblayer")

Soon = Callable[[Callable[[], object]], object]


class Owner(Face):
    """Whose connection it is: a port's, or a connector's.

    *soon* has something called in the next turn of the loop.
    """

    soon: Soon

    def buildProtocol(self, addr: Address, /) -> IProtocol | None: ...
    def opened(self, connection: "Connection", /) -> object: ...
    def lost(self, connection: "Connection", reason: Failure, /) -> object: ...


class Transport:
    """One side of a stream connection, as its protocol sees it.

    *under* is the event loop's own transport. `write` is a name bound to it, not a method,
    and is bound elsewhere when the state changes: look it up when writing.
    """

    __slots__ = (
        "_feed", "_host", "_link", "_peer", "_reason",
        "choked", "connected", "disconnecting", "paused", "under", "write",
    )  # fmt: skip

    def __init__(self, under: asyncio.Transport, link: "Connection") -> None:
        self.under = under
        self._link: Connection | None = link
        self.write: Callable[[bytes], object] = under.write
        self.connected = True
        self.disconnecting = self.paused = self.choked = False
        self._reason: Exception | None = None
        self._feed: _Push | _Pull | None = None
        self._peer: Address | None = None
        self._host: Address | None = None

    @property
    def secure(self) -> bool:
        """Whether nobody on the way can read along: the connection is encrypted."""
        return self.under.get_extra_info("sslcontext") is not None

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        """Write *pieces* as one."""
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:
        """Close once everything written has been sent, and a registered producer is done."""
        if self.disconnecting or not self.connected:
            return
        self.disconnecting = True
        if self._feed is None:
            self.close()

    def loseWriteConnection(self) -> None:
        """Send everything written and then end of file; keep reading."""
        if self.connected and not self.disconnecting:
            self.write = _write_nothing
            self.under.write_eof()

    def abortConnection(self) -> None:
        """Close now; what was written and not sent is dropped."""
        self.drop(ConnectionAborted("abortConnection() was called"))

    def getPeer(self) -> Address:
        """The address of the other side."""
        if self._peer is None:
            self._peer = fromSocketName(self.under.get_extra_info("peername"))
        return self._peer

    def getHost(self) -> Address:
        """The address of this side."""
        if self._host is None:
            self._host = fromSocketName(self.under.get_extra_info("sockname"))
        return self._host

    def pauseProducing(self) -> None:
        """Read no more for now; the peer's bytes wait in the kernel, then with the peer."""
        self.paused = True
        self.under.pause_reading()

    def resumeProducing(self) -> None:
        """Read on after pauseProducing."""
        self.paused = False
        if self._link is not None:
            self._link.resume()

    def stopProducing(self) -> None:
        """The same as loseConnection, for a consumer that we are the producer of."""
        self.loseConnection()

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Let *producer* do the writing, as fast as the peer reads.

        A *streaming* (push) producer writes by itself between resumeProducing and
        pauseProducing. Any other is asked by resumeProducing for one piece at a time: at
        once, and again in the next turn of the loop after each write, while the buffer is
        below its mark. When the connection ends the producer is told stopProducing.
        Raises RuntimeError when another is registered.
        """
        if self._feed is not None:
            raise RuntimeError(
                f"{self._feed.producer!r} is registered; call unregisterProducer() first"
            )
        if not self.connected or self.disconnecting:
            producer.stopProducing()
        elif streaming:
            self._feed = _Push(producer)  # type: ignore[arg-type]  # *streaming* says it is one
        else:
            self._feed = _Pull(producer, self)
        if self._feed is not None:
            self._feed.begin(self.choked)

    def unregisterProducer(self) -> None:
        """The producer is done; a loseConnection() that waited for it goes on."""
        feed, self._feed = self._feed, None
        if feed is None or not self.connected:
            return
        feed.end(self)
        if self.disconnecting:
            self.close()

    def getTcpNoDelay(self) -> bool:
        """Whether small writes are sent at once; they are, unless told otherwise."""
        return self._option(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Send small writes at once, or gather them; of no effect on a UNIX socket."""
        self._set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        """Whether the kernel asks a silent peer now and then if it is still there."""
        return self._option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Have the kernel ask a silent peer, or not; of no effect on a UNIX socket."""
        self._set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    def close(self) -> None:
        """Close once everything written has been sent, whatever a producer may think."""
        self.disconnecting = True
        self.write = _write_nothing
        self.under.close()
        if self._feed is not None and not self.choked:
            self._feed.pause()  # for good: what it writes now goes nowhere

    def drop(self, reason: Exception) -> None:
        """Close now, and let that be the reason."""
        if self.connected:
            self._reason = reason
            self.disconnecting = True
            self.write = _write_nothing
            self.under.abort()

    def switch_protocol(self, protocol: IProtocol) -> None:
        """Give what arrives from now on, and the loss, to another protocol."""
        if self._link is not None:
            self._link.bind(protocol)

    def choke(self) -> None:
        """The buffer has grown over its mark."""
        self.choked = True
        if self._feed is not None:
            self._feed.pause()

    def unchoke(self) -> None:
        """The buffer has shrunk below its mark."""
        self.choked = False
        if self._feed is not None:
            # In the next turn: asyncio says so in the midst of sending, and would end a
            # connection twice that is closed there.
            self.next_turn(self._resume)

    def end(self, error: Exception | None) -> Exception:
        """Become a transport without connection, and say why."""
        self.getHost()  # asked while there is a socket to ask
        self.connected = False
        self.write = _write_nothing
        self._link = None  # so that no cycle keeps the two alive
        feed, self._feed = self._feed, None
        if feed is not None:
            _guarded(feed.producer.stopProducing)
        return self._reason or _reason_of(error)

    def next_turn(self, call: Callable[[], object]) -> None:
        """Make a call in the next turn of the loop."""
        if self._link is not None:
            self._link.owner.soon(call)

    def _resume(self) -> None:
        if self._feed is not None and not (self.choked or self.under.is_closing()):
            self._feed.resume()

    def _tcp(self) -> socket.socket | None:
        sock = self.under.get_extra_info("socket") if self.connected else None
        return None if sock is None or sock.family == socket.AF_UNIX else sock

    def _option(self, level: int, name: int) -> bool:
        sock = self._tcp()
        return sock is not None and bool(sock.getsockopt(level, name))

    def _set_option(self, level: int, name: int, enabled: bool) -> None:
        if sock := self._tcp():
            sock.setsockopt(level, name, enabled)


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
        self.data_received = _read_nothing
        self.owner.opened(self)
        try:
            self._begin(self.owner.buildProtocol(transport.getPeer()))
        except Exception as error:
            log.exception("a connection could not begin")
            transport.drop(error)
        if transport.paused:
            self._hold()

    def connection_lost(self, exc: Exception | None) -> None:
        reason = Failure(self.transport.end(exc))
        protocol, self.protocol = self.protocol, None
        self.data_received = _read_nothing  # the loop may hold on to us, not to the protocol
        if protocol is not None:
            _guarded(partial(protocol.connectionLost, reason))
        self.owner.lost(self, reason)

    def eof_received(self) -> None:
        """The peer will send no more: close when what was written has been sent."""
        self.transport.close()

    def pause_writing(self) -> None:
        self.transport.choke()

    def resume_writing(self) -> None:
        self.transport.unchoke()

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


class _Push:
    """A producer that writes by itself until it is paused."""

    __slots__ = ("_paused", "producer")

    def __init__(self, producer: IPushProducer) -> None:
        self.producer = producer
        self._paused = False

    def begin(self, choked: bool) -> None:
        if choked:
            self.pause()

    def pause(self) -> None:
        self._paused = True
        self.producer.pauseProducing()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self.producer.resumeProducing()

    def end(self, transport: Transport) -> None:
        pass


class _Pull:
    """A producer that is asked for one piece at a time.

    It is asked again when it has written, and not merely when it was asked: one that has
    nothing to write yet must not keep the loop spinning. So its writes pass through here.
    """

    __slots__ = ("_asked", "_transport", "producer")

    def __init__(self, producer: IPullProducer, transport: Transport) -> None:
        self.producer = producer
        self._transport: Transport | None = transport
        self._asked = False

    def begin(self, choked: bool) -> None:
        if self._transport is not None:
            self._transport.write = self._write
        if not choked:
            self.producer.resumeProducing()

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        if self._transport is not None and not self._asked:
            self._asked = True
            self._transport.next_turn(self._ask)

    def end(self, transport: Transport) -> None:
        self._transport = None
        if transport.write == self._write:
            transport.write = transport.under.write

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.under.write(data)
            self.resume()

    def _ask(self) -> None:
        self._asked = False
        transport = self._transport
        if transport is not None and transport.connected and not transport.choked:
            self.producer.resumeProducing()


def _reason_of(error: Exception | None) -> Exception:
    if error is None:
        return ConnectionDone("the connection was closed cleanly")
    if not isinstance(error, OSError):
        return error  # the loop has logged it
    if _comes_from_a_program(error.__traceback__):
        # Both loops take every OSError for the socket's own and log none; a protocol that
        # could not open a file must be told of as for any other error.
        log.error("an error escaped from dataReceived", exc_info=error)
        return error
    lost = ConnectionLost(f"the connection broke: {error.strerror or error}")
    lost.__cause__ = error
    return lost


def _comes_from_a_program(traceback: TracebackType | None) -> bool:
    """Whether an error was raised in a function that is not the event loop's."""
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in _LOOPS:
            return True
        traceback = traceback.tb_next
    return False


_LOOPS = {"asyncio", "ssl", "uvloop"}


def _guarded(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:
        log.exception("an error in a program's callback at the end of a connection")


def _write_nothing(data: bytes) -> None:
    """What `write` is when nothing can be sent any more."""


def _read_nothing(data: bytes) -> None:
    """What `data_received` is without a protocol."""

"""A connection, as its protocol sees it: the field's transport over the event loop's own.

What asyncio does not say is added here: that nothing may be written after the end, that a
producer is waited for, that one half may end before the other, that encryption may begin at
any moment, why a connection was lost, and that it is told exactly once.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING
from typing import Protocol as Face

from weblayer.loop.address import Address, fromSocketName
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.error import ConnectionAborted, ConnectionDone, ConnectionLost
from weblayer.loop.loops import Soon
from weblayer.loop.producers import Pull, Push
from weblayer.loop.protocol import (
    IHalfCloseableProtocol,
    IProtocol,
    IPullProducer,
    IPushProducer,
)

if TYPE_CHECKING:  # loaded by who encrypts
    from weblayer.loop.ssl import Certificate, TLSOptions

__all__ = ["HANDSHAKE", "Link", "Transport", "guarded"]

log = logging.getLogger("weblayer")

# Seconds that two sides may take to agree on an encryption: two round trips over a bad line, and
# far below the sixty of asyncio and nginx, since a stranger holds a connection meanwhile.
HANDSHAKE = 30.0


class Owner(Face):
    """Whose connection it is, as far as its transport asks."""

    soon: Soon


class Link(Face):
    """What stands between the transport and its protocol: a Connection."""

    protocol: IProtocol | None
    data_received: Callable[[bytes], object]

    @property
    def owner(self) -> Owner: ...
    def begin(self, build: Callable[[Address], IProtocol | None], /) -> object: ...
    def bind(self, protocol: IProtocol, /) -> object: ...
    def resume(self) -> object: ...
    def take_early(self) -> bytes: ...
    def eof_received(self) -> bool: ...
    def connection_lost(self, exc: Exception | None, /) -> object: ...
    def pause_writing(self) -> object: ...
    def resume_writing(self) -> object: ...
    def broken(self, error: Exception, politely: bool, /) -> object: ...


class Transport:
    """One side of a stream connection, as its protocol sees it.

    *under* is the event loop's own transport. `write` is a name bound to it, not a method,
    and is bound elsewhere when the state changes: look it up when writing.
    """

    __slots__ = (
        "_agreed", "_feed", "_host", "_link", "_peer", "_read_over", "_reason", "_write_over",
        "choked", "connected", "disconnecting", "paused", "under", "write",
    )  # fmt: skip

    def __init__(self, under: asyncio.Transport, link: Link) -> None:
        self.under = under
        self._link: Link | None = link
        self.write: Callable[[bytes], object] = under.write
        self.connected = True
        self.disconnecting = self.paused = self.choked = False
        self._read_over = self._write_over = False  # the two halves of the connection
        self._agreed: Deferred[None] | None = None  # of a startTLS that is under way
        self._reason: Exception | None = None
        self._feed: Push | Pull | None = None
        self._peer: Address | None = None
        self._host: Address | None = None

    @property
    def secure(self) -> bool:
        """Whether nobody on the way can read along: the connection is encrypted."""
        return self.under.get_extra_info("ssl_object") is not None

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """What the two sides agreed to speak inside the encryption (ALPN, RFC 7301)."""
        secret = self.under.get_extra_info("ssl_object")
        name = secret and secret.selected_alpn_protocol()
        return name.encode() if name else None

    def getPeerCertificate(self) -> "Certificate | None":
        """What the peer showed when the encryption began; None without one."""
        secret = self.under.get_extra_info("ssl_object")
        if secret is None:
            return None
        from weblayer.loop.ssl import Certificate

        return Certificate.of(secret)

    def startTLS(self, options: "TLSOptions", timeout: float = HANDSHAKE) -> Deferred[None]:
        """Encrypt all that is written and read from now on; fires when the two sides agree.

        What is written meanwhile waits for that. Where they do not agree in *timeout* seconds,
        or at all, the connection is lost, and both it and the Deferred say why: SSLError and its
        kinds. What had come before must be dropped by the protocol: it may be a forgery.
        """
        link = self._link
        if link is None or self.disconnecting or self._read_over or self._write_over:
            return fail(ConnectionDone("startTLS() is for a connection that is open both ways"))
        if self._agreed is not None:
            raise RuntimeError("startTLS() was called before, and the two sides have yet to agree")
        from weblayer.loop.tls import TLSLayer

        agreed: Deferred[None] = Deferred(self._disagree)
        self._agreed = agreed
        early, plain = link.take_early(), self.under
        layer = TLSLayer(plain, link, options)
        self.under = layer
        if self.write == plain.write:
            self.write = layer.write
        layer.begin(
            self._agree, link.owner.soon, timeout,
            full=self.choked, paused=self.paused, early=early,
        )  # fmt: skip
        return agreed

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
        """Send everything written, a registered producer's too, then end of file; read on.

        A protocol with `writeConnectionLost` is told when all is sent. A connection whose peer
        has ended its direction too is over.
        """
        if self.connected and not self.disconnecting and not self._write_over:
            self._write_over = True
            if self._feed is None:
                self._end_writing()

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
        if not self.connected or self.disconnecting or self._write_over:
            producer.stopProducing()
            return
        # *streaming* says which of the two it is.
        self._feed = Push(producer, self) if streaming else Pull(producer, self)  # type: ignore[arg-type]
        self._feed.begin(self.choked)

    def unregisterProducer(self) -> None:
        """The producer is done; a loseConnection() or the like that waited for it goes on."""
        feed, self._feed = self._feed, None
        if feed is None or not self.connected:
            return
        feed.end(self)
        if self.disconnecting:
            self.close()
        elif self._write_over:
            self._end_writing()

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
        self.write = write_nothing
        self.under.close()
        if self._feed is not None and not self.choked:
            self._feed.pause()  # for good: what it writes now goes nowhere

    def drop(self, reason: Exception) -> None:
        """Close now, and let that be the reason."""
        if self.connected:
            self._reason = reason
            self.disconnecting = True
            self.write = write_nothing
            self.under.abort()

    def give_up(self, reason: Exception) -> None:
        """Let that be the reason, and close once the peer has been sent what it must be told."""
        if self.connected:
            self._reason = reason
            self.close()

    def begin(self, build: Callable[[Address], IProtocol | None]) -> None:
        """Give the connection to the protocol that *build* makes, as at its beginning."""
        if self._link is not None:
            self._link.begin(build)

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
        elif self._write_over:
            self.next_turn(self._tell_written)

    def hear_end(self, protocol: IHalfCloseableProtocol) -> None:
        """The peer will send no more, but *protocol* may."""
        self._read_over = True
        try:
            protocol.readConnectionLost()
        except Exception as error:
            log.exception("an error escaped from readConnectionLost")
            self.drop(error)
        if self._write_over and self._feed is None:
            self.close()

    def end(self, error: Exception | None) -> Exception:
        """Become a transport without connection, and say why."""
        self.getHost()  # asked while there is a socket to ask
        self.connected = False
        self.write = write_nothing
        self._link = None  # so that no cycle keeps the two alive
        feed, self._feed = self._feed, None
        if feed is not None:
            guarded(feed.producer.stopProducing)
        reason = self._reason or _reason_of(error)
        if self._agreed is not None:
            self._agreed.errback(reason)
            self._agreed._look()  # connectionLost tells it to who did not keep the Deferred
            self._agreed = None
        return reason

    def next_turn(self, call: Callable[[], object]) -> None:
        """Make a call in the next turn of the loop."""
        if self._link is not None:
            self._link.owner.soon(call)

    def _resume(self) -> None:
        if self._feed is not None and not (self.choked or self.under.is_closing()):
            self._feed.resume()

    def _agree(self) -> None:
        agreed, self._agreed = self._agreed, None
        if agreed is not None:
            agreed.callback(None)

    def _disagree(self, _: object) -> None:
        self._agreed = None
        self.abortConnection()

    def _end_writing(self) -> None:
        self.write = write_nothing
        if self._read_over:
            self.close()
        if self.under.is_closing():
            return
        try:
            self.under.write_eof()
            self.under.set_write_buffer_limits(0)  # has us choked until the last byte is sent
        except (OSError, RuntimeError) as error:
            # The peer has reset it, and the loop (asyncio, uvloop) has yet to say so.
            self.drop(ConnectionLost(f"the connection broke: {error}"))
        else:
            if not self.choked:
                self.next_turn(self._tell_written)

    def _tell_written(self) -> None:
        # object: mypy takes a protocol to be never half-closeable.
        protocol: object = None if self._link is None else self._link.protocol
        if isinstance(protocol, IHalfCloseableProtocol):
            guarded(protocol.writeConnectionLost)

    def _tcp(self) -> socket.socket | None:
        sock = self.under.get_extra_info("socket") if self.connected else None
        return None if sock is None or sock.family == socket.AF_UNIX else sock

    def _option(self, level: int, name: int) -> bool:
        sock = self._tcp()
        return sock is not None and bool(sock.getsockopt(level, name))

    def _set_option(self, level: int, name: int, enabled: bool) -> None:
        if sock := self._tcp():
            sock.setsockopt(level, name, enabled)


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


def guarded(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:
        log.exception("an error in a program's callback at the end of a connection")


def write_nothing(data: bytes) -> None:
    """What `write` is when nothing can be sent any more."""

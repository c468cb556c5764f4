"""Encryption on a connection: a layer between the event loop's transport and ours.

Theory. The layer is the event loop's protocol below and looks like the event loop's transport
above, so that a connection may grow one at any moment, on any loop, and over another layer.
The ssl module does the secret part on two buffers of bytes and opens no socket. Until the two
sides agree, what is written waits here, and the writer is told that the buffer is full.
After that each packet goes through at once; nothing is kept, save what cannot be delivered
while the reader has paused.

An end of file without the peer's word that it has ended (close_notify) may be anybody's, and
so is a connection lost, not one that is done. Our own word is not waited for to be answered:
the connection is closed behind it, as nginx and Go do. Source: RFC 8446, 6.1.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from typing import Protocol as Face

from weblayer.loop.error import ConnectionLost, SSLError, TimeoutError  # noqa: A004  field's name
from weblayer.loop.loops import Soon
from weblayer.loop.ssl import TLSOptions, explained

__all__ = ["TLSLayer"]

log = logging.getLogger("weblayer")

# Bytes asked for at once; a record holds at most 16 KiB (RFC 8446, 5.1).
RECORD = 16 * 1024


class Above(Face):
    """What stands on the layer: a Connection, or another layer."""

    data_received: Callable[[bytes], object]

    def eof_received(self) -> bool: ...
    def connection_lost(self, exc: Exception | None, /) -> object: ...
    def pause_writing(self) -> object: ...
    def resume_writing(self) -> object: ...
    def broken(self, error: Exception, politely: bool, /) -> object: ...


class TLSLayer(asyncio.Transport):
    """One encryption on a connection; *under* is the transport below it."""

    def __init__(self, under: asyncio.Transport, above: Above, options: TLSOptions) -> None:
        super().__init__()
        self._under = under
        self._above: Above | None = above
        self._deliver = above.data_received
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._options = options
        self._secret = options.wrap(self._incoming, self._outgoing)
        self._agreed: Callable[[], object] | None = None  # what to call once they agree
        self._soon: Soon
        self._timer: asyncio.TimerHandle | None = None
        self._ready = False
        self._paused = False  # the reader wants no more for now
        self._full = False  # the transport below has more to send than it should
        self._closing = False
        self._wrote_end = self._read_end = self._told_end = False
        self._to_write: list[bytes] = []  # until they agree
        self._to_read: list[bytes] = []  # while the reader has paused

    def begin(
        self, agreed: Callable[[], object], soon: Soon, timeout: float,
        *, full: bool, paused: bool, early: bytes,
    ) -> None:  # fmt: skip
        """Ask the peer to agree within *timeout* seconds, and call *agreed* then.

        *full* and *paused* say how the transport below is; *early* has been read from it.
        """
        self._agreed, self._soon, self._full, self._paused = agreed, soon, full, paused
        self._timer = _later(timeout, partial(self._expire, timeout))
        self._under.set_protocol(self)  # type: ignore[arg-type]  # all of its methods that are called
        if not full and self._above is not None:
            self._above.pause_writing()
        if paused:
            self._under.resume_reading()
        if early:
            self._incoming.write(early)
        self._agree()

    # The loop's side.

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if self._ready:
            self._read()
        else:
            self._agree()

    def eof_received(self) -> bool:
        if self._read_end:
            return not self._closing  # known already; what is above may still write
        if self._ready:
            self._break(ConnectionLost("the peer left without its last word: some may be missing"))
        else:
            self._break(SSLError("the peer left before the encryption could begin"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        above, self._above = self._above, None
        self._deliver = _deliver_nothing
        self._agreed = None
        self._stop_timer()
        if above is not None:
            above.connection_lost(exc)

    def pause_writing(self) -> None:
        self._full = True
        if self._ready and self._above is not None:
            self._above.pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        if self._ready and self._above is not None:
            self._above.resume_writing()

    def broken(self, error: Exception, politely: bool) -> None:
        """The layer below, when there is one, cannot go on."""
        if self._above is not None:
            self._above.broken(error, politely)

    # The side of what stands on it.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if not self._ready:
            self._to_write.append(bytes(data))
        elif data and not self._wrote_end:
            self._encrypt(data)

    def write_eof(self) -> None:
        if not self._ready:
            self._wrote_end = True  # said after what waits
        elif not self._wrote_end:
            self._say_end()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if self._ready:
            self._say_end()
        self._closing = True
        if self._ready or self._agreed is None or not self._to_write:
            self._under.close()

    def abort(self) -> None:
        self._closing = True
        self._under.abort()

    def is_closing(self) -> bool:
        return self._closing or self._under.is_closing()

    def pause_reading(self) -> None:
        self._paused = True
        if self._ready:
            self._under.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        if self._ready:
            # In the next turn, as on every transport: who resumes may be in the midst of reading.
            self._soon(self._resume)

    def is_reading(self) -> bool:
        return not self._paused and not self.is_closing()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._above = protocol  # type: ignore[assignment]  # only a Connection or a layer sets itself
        self._deliver = protocol.data_received  # type: ignore[attr-defined]

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self._to_write)) + self._under.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._under.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As every transport's; "ssl_object" and "sslcontext" once the two sides agree."""
        if name == "ssl_object" and self._ready:
            return self._secret
        if name == "sslcontext" and self._ready:
            return self._secret.context
        return self._under.get_extra_info(name, default)

    # Agreeing.

    def _agree(self) -> None:
        if self._agreed is None:
            return  # they will not
        try:
            self._secret.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except (ssl.SSLError, OSError, ValueError) as error:
            self._flush()  # the alert that tells the peer why
            self._break(explained(error, self._options.hostname), politely=True)
        else:
            self._flush()
            self._begin_speaking()

    def _begin_speaking(self) -> None:
        """They agree: tell it, and let go what has waited."""
        self._stop_timer()
        self._ready = True
        agreed, self._agreed = self._agreed, None
        ends, self._wrote_end = self._wrote_end, False
        waiting, self._to_write = self._to_write, []
        for data in waiting:
            self.write(data)
        if agreed is not None:
            agreed()
        if ends:
            self.write_eof()
        if self._closing:
            self._say_end()
            self._under.close()
            return
        if not self._full and self._above is not None:
            self._above.resume_writing()
        if self._paused:
            self._under.pause_reading()
        else:
            self._read()

    def _expire(self, timeout: float) -> None:
        if not self._ready:
            self._break(TimeoutError(f"no encryption was agreed on in {timeout:g} seconds"))

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # Speaking.

    def _encrypt(self, data: bytes | bytearray | memoryview) -> None:
        try:
            sent = self._secret.write(data)
            if sent < len(data):
                self._encrypt_rest(memoryview(data).cast("B")[sent:])
        except ssl.SSLError as error:
            self._break(_lost(error))
        self._flush()

    def _encrypt_rest(self, rest: memoryview) -> None:
        while rest:
            rest = rest[self._secret.write(rest) :]

    def _read(self) -> None:
        """Deliver what has come, unless the reader has paused."""
        if self._paused or self._told_end:
            return
        pieces, self._to_read = self._to_read, []
        error = self._decrypt(pieces)
        if pieces:
            self._deliver(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if error is not None:
            self._break(_lost(error))
        elif self._read_end and not self._paused:
            self._hear_end()

    def _resume(self) -> None:
        if self._above is None or self._paused:
            return
        try:
            self._read()
        except Exception as error:
            log.exception("an error escaped from dataReceived")
            self._break(error)
        if not self._paused:
            self._under.resume_reading()

    def _decrypt(self, pieces: list[bytes]) -> ssl.SSLError | None:
        """Add what has come to *pieces*; gives what broke the encryption, if anything did."""
        secret, incoming = self._secret, self._incoming
        try:
            # Asked first if there is more: to be told that there is none costs an exception.
            while incoming.pending or secret.pending():
                piece = secret.read(RECORD)
                if not piece:
                    self._read_end = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._read_end = True
        except ssl.SSLError as error:
            return error
        finally:
            self._flush()
        return None

    def _hear_end(self) -> None:
        """The peer has ended its half of the encryption."""
        self._told_end = True
        above = self._above
        if above is not None and not self._closing and not above.eof_received():
            self.close()

    def _say_end(self) -> None:
        """End our half of the encryption, once."""
        if self._wrote_end:
            return
        self._wrote_end = True
        if self._paused:
            self._decrypt(self._to_read)  # what has come would be taken for a fault below
        with suppress(ssl.SSLError):  # it wants to read the peer's end, and that may come later
            self._secret.unwrap()
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._under.write(self._outgoing.read())

    def _break(self, error: Exception, *, politely: bool = False) -> None:
        self._agreed = None
        self._stop_timer()
        if self._above is not None:
            self._above.broken(error, politely)


def _later(seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle | None:
    """Call later, in the loop that we are in; a connection in memory has none, and no limit."""
    try:
        return asyncio.get_running_loop().call_later(seconds, call)
    except RuntimeError:
        return None


def _lost(error: ssl.SSLError) -> ConnectionLost:
    lost = ConnectionLost(f"the encryption broke: {error.reason or error}")
    lost.__cause__ = error
    return lost


def _deliver_nothing(data: bytes) -> None:
    """What data goes to when all is over."""

"""What every receiver of whole messages shares: what has been read and not yet delivered.

The bytes stay where they arrived, and `_at` moves over them from message to message: a
packet of many small messages is delivered in a loop and copied once. Before each message
the loop asks whether the program still listens, because the one before may have paused,
closed or handed over the connection. What is left at the end of a packet is kept in a
bytearray, which grows in place: a long message in many packets is not copied for each.
"""

from weblayer.loop.protocol import Protocol

__all__ = ["Receiver", "check_bytes"]


class Receiver(Protocol):
    """A protocol that cuts what arrives into messages; also a producer that can be paused."""

    # Whether pauseProducing() was called: nothing is delivered until resumeProducing().
    paused = False

    _unread: bytes | bytearray = b""
    _at = 0  # where in _unread the next message begins
    _busy = False
    _changed = False  # whether a callback has changed what comes next, or whether it may come

    def dataReceived(self, data: bytes) -> None:
        """Deliver the messages that are whole with *data*."""
        if self._unread:
            self._append(data)
        else:
            self._unread = data
        self._deliver()

    def pauseProducing(self) -> None:
        """Deliver nothing and read nothing until resumeProducing.

        Call this and not the transport's own, which does not hold back what has been read.
        """
        self.paused = self._changed = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on after pauseProducing, at once with the messages that have been read.

        What delivering them raises is raised here, and the connection is aborted.
        """
        self.paused = False
        self._go_on()
        if not self.paused:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Close the connection: nobody wants what it brings."""
        self.transport.stopProducing()

    # For the receivers.

    def _take(self) -> bool:
        """Deliver the next message, or some until `_changed`; False when there is none yet."""
        raise NotImplementedError

    def _go_on(self) -> None:
        """Deliver what has been read, when it is not the loop that calls us."""
        try:
            self._deliver()
        except BaseException:
            self.transport.abortConnection()
            raise

    def _put_back(self, data: bytes) -> None:
        """Make *data* what comes next, before all that has not been delivered."""
        self._changed = True
        begin = self._at - len(data)
        if begin >= 0 and self._unread[begin : self._at] == data:
            self._at = begin  # it was taken from here: nothing is copied
        else:
            self._unread = data + self._unread[self._at :]
            self._at = 0

    # Inside.

    def _deliver(self) -> None:
        if self._busy or not self._unread:
            return
        self._busy, transport = True, self.transport
        try:
            while (
                not self.paused
                and not transport.disconnecting
                and transport.connected
                and self._take()
            ):
                pass
        finally:
            self._busy = False
            self._trim(transport.disconnecting or not transport.connected)

    def _trim(self, is_over: bool) -> None:
        """Forget what has been delivered, or everything."""
        if is_over or self._at == len(self._unread):
            self._unread = b""
        elif isinstance(self._unread, bytearray):
            del self._unread[: self._at]
        else:
            self._unread = bytearray(self._unread[self._at :])
        self._at = 0

    def _append(self, data: bytes) -> None:
        if not isinstance(self._unread, bytearray):  # called from within a delivery
            self._unread = bytearray(self._unread[self._at :])
            self._at, self._changed = 0, True
        self._unread += data


def check_bytes(call: str, name: str, value: object) -> None:
    """Raise TypeError, which says what to do, when the *name* given to *call* is no bytes."""
    if not isinstance(value, bytes | bytearray):
        advice = f"; encode it first, as in {name}.encode()" if isinstance(value, str) else ""
        raise TypeError(f"{call}: {name} must be bytes, not {type(value).__name__}{advice}")

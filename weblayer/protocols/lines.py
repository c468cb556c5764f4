"""Lines: messages that end with a delimiter."""

from weblayer.protocols.receiver import Receiver, check_bytes

__all__ = ["LineOnlyReceiver", "LineReceiver"]

# Bytes given to rawDataReceived at once. A program that takes a few of them and gives the
# rest back is so kept from copying a whole packet, of up to 256 KiB, for each few bytes.
RAW_PIECE = 16 * 1024

# Bytes split into lines at once, which halves the cost of a line. No more, because a program
# may pause after each line, and then they are split again.
BATCH = 1024


class LineOnlyReceiver(Receiver):
    """Receives lines; define `lineReceived`.

    A line longer than *MAX_LENGTH* bytes, without its *delimiter*, is told once to
    `lineLengthExceeded`.
    """

    delimiter = b"\r\n"
    # 16 KiB: the field's number, far above SMTP's 1000 bytes (RFC 5321, 4.5.3.1.6).
    MAX_LENGTH = 16384

    _sought: object = None  # the delimiter that _clear is about
    _clear = 0  # bytes from _at on in which no delimiter begins
    _skips = False  # whether what comes is the rest of a line that was too long

    def lineReceived(self, line: bytes) -> None:
        """A line came; *line* is without its delimiter, and may be empty."""
        raise NotImplementedError(f"{type(self).__name__} must define lineReceived(line)")

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line is too long; *line* is its first MAX_LENGTH bytes. Closes the connection.

        If you keep it open, the rest of the line is skipped, and the next one is received.
        """
        self.transport.loseConnection()

    def sendLine(self, line: bytes) -> None:
        """Send *line* and the delimiter, in one piece.

        Raises ValueError when the peer would find another line in it: who passes on what a
        stranger gave would else send what a stranger says.
        """
        check_bytes("sendLine", "line", line)
        whole = line + self.delimiter
        if whole.find(self.delimiter) != len(line):
            raise ValueError(
                f"sendLine: line must not contain the delimiter {self.delimiter!r};"
                f" send one line at a time: {line[:80]!r}"
            )
        self.transport.write(whole)

    def _take(self) -> bool:
        if self.delimiter is not self._sought:
            self._seek(self.delimiter)
        known = self._clear or self._skips  # that this line is no short one
        return (not known and self._take_batch()) or self._take_line()

    def _take_batch(self) -> bool:
        """Deliver the lines that end within the next bytes; False when there is none."""
        transport, delimiter, at = self.transport, self.delimiter, self._at
        room = len(delimiter)
        lines = bytes(self._unread[at : at + BATCH]).split(delimiter)
        lines.pop()  # which has no end yet
        self._changed = False
        for line in lines:
            if len(line) > self.MAX_LENGTH:
                return self._take_line()
            self._at = at = at + len(line) + room
            self.lineReceived(line)
            if self._changed or transport.disconnecting or self.delimiter is not delimiter:
                break
        return bool(lines)

    def _take_line(self) -> bool:
        """Deliver one line of any length, or act on one that is too long or has no end yet."""
        unread, at = self._unread, self._at
        end = unread.find(self.delimiter, at + self._clear)
        if end < 0 or self._skips or end - at > self.MAX_LENGTH:
            return self._take_part(end)
        self._at = end + len(self.delimiter)
        self._clear = 0
        self.lineReceived(bytes(unread[at:end]))
        return True

    def _take_part(self, end: int) -> bool:
        """Act on a line that is not whole (*end* is negative), or that is too long."""
        room, size = len(self.delimiter), len(self._unread) - self._at
        if self._skips:
            return self._skip(end)
        if end < 0 and size < self.MAX_LENGTH + room:
            self._clear = max(0, size - room + 1)
            return False
        begin, self._at = self._at, self._at + self.MAX_LENGTH
        self._clear, self._skips = 0, True
        self.lineLengthExceeded(bytes(self._unread[begin : self._at]))
        return True

    def _skip(self, end: int) -> bool:
        self._clear, room = 0, len(self.delimiter)
        if end < 0:
            # The delimiter may have begun in the last bytes.
            self._at = max(self._at, len(self._unread) - room + 1)
            return False
        self._at, self._skips = end + room, False
        return True

    def _seek(self, delimiter: object) -> None:
        """Begin to look for another delimiter."""
        check_bytes(type(self).__name__, "delimiter", delimiter)
        if not delimiter:
            raise ValueError(f"{type(self).__name__}: delimiter must not be empty")
        self._sought, self._clear = delimiter, 0


class LineReceiver(LineOnlyReceiver):
    """Receives lines, and between them bytes that are no lines.

    Define `lineReceived`, and `rawDataReceived` if you call `setRawMode`.
    """

    _raw = False

    def rawDataReceived(self, data: bytes) -> None:
        """Some bytes came in raw mode, cut anywhere; setLineMode(data[n:]) gives some back."""
        raise NotImplementedError(f"{type(self).__name__} must define rawDataReceived(data)")

    def setRawMode(self) -> None:
        """Receive no lines but bytes from now on, beginning with the one after this line.

        In lineLengthExceeded: with those that follow the ones it was given.
        """
        self._raw, self._skips, self._changed = True, False, True
        self._go_on()

    def setLineMode(self, extra: bytes = b"") -> None:
        """Receive lines from now on, beginning with *extra*, which raw mode had too much.

        What is to be delivered is delivered at once, or after the callback we are in.
        """
        check_bytes("setLineMode", "extra", extra)
        self._raw, self._clear, self._changed = False, 0, True
        if extra:
            self._put_back(extra)
        self._go_on()

    def _take(self) -> bool:
        if not self._raw:
            return super()._take()
        data = bytes(self._unread[self._at : self._at + RAW_PIECE])
        if data:
            self._at += len(data)
            self.rawDataReceived(data)
        return bool(data)

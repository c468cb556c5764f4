"""Strings: messages that say their length before they begin."""

import struct

from weblayer.loop.protocol import ITransport
from weblayer.protocols.errors import NetstringParseError, StringTooLongError
from weblayer.protocols.receiver import Receiver, check_bytes

__all__ = [
    "Int8StringReceiver",
    "Int16StringReceiver",
    "Int32StringReceiver",
    "IntNStringReceiver",
    "NetstringReceiver",
    "StatefulStringProtocol",
    "StringReceiver",
]

# Digits in the length of a netstring: enough for all that fits in 63 bits, and so few that
# a peer who only ever sends digits is found out.
DIGITS = 19

FOREVER = 1 << 63  # bytes to skip where nothing that follows can be understood


class StringReceiver(Receiver):
    """What the receivers of strings share; define `stringReceived`.

    A string that says it is longer than *MAX_LENGTH* bytes is told once, before any of it
    is kept, to `lengthLimitExceeded`.
    """

    MAX_LENGTH = 99999

    _skips = 0  # bytes still to come of a string that was too long

    def stringReceived(self, string: bytes) -> None:
        """A string came, without what was around it; it may be empty."""
        raise NotImplementedError(f"{type(self).__name__} must define stringReceived(string)")

    def lengthLimitExceeded(self, length: int) -> None:
        """A string of *length* bytes begins, which is too long. Closes the connection.

        If you keep it open, the string is skipped, and the next one is received.
        """
        self.transport.loseConnection()

    def sendString(self, string: bytes) -> None:
        """Send *string* in one piece with what belongs around it."""
        check_bytes("sendString", "string", string)
        self.transport.write(self._around(string))

    def _around(self, string: bytes) -> bytes:
        """*string* as it goes over the wire."""
        raise NotImplementedError

    def _exceed(self, begin: int, length: int) -> bool:
        """Refuse the string that begins at *begin*."""
        self._at, self._skips = begin, length
        self.lengthLimitExceeded(length)
        return True

    def _skip(self) -> bool:
        size = min(self._skips, len(self._unread) - self._at)
        self._at += size
        self._skips -= size
        return size > 0


class IntNStringReceiver(StringReceiver):
    """Receives strings after their length as a number of *prefixLength* bytes.

    *structFormat* says how the number is written, in the letters of the `struct` module;
    it must be one without a sign.
    """

    structFormat = ""
    prefixLength = 0

    def _take(self) -> bool:
        if self._skips:
            return self._skip()
        unread, at = self._unread, self._at
        begin = at + self.prefixLength
        if len(unread) < begin:
            return False
        length = struct.unpack_from(self.structFormat, unread, at)[0]
        if length > self.MAX_LENGTH:
            return self._exceed(begin, length)
        end = begin + length
        if len(unread) < end:
            return False
        self._at = end
        self.stringReceived(bytes(unread[begin:end]))
        return True

    def _around(self, string: bytes) -> bytes:
        if len(string) >= 1 << 8 * self.prefixLength:
            raise StringTooLongError(
                f"sendString: string must be shorter than 2**{8 * self.prefixLength} bytes for"
                f" {type(self).__name__}, not {len(string)}; send it in parts"
            )
        return struct.pack(self.structFormat, len(string)) + string


class Int32StringReceiver(IntNStringReceiver):
    """Receives strings after their length in four bytes, the greatest first."""

    structFormat = "!I"
    prefixLength = 4


class Int16StringReceiver(IntNStringReceiver):
    """Receives strings after their length in two bytes, the greater first."""

    structFormat = "!H"
    prefixLength = 2


class Int8StringReceiver(IntNStringReceiver):
    """Receives strings after their length in one byte."""

    structFormat = "!B"
    prefixLength = 1


class NetstringReceiver(StringReceiver):
    """Receives netstrings, as in `5:hello,`.

    Source: cr.yp.to/proto/netstrings.txt
    """

    _owes_comma = False  # whether a skipped string must end next

    def parseFailed(self, error: NetstringParseError) -> None:
        """The peer sends no netstrings. Closes the connection; nothing more is received."""
        self.transport.loseConnection()

    def _take(self) -> bool:
        if self._skips:
            return self._skip()
        if self._owes_comma:
            return self._take_comma()
        found = self._length()
        return self._take_string(*found) if found else self._skips > 0

    def _take_string(self, begin: int, length: int) -> bool:
        if length > self.MAX_LENGTH:
            self._owes_comma = True
            return self._exceed(begin, length)
        end = begin + length
        if len(self._unread) <= end:
            return False
        string, self._at = bytes(self._unread[begin:end]), end
        if self._take_comma():
            self.stringReceived(string)
        return True

    def _length(self) -> tuple[int, int] | None:
        """Where the next string begins and how long it is, once that is known."""
        unread, at = self._unread, self._at
        colon = unread.find(b":", at, at + DIGITS + 1)
        digits = bytes(unread[at : at + DIGITS + 1 if colon < 0 else colon])
        # A length has no leading nought, so that there is one way to write it.
        is_length = digits.isdigit() and (digits[:1] != b"0" or digits == b"0")
        if colon >= 0 and is_length:
            return colon + 1, int(digits)
        if colon >= 0 or len(digits) > DIGITS or (digits and not is_length):
            self._fail("a netstring must begin with its length in digits and a colon")
        return None

    def _take_comma(self) -> bool:
        if self._at == len(self._unread):
            return False
        self._owes_comma = False
        if self._unread[self._at] == ord(","):
            self._at += 1
            return True
        self._fail("a netstring must end with a comma after the length it says")
        return False

    def _fail(self, rule: str) -> None:
        self._skips = FOREVER
        self.parseFailed(NetstringParseError(rule))

    def _around(self, string: bytes) -> bytes:
        return b"%d:%b," % (len(string), string)


class StatefulStringProtocol:
    """Gives each string to a method for the state: `proto_init` for the state "init".

    Inherit from it and then from a receiver of strings. What such a method returns is the
    next state; None stays in this one, and "done" closes the connection.
    """

    state = "init"
    transport: ITransport

    def stringReceived(self, string: bytes) -> None:
        """Give *string* to the method for the state; NotImplementedError without one."""
        name = f"proto_{self.state}"
        act = getattr(self, name, None)
        if act is None:
            raise NotImplementedError(
                f"{type(self).__name__} must define {name}(string) for the state it is in"
            )
        self.state = act(string) or self.state
        if self.state == "done":
            self.transport.loseConnection()

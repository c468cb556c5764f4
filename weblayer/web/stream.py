"""The face of what an exchange talks to: one request's way back to the client.

An exchange does not know its connection. The HTTP/1.1 channel stands behind this face, and
an HTTP/2 stream or an ASGI host can.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from weblayer.loop.address import Address
from weblayer.loop.protocol import IPullProducer, IPushProducer

if TYPE_CHECKING:  # loaded by who encrypts
    from weblayer.loop.ssl import Certificate

__all__ = ["Stream"]


class Stream(Protocol):
    """Call `begin` once, `send` as often as there is something, `end` once; or `answer`.

    `abort` may stand in place of what is left.
    """

    def begin(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
    ) -> None:
        """Say how the answer starts. *length* is the body's, None while it is not known."""

    def send(self, data: bytes) -> None:
        """Send some of the body, the head before it; dropped where it may have none (HEAD, 304)."""

    def send_file(
        self, file: int, start: int, stop: int, done: Callable[[Exception | None], object]
    ) -> bool:
        """Have the kernel send all that is left of the body, from a descriptor, past ourselves.

        *done* is called once, with None or with why not all was sent; `end` is still to be called.
        Gives False, and does nothing, where there is no such way: send it yourself then.
        """

    def end(self, trailers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """The answer is whole; *trailers* go with it where its framing has a place for them."""

    def answer(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
        body: bytes,
    ) -> None:
        """`begin`, `send` and `end` at once, for a body that is known whole."""

    def supply(self, names: list[bytes]) -> None:
        """The answer that is about to begin has these fields itself, as Date or Server."""

    def close_after(self) -> None:
        """Before the answer: let its connection, where there is one of its own, end behind it."""

    def abort(self) -> None:
        """Break the answer off, so that it is never taken for whole."""

    def proceed(self) -> None:
        """Tell a client that waits for 100 Continue to send its body."""

    def hint(self, links: Iterable[bytes]) -> None:
        """Before the answer: tell what it will need, values of Link, to a client that listens."""

    def pause(self) -> None:
        """Give the exchange no more of the body."""

    def resume(self) -> None:
        """Go on giving the body."""

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Have *producer* told when to pause and to resume, as the client reads."""

    def unregisterProducer(self) -> None:
        """The producer is done."""

    def getPeer(self) -> Address:
        """Who asked."""

    def getHost(self) -> Address:
        """The address that was asked."""

    def isSecure(self) -> bool:
        """Whether nobody on the way could read along."""

    def getPeerCertificate(self) -> "Certificate | None":
        """What who asked has shown when the encryption began, if anything."""

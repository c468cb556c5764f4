"""A file, sent as fast as its reader reads."""

from collections.abc import Callable
from typing import Protocol as Face

from weblayer.loop.deferred import Deferred
from weblayer.loop.protocol import IPullProducer, IPushProducer
from weblayer.protocols.errors import TransferStopped
from weblayer.protocols.receiver import check_bytes

__all__ = ["FileSender", "IConsumer", "IReadable"]


class IReadable(Face):
    """What a FileSender reads: a file that was opened in binary mode."""

    def read(self, size: int, /) -> bytes: ...


class IConsumer(Face):
    """What a FileSender writes to: a transport, or whatever paces a producer as one does."""

    @property
    def write(self) -> Callable[[bytes], object]: ...
    def registerProducer(
        self, producer: IPushProducer | IPullProducer, streaming: bool
    ) -> object: ...
    def unregisterProducer(self) -> object: ...


class FileSender:
    """A pull producer that sends a file in pieces, each when the one before has room."""

    # As much as the transport buffers before it asks us to wait. A GiB so takes three quarters
    # of the CPU that it takes in pieces of 16 KiB, and in pieces of 256 KiB hardly less.
    CHUNK_SIZE = 64 * 1024

    _deferred: Deferred[bytes] | None = None
    _consumer: IConsumer
    _file: IReadable
    _transform: Callable[[bytes], bytes] | None
    _last = b""

    def beginFileTransfer(
        self,
        file: IReadable,
        consumer: IConsumer,
        transform: Callable[[bytes], bytes] | None = None,
    ) -> Deferred[bytes]:
        """Send what *file* has from where it stands; it stays open, and yours to close.

        Each piece is sent as *transform* gives it back. Fires with the last byte sent (b""
        when there was none) after the last write; fails with what reading or *transform*
        raised, or TransferStopped when the consumer has ended. Cancelling it sends no more.
        Raises RuntimeError while a transfer is under way.
        """
        if self._deferred is not None:
            raise RuntimeError("this FileSender is at work; make one for each transfer")
        self._file, self._consumer, self._transform = file, consumer, transform
        self._last = b""
        deferred = self._deferred = Deferred(lambda _: self._stop())
        try:
            consumer.registerProducer(self, False)
        except BaseException:
            self._deferred = None
            raise
        return deferred

    def resumeProducing(self) -> None:
        """Send one piece. Called by the consumer."""
        if self._deferred is None:
            return
        try:
            piece = self._read()
        except Exception as error:
            if deferred := self._stop():
                deferred.errback(error)
            return
        if piece is not None:
            self._last = piece[-1:] or self._last
            self._consumer.write(piece)
        elif deferred := self._stop():
            deferred.callback(self._last)

    def pauseProducing(self) -> None:
        """Nothing: we write only when asked."""

    def stopProducing(self) -> None:
        """The consumer has ended. Called by the consumer."""
        deferred, self._deferred = self._deferred, None
        if deferred is not None:
            deferred.errback(TransferStopped("the consumer stopped before the end of the file"))

    def _read(self) -> bytes | None:
        """The next piece, None at the end."""
        piece = self._file.read(self.CHUNK_SIZE)
        if not isinstance(piece, bytes | bytearray):
            raise TypeError(
                f"beginFileTransfer: file must give bytes, not {type(piece).__name__};"
                ' open it with mode "rb"'
            )
        if not piece:
            return None
        if self._transform is None:
            return piece
        changed = self._transform(piece)
        check_bytes("beginFileTransfer", "what transform gives", changed)
        return changed

    def _stop(self) -> Deferred[bytes] | None:
        deferred, self._deferred = self._deferred, None
        if deferred is not None:
            self._consumer.unregisterProducer()
        return deferred

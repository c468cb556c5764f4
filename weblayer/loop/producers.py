"""Producers: what a transport does for a program that writes as fast as its peer reads.

A transport holds one of these for the producer that is registered with it. Both are told
when the buffer has grown over its mark and when it has shrunk again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol as Face

from weblayer.loop.protocol import IPullProducer, IPushProducer

__all__ = ["Consumer", "Pull", "Push"]


class Consumer(Face):
    """The transport, as a producer's keeper sees it; *under* is the event loop's."""

    under: asyncio.Transport
    write: Callable[[bytes], object]
    connected: bool
    choked: bool

    def next_turn(self, call: Callable[[], object], /) -> object: ...


class Push:
    """A producer that writes by itself until it is paused.

    Its writes pass through here: a connection that has broken takes and drops whatever is
    written to it, never fills, and so would never have it paused. A producer whose writes
    come to an end by themselves says `is_bounded = True`, and they cost it nothing here.
    """

    __slots__ = ("_paused", "_transport", "producer")

    def __init__(self, producer: IPushProducer, transport: Consumer) -> None:
        self.producer = producer
        self._transport = transport
        self._paused = False

    def begin(self, choked: bool) -> None:
        if not getattr(self.producer, "is_bounded", False):
            self._transport.write = self._write
        if choked:
            self.pause()

    def pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.producer.pauseProducing()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self.producer.resumeProducing()

    def end(self, transport: Consumer) -> None:
        if transport.write == self._write:
            transport.write = transport.under.write

    def _write(self, data: bytes) -> None:
        under = self._transport.under
        under.write(data)
        if under.is_closing():
            self.pause()


class Pull:
    """A producer that is asked for one piece at a time.

    It is asked again when it has written, and not merely when it was asked: one that has
    nothing to write yet must not keep the loop spinning. So its writes pass through here.
    """

    __slots__ = ("_asked", "_transport", "producer")

    def __init__(self, producer: IPullProducer, transport: Consumer) -> None:
        self.producer = producer
        self._transport: Consumer | None = transport
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

    def end(self, transport: Consumer) -> None:
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

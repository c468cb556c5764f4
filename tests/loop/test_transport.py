"""Backpressure on both loops: pausing what comes, and pacing what goes."""

import asyncio
import os

import pytest

BIG = 16 << 20  # bytes: more than the kernel's buffers of both sides hold


class Source:
    """A producer of *total* bytes in pieces, which notes what it is told."""

    def __init__(self, transport, total, streaming, size=65536):
        self.transport, self.left, self.size, self.streaming = transport, total, size, streaming
        self.calls = []
        self.flowing = streaming
        transport.registerProducer(self, streaming)
        if streaming:
            self.run()

    def resumeProducing(self):
        self.calls.append("resume")
        self.flowing = True
        if self.streaming:
            self.run()
        else:
            self.piece()

    def pauseProducing(self):
        self.calls.append("pause")
        self.flowing = False

    def stopProducing(self):
        self.calls.append("stop")
        self.flowing = False

    def run(self):
        while self.flowing and self.left:
            self.piece()

    def piece(self):
        size = min(self.size, self.left)
        self.left -= size
        self.transport.write(bytes(size))
        if not self.left:
            self.flowing = False
            self.transport.unregisterProducer()


async def connect(reactor, factory):
    """A raw client's reader and writer, and the server's protocol."""
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port, limit=1024)
    return reader, writer, await factory.connected.get()


async def finish(writer):
    writer.close()
    await writer.wait_closed()


async def settled():
    """Long enough for what flows to stop against full buffers."""
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_producer_is_paced_by_the_reader(reactor, drive, recording, streaming):
    """A producer stops while the peer does not read, and then everything arrives."""

    async def scenario():
        reader, writer, protocol = await connect(reactor, recording())
        source = Source(protocol.transport, BIG, streaming)
        await settled()
        assert 0 < source.left < BIG
        before = source.left
        await settled()
        assert source.left == before
        protocol.transport.loseConnection()  # waits for the producer
        assert len(await reader.read()) == BIG
        await protocol.lost
        assert "stop" not in source.calls
        await finish(writer)

    drive(scenario())


def test_a_pull_producer_is_asked_after_each_write(reactor, drive, recording):
    """One ask, one piece: a producer with nothing to write is left alone until it writes."""

    class Lazy:
        asked = 0

        def resumeProducing(self):
            self.asked += 1

        def stopProducing(self):
            pass

    async def scenario():
        reader, writer, protocol = await connect(reactor, recording())
        lazy = Lazy()
        protocol.transport.registerProducer(lazy, False)
        await settled()
        assert lazy.asked == 1
        protocol.transport.write(b"x")
        await settled()
        assert lazy.asked == 2
        protocol.transport.unregisterProducer()
        protocol.transport.write(b"y")
        assert await reader.readexactly(2) == b"xy"
        await settled()
        assert lazy.asked == 2
        await finish(writer)

    drive(scenario())


def test_a_producer_is_told_of_the_loss(reactor, drive, recording):
    """stopProducing comes once, before connectionLost, and writing on is harmless."""

    async def scenario():
        _, writer, protocol = await connect(reactor, recording())
        source = Source(protocol.transport, BIG, True)
        writer.transport.abort()
        await protocol.lost
        assert source.calls.count("stop") == 1
        source.piece()
        await settled()

    drive(scenario())


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
@pytest.mark.parametrize("streaming", [True, False])
def test_a_producer_that_comes_too_late_is_stopped(reactor, drive, recording, end, streaming):
    """Registering on a transport that closes, or has closed, calls stopProducing at once."""

    async def scenario():
        _, writer, protocol = await connect(reactor, recording())
        getattr(protocol.transport, end)()
        assert Source(protocol.transport, 0, False).calls == ["stop"]
        await protocol.lost
        assert Source(protocol.transport, 0, False).calls == ["stop"]
        await finish(writer)

    drive(scenario())


def test_a_second_producer_is_refused(reactor, drive, recording):
    """RuntimeError, until the first one is unregistered."""

    async def scenario():
        _, writer, protocol = await connect(reactor, recording())
        Lone = type("Lone", (), {"resumeProducing": int, "stopProducing": int})
        protocol.transport.registerProducer(Lone(), False)
        with pytest.raises(RuntimeError, match="unregisterProducer"):
            protocol.transport.registerProducer(Lone(), False)
        protocol.transport.unregisterProducer()
        protocol.transport.registerProducer(Lone(), False)
        await finish(writer)

    drive(scenario())


def test_a_push_producer_that_comes_to_a_full_buffer_is_paused(reactor, drive, recording):
    """It is told at once, and resumed when the peer has read."""

    async def scenario():
        reader, writer, protocol = await connect(reactor, recording())
        protocol.transport.write(bytes(BIG))
        source = Source(protocol.transport, 10, True)
        assert source.calls == ["pause"]
        assert source.left == 10
        assert len(await reader.readexactly(BIG + 10)) == BIG + 10
        assert source.calls == ["pause", "resume"]
        await finish(writer)

    drive(scenario())


@pytest.mark.parametrize("early", [True, False])
def test_pauseProducing_stops_reading(reactor, drive, recording, early):
    """Nothing arrives while paused, from the first byte on; on resuming, everything, in order."""
    data = os.urandom(BIG)

    def made(protocol):
        if early:
            protocol.transport.pauseProducing()

    async def scenario():
        _, writer, protocol = await connect(reactor, recording(made))
        if not early:
            protocol.transport.pauseProducing()
        writer.write(data)
        await settled()
        assert len(protocol.data) == 0
        assert writer.transport.get_write_buffer_size() > 0
        protocol.transport.resumeProducing()
        writer.write_eof()
        await protocol.lost
        arrived = bytes(protocol.data) == data  # not in the assert: pytest would diff megabytes
        assert arrived
        await finish(writer)

    drive(scenario())


def test_pausing_again_and_again_loses_nothing(reactor, drive, recording):
    """A protocol that pauses after each packet gets every byte once, in order."""
    data = os.urandom(1 << 20)

    def breathe(protocol, data=b""):
        protocol.transport.pauseProducing()
        reactor.callLater(0, protocol.transport.resumeProducing)

    async def scenario():
        _, writer, protocol = await connect(reactor, recording(breathe, breathe))
        writer.write(data)
        writer.write_eof()
        await protocol.lost
        arrived = bytes(protocol.data) == data  # not in the assert: pytest would diff megabytes
        assert arrived
        await settled()
        await finish(writer)

    drive(scenario())


def test_an_error_over_the_first_bytes_ends_the_connection(reactor, drive, recording, caplog):
    """A protocol that paused at once and then fails is treated as any other."""
    error = OSError("mine")

    def made(protocol):
        protocol.transport.pauseProducing()

    def received(protocol, data):
        raise error

    async def scenario():
        reader, writer, protocol = await connect(reactor, recording(made, received))
        writer.write(b"x")
        await settled()
        protocol.transport.resumeProducing()
        assert (await protocol.lost).value is error
        assert await reader.read() == b""
        await finish(writer)

    drive(scenario())
    told = [c["exception"] for c in reactor.errors] + [r.exc_info[1] for r in caplog.records]
    reactor.errors.clear()
    assert told == [error]


def test_writeSequence_writes_all_pieces(reactor, drive, recording):
    """The pieces arrive in order, as one."""

    async def scenario():
        reader, writer, protocol = await connect(reactor, recording())
        protocol.transport.writeSequence(b"%d " % n for n in range(3))
        assert await reader.readexactly(6) == b"0 1 2 "
        await finish(writer)

    drive(scenario())


def test_many_connections_that_end_anyhow_leave_nothing(reactor, drive, recording):
    """Of hundreds of connections ended in every way, each is told its end exactly once."""
    ends = [
        lambda writer, protocol: writer.close(),
        lambda writer, protocol: writer.transport.abort(),
        lambda writer, protocol: writer.write_eof(),
        lambda writer, protocol: protocol.transport.loseConnection(),
        lambda writer, protocol: protocol.transport.abortConnection(),
        lambda writer, protocol: (writer.close(), protocol.transport.loseConnection()),
    ]

    async def scenario():
        factory = recording(lambda p: p.transport.write(b"hi"), lambda p, d: p.transport.write(d))
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        writers, protocols = [], []
        for number in range(240):
            _, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
            protocol = await factory.connected.get()
            writer.write(b"ping")
            ends[number % len(ends)](writer, protocol)
            writers.append(writer)
            protocols.append(protocol)
        await asyncio.gather(*(protocol.lost for protocol in protocols))
        for writer in writers:
            writer.transport.abort()
        await settled()
        assert [len(protocol.reasons) for protocol in protocols] == [1] * 240

    drive(scenario())

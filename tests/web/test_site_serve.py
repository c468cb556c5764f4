"""A site inside an asyncio program that somebody else runs, over real sockets on both loops.

Each test runs on a loop of its own that weblayer did not start, and fails if anything is left
in it: a port, a connection, a task or a timer.
"""

import asyncio
from contextlib import suppress

import pytest

from tests.web.trees import Page, raw
from weblayer.loop.address import IPv4Address, UNIXAddress
from weblayer.loop.error import CannotListenError
from weblayer.web.site import Site

pytestmark = pytest.mark.weblayer(loop="both")

HERE = "tcp:0:interface=127.0.0.1"

hello = Page(lambda request: b"hello")


async def begun(site, where=HERE, **options):
    """The task of a site that serves, and its address."""
    address = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(site.serve(where, whenListening=address.set_result, **options))
    await asyncio.wait([task, address], return_when=asyncio.FIRST_COMPLETED)
    return task, await address


async def ended(task):
    """Cancel a task, and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def opened(address):
    return await asyncio.open_connection(address.host, address.port)


async def answer(address):
    """All that a server sends to one request, until it closes."""
    reader, writer = await opened(address)
    writer.write(raw("GET / HTTP/1.1", "Connection: close"))
    whole = await reader.read()
    writer.close()
    return whole


async def test_a_site_serves_until_it_is_cancelled():
    """And nobody is let in any more when the cancelled task has ended."""
    task, address = await begun(Site(hello))
    assert isinstance(address, IPv4Address)
    assert (address.host, address.port > 0) == ("127.0.0.1", True)
    assert (await answer(address)).endswith(b"\r\n\r\nhello")
    await ended(task)
    with pytest.raises(ConnectionRefusedError):
        await opened(address)


async def test_a_site_is_one_task_of_a_group():
    """Another that fails takes it along."""
    address = asyncio.get_running_loop().create_future()

    async def ask():
        assert (await answer(await address)).endswith(b"hello")
        raise KeyError("enough")

    with pytest.raises(ExceptionGroup) as told:
        async with asyncio.TaskGroup() as group:
            group.create_task(Site(hello).serve(HERE, whenListening=address.set_result))
            group.create_task(ask())
    assert [type(error) for error in told.value.exceptions] == [KeyError]


async def test_a_site_serves_for_as_long_as_a_timeout_says():
    """`asyncio.timeout` ends it as any other wait."""
    addresses = []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await Site(hello).serve(HERE, whenListening=addresses.append)
    assert len(addresses) == 1


async def test_a_place_is_any_that_an_endpoint_can_describe(tmp_path, monkeypatch):
    """A UNIX socket, for one, whose file goes with it."""
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    task, address = await begun(Site(hello), "unix:web.sock")
    assert address == UNIXAddress("web.sock")
    reader, writer = await asyncio.open_unix_connection("web.sock")
    writer.write(raw("GET / HTTP/1.0"))
    assert (await reader.read()).endswith(b"hello")
    writer.close()
    await ended(task)
    assert not (tmp_path / "web.sock").exists()


async def test_a_taken_port_is_told_at_once():
    """The one who awaits is told, before any waiting."""
    task, address = await begun(Site(hello))
    with pytest.raises(CannotListenError, match=str(address.port)):
        await Site(hello).serve(f"tcp:{address.port}:interface=127.0.0.1")
    await ended(task)


@pytest.mark.parametrize(
    ("wrong", "error"), [(8080, TypeError), ("8080", ValueError), ("tcp:x", ValueError)]
)
async def test_a_wrong_description_is_told_at_once(wrong, error):
    """With what was expected."""
    with pytest.raises(error, match=r"tcp:8080|port must be"):
        await Site(hello).serve(wrong)


async def test_an_error_of_whom_the_address_is_told_ends_it():
    """The port is closed, and the error raised."""

    def told(address):
        raise KeyError("told")

    with pytest.raises(KeyError, match="told"):
        await Site(hello).serve(HERE, whenListening=told)


async def test_a_connection_that_waits_is_closed():
    """A client that keeps its connection reads the end of it, not a reset."""
    task, address = await begun(Site(hello))
    reader, writer = await opened(address)
    writer.write(raw("GET / HTTP/1.1"))
    await reader.readuntil(b"hello")
    await ended(task)
    assert await reader.read() == b""
    writer.close()


SIZE = 20_000_000  # more than the kernel holds for a client that does not read
large = Page(lambda request: bytes(SIZE))


async def unread(address):
    """A client that has asked for a large answer and read the first of it."""
    reader, writer = await opened(address)
    writer.write(raw("GET / HTTP/1.1"))
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_what_was_written_is_sent_before_the_end():
    """A client that is slow to read gets the whole of its answer."""
    task, address = await begun(Site(large))
    reader, writer = await unread(address)
    ending = asyncio.create_task(ended(task))
    await asyncio.sleep(0)
    assert len(await reader.read()) == SIZE
    await ending
    writer.close()


async def test_a_client_that_does_not_read_is_not_waited_for_beyond_the_bound():
    """Its connection is broken, so that it does not take the answer for whole."""
    task, address = await begun(Site(large), shutdownTimeout=0)
    reader, writer = await unread(address)
    await ended(task)
    with pytest.raises((ConnectionResetError, AssertionError)):
        assert len(await reader.read()) == SIZE
    writer.close()


async def test_a_second_cancel_waits_for_nobody():
    """As a second signal does to a program that is stopping."""
    task, address = await begun(Site(large), shutdownTimeout=3600)
    reader, writer = await unread(address)
    task.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    await ended(task)
    with pytest.raises((ConnectionResetError, AssertionError)):
        assert len(await reader.read()) == SIZE
    writer.close()

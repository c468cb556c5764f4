"""How many connections are taken: in all, and from one peer."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.peers import Recorder
from weblayer.loop.error import NoProtocol
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import Factory, Protocol
from weblayer.protocols.policies import LimitConnectionsByPeer, LimitTotalConnectionsFactory


class Sorry(Protocol):
    """Says why, and waits for the peer to leave."""

    def connectionMade(self):
        self.transport.write(b"too many")


def taken(peer):
    return peer.protocol is not None and isinstance(peer.protocol.wrappedProtocol, Recorder)


def echo():
    return Factory.forProtocol(Recorder)


def test_no_more_than_the_limit():
    """Further connections are closed; when one ends, another is taken."""
    factory = LimitTotalConnectionsFactory(echo(), 2)
    peers = [MemoryPeer(factory) for _ in range(3)]
    assert [taken(peer) for peer in peers] == [True, True, False]
    assert peers[2].reason.check(NoProtocol)
    assert factory.connectionCount == 2
    peers[0].close()
    assert taken(MemoryPeer(factory))


def test_without_a_limit_all_are_taken():
    """None, the default, is no limit."""
    factory = LimitTotalConnectionsFactory(echo())
    assert all(taken(MemoryPeer(factory)) for _ in range(100))


def test_who_is_too_many_may_hear_it():
    """An overflowProtocol takes no place of another, and there are not many of them."""
    factory = LimitTotalConnectionsFactory(echo(), 1, Sorry)
    factory.overflowLimit = 2
    first, *others = [MemoryPeer(factory) for _ in range(4)]
    assert taken(first)
    assert [bytes(peer.received) for peer in others] == [b"too many", b"too many", b""]
    assert [peer.isClosed for peer in others] == [False, False, True]
    assert factory.connectionCount == 1
    first.close()
    assert taken(MemoryPeer(factory))
    others[0].close()
    assert MemoryPeer(factory).received == b"too many"


def test_a_limit_may_be_set_on_a_subclass():
    """As in the field: the names are attributes too."""

    class Few(LimitTotalConnectionsFactory):
        connectionLimit = 1
        overflowProtocol = Sorry

    factory = Few(echo())
    assert taken(MemoryPeer(factory))
    assert MemoryPeer(factory).received == b"too many"


def from_(factory, host):
    return MemoryPeer(factory, peer=(host, 1) if ":" not in host else (host, 1, 0, 0))


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ("fe80::1%eth0", "fe80::2%eth0", "192.0.2.1"),
    ],
)
def test_no_more_than_some_from_one_peer(one, same, other):
    """A peer has its own limit, and half an IPv6 address is one peer."""
    factory = LimitConnectionsByPeer(echo(), 2)
    peers = [from_(factory, host) for host in (one, same, same, other)]
    assert [taken(peer) for peer in peers] == [True, True, False, True]
    peers[0].close()
    assert taken(from_(factory, one))


def test_peers_on_a_unix_socket_are_not_limited():
    """They have no address that would tell one from another."""
    factory = LimitConnectionsByPeer(echo(), 1)
    assert all(taken(MemoryPeer(factory, peer="", host="/run/s")) for _ in range(9))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
def test_counts_are_those_of_a_model(steps):
    """However peers come and go, each has what it has open, and nothing is left at the end."""
    factory = LimitConnectionsByPeer(echo(), 3)
    open_, hosts = [], {"a": "192.0.2.1", "b": "192.0.2.2", "c": "2001:db8::1"}
    for name, leaves in steps:
        if leaves and open_:
            open_.pop(0)[1].close()
            continue
        count = Counter(name for name, _ in open_)[name]
        peer = from_(factory, hosts[name])
        assert taken(peer) is (count < 3)
        if taken(peer):
            open_.append((name, peer))
    assert sorted(factory.peerConnections.values()) == sorted(Counter(n for n, _ in open_).values())
    for _, peer in open_:
        peer.close()
    assert not factory.peerConnections

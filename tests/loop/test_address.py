"""Addresses: small values that compare and hash."""

import copy
import pickle

import pytest

from weblayer.loop.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress

ADDRESSES = [
    IPv4Address("TCP", "192.0.2.1", 80),
    IPv4Address("UDP", "192.0.2.1", 80),
    IPv6Address("TCP", "2001:db8::1", 80),
    IPv6Address("TCP", "fe80::1", 80, flowInfo=1, scopeID="eth0"),
    UNIXAddress("/run/site"),
    UNIXAddress(None),
    HostnameAddress("site.test", 80),
]

each = pytest.mark.parametrize("address", ADDRESSES, ids=repr)


@each
def test_an_address_is_what_it_says(address):
    """Its repr is what makes another that is equal, and those of one kind alone are equal."""
    again = eval(repr(address))  # what our own repr gave
    assert again is not address
    assert [again == other for other in ADDRESSES] == [address is other for other in ADDRESSES]
    assert len({again, *ADDRESSES}) == len(ADDRESSES)


@each
def test_an_address_can_be_copied_and_sent(address):
    """What another process is given is the same address."""
    assert pickle.loads(pickle.dumps(address)) == copy.copy(address) == address


@each
def test_an_address_stays_as_it_is(address):
    """It may be the key of a dictionary."""
    name = address.__slots__[0]
    with pytest.raises(AttributeError, match="cannot be changed"):
        setattr(address, name, "another")
    with pytest.raises(AttributeError, match="cannot be changed"):
        delattr(address, name)


def test_an_address_can_be_matched():
    """The parts stand in the order in which they are given."""
    match ADDRESSES[0]:
        case IPv4Address("TCP", host, port):
            assert (host, port) == ("192.0.2.1", 80)
        case _:
            pytest.fail("no match")


def test_an_address_is_of_no_other_kind():
    """What has the same parts is not the same thing."""
    assert UNIXAddress("a") != "a"
    assert HostnameAddress("a", 1) != ("a", 1)

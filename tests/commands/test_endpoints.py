"""Where the program listens, and how that is named. The language has its tests in tests/loop."""

import pytest

from weblayer.commands.endpoints import Localhost, parse_place
from weblayer.loop.address import IPv4Address, IPv6Address, UNIXAddress
from weblayer.loop.memoryreactor import MemoryReactor

EVERYBODY = "http://localhost:80/ (open to the whole network, at any address)"


@pytest.mark.parametrize(
    ("description", "host", "name"),
    [
        ("tcp:0", IPv4Address("TCP", "192.0.2.1", 80), "http://192.0.2.1:80/"),
        ("tcp:0", IPv6Address("TCP", "2001:db8::1", 80), "http://[2001:db8::1]:80/"),
        ("tcp:0", IPv4Address("TCP", "0.0.0.0", 80), EVERYBODY),
        ("tcp6:0", IPv6Address("TCP", "::", 80), EVERYBODY),
    ],
)
def test_a_place_is_named_by_a_url(description, host, name):
    """The URL is one that a browser takes, and nobody opens to the network without being told."""
    assert parse_place(MemoryReactor(), description).name(host) == name


def test_this_machine_is_named_localhost():
    """Both of its addresses have one name."""
    assert Localhost(0).name(IPv4Address("TCP", "127.0.0.1", 80)) == "http://localhost:80/"


def test_a_socket_file_is_named_by_its_path():
    """There is no URL that everyone reads, so a command shows how to ask."""
    place = parse_place(MemoryReactor(), "unix:/run/web.sock")
    name = place.name(UNIXAddress("/run/web.sock"))
    assert name.startswith("unix:/run/web.sock (try: curl --unix-socket")


@pytest.mark.parametrize(
    ("description", "told"),
    [("http:80", "tcp:"), ("tcp:http", "not 'http'"), ("stdio:", "another place")],
)
def test_what_is_no_place_is_told(description, told):
    """The error says what was expected."""
    with pytest.raises(ValueError, match=told):
        parse_place(MemoryReactor(), description)

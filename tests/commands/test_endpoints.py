"""Descriptions of where to listen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.commands.endpoints import Localhost, TCPEndpoint, UNIXEndpoint, parse_endpoint
from weblayer.loop.address import IPv4Address, IPv6Address, UNIXAddress

EVERYBODY = "http://localhost:80/ (open to the whole network, at any address)"


@pytest.mark.parametrize(
    ("description", "endpoint"),
    [
        ("tcp:8080", TCPEndpoint(8080)),
        ("tcp:port=8080", TCPEndpoint(8080)),
        ("tcp:0:interface=127.0.0.1", TCPEndpoint(0, "127.0.0.1")),
        (r"tcp:80:interface=\:\:1", TCPEndpoint(80, "::1")),
        ("tcp:interface=localhost:port=1", TCPEndpoint(1, "localhost")),
        ("unix:/run/web.sock", UNIXEndpoint("/run/web.sock")),
        ("unix:address=web", UNIXEndpoint("web")),
        ("unix:/tmp/a=b", UNIXEndpoint("/tmp/a=b")),
        (r"unix:/tmp/a\:b", UNIXEndpoint("/tmp/a:b")),
    ],
)
def test_a_description_is_read(description, endpoint):
    """The kind, its argument, and arguments by name."""
    assert parse_endpoint(description) == endpoint


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ("", "tcp: or unix:"),
        ("8080", "tcp: or unix:"),
        ("ssl:443", "tcp: or unix:"),
        ("tcp", "as in tcp:8080"),
        ("tcp:", "as in tcp:8080"),
        ("tcp:http", "not 'http'"),
        ("tcp:65536", "0 to 65535"),
        ("tcp:-1", "0 to 65535"),
        ("tcp:80:127.0.0.1", "interface=...*, not '127.0.0.1'"),
        ("tcp:80:interface=::1", r"written \\:"),
        ("tcp:80:port=81", "port twice"),
        ("tcp:80:reuse=1", "not 'reuse=1'"),
        ("unix", "needs a path"),
        ("unix:", "needs a path"),
        ("unix:/a:b", r"written \\:"),
    ],
)
def test_a_wrong_description_is_told_what_was_expected(description, told):
    """The error names what is wrong, and shows how it should be."""
    with pytest.raises(ValueError, match=told):
        parse_endpoint(description)


@given(st.text(min_size=1).filter(lambda path: not path.startswith("address=")))
def test_any_path_can_be_written(path):
    """A backslash before each colon and backslash lets every path through."""
    written = path.replace("\\", "\\\\").replace(":", "\\:")
    assert parse_endpoint(f"unix:{written}") == UNIXEndpoint(path)


@given(st.text())
def test_no_text_is_too_strange(text):
    """Whatever is written, it is an endpoint or a ValueError."""
    for kind in ("", "tcp:", "unix:"):
        try:
            parse_endpoint(kind + text)
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("endpoint", "host", "name"),
    [
        (Localhost(0), IPv4Address("TCP", "127.0.0.1", 8080), "http://localhost:8080/"),
        (TCPEndpoint(0), IPv4Address("TCP", "192.0.2.1", 80), "http://192.0.2.1:80/"),
        (TCPEndpoint(0), IPv6Address("TCP", "2001:db8::1", 80), "http://[2001:db8::1]:80/"),
        (TCPEndpoint(0), IPv4Address("TCP", "0.0.0.0", 80), EVERYBODY),
        (TCPEndpoint(0), IPv6Address("TCP", "::", 80), EVERYBODY),
    ],
)
def test_a_place_is_named_by_a_url(endpoint, host, name):
    """The URL is one that a browser takes, and nobody opens to the network without being told."""
    assert endpoint.name(host) == name


def test_a_socket_file_is_named_by_its_path():
    """There is no URL that everyone reads, so a command shows how to ask."""
    name = UNIXEndpoint("/run/web.sock").name(UNIXAddress("/run/web.sock"))
    assert name.startswith("unix:/run/web.sock (try: curl --unix-socket")

"""The rules of a request, one row each: raw bytes, what is made of them, and by whose word."""

from tests.wire.readings import PLAIN


def head(*fields: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    """A head of a request to host a, unless *host* says otherwise."""
    return b"\r\n".join([line, *([host] if host else []), *fields, b"", b""])


def post(*fields: bytes, version: bytes = b"1.1") -> bytes:
    return head(*fields, line=b"POST / HTTP/" + version)


def chunks(body: bytes, *fields: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", *fields) + body


UPGRADE = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")

# What is wrong: bytes, the status of the Bad, the source.
REFUSED = {
    # The request line
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, "9112, 3"),
    "an HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "9113, 3.4"),
    "HTTP/0.9": (b"GET /\r\n", 400, "9112, 3"),
    "HTTP/0.9 that says so": (head(line=b"GET / HTTP/0.9"), 505, "9110, 15.6.6"),
    "HTTP/1.2": (head(line=b"GET / HTTP/1.2"), 505, "9110, 15.6.6"),
    "two digits": (head(line=b"GET / HTTP/1.10"), 400, "9112, 2.3"),
    "lower case http": (head(line=b"GET / http/1.1"), 400, "9112, 2.3"),
    "RTSP": (head(line=b"GET / RTSP/1.0"), 400, "9112, 2.3"),
    "ICE": (head(line=b"SOURCE / ICE/1.0"), 400, "9112, 2.3"),
    "two spaces": (head(line=b"GET  / HTTP/1.1"), 400, "9112, 3"),
    "no target": (head(line=b"GET  HTTP/1.1"), 400, "9112, 3"),
    "no target for CONNECT": (head(line=b"CONNECT  HTTP/1.1"), 400, "9112, 3"),
    "no target, another version": (head(line=b"GET  HTTP/2.0"), 400, "9112, 3"),
    "a line feed before a target": (head(line=b"CONNECT \na:1 HTTP/1.1"), 400, "9112, 2.2"),
    "a control before a target": (head(line=b"CONNECT \x01a:1 HTTP/1.1"), 400, "9112, 3.2"),
    "a line feed for a target": (head(line=b"GET \n HTTP/1.1"), 400, "9112, 2.2"),
    "a tab for a space": (head(line=b"GET\t/ HTTP/1.1"), 400, "9112, 3"),
    "a space at the end": (head(line=b"GET / HTTP/1.1 "), 400, "9112, 3"),
    "a space before": (head(line=b" GET / HTTP/1.1"), 400, "9112, 3"),
    "a line feed before": (b"\n" + PLAIN, 400, "9112, 2.2"),
    "an unknown method": (head(line=b"FROB / HTTP/1.1"), 501, "9110, 9.1"),
    "a method in lower case": (head(line=b"get / HTTP/1.1"), 501, "9110, 9.1"),
    "a method of RTSP": (head(line=b"DESCRIBE / HTTP/1.1"), 501, "9110, 9.1"),
    "a method of ICE": (head(line=b"SOURCE / HTTP/1.1"), 501, "9110, 9.1"),
    "a method that is no token": (head(line=b"G@T / HTTP/1.1"), 400, "9112, 3.1"),
    "such a method, another version": (head(line=b"G@T / HTTP/2.0"), 400, "9112, 3.1"),
    "a line feed in a target": (b"GET /\nX: HTTP/1.0\r\nA: b\r\n\r\n", 400, "9112, 2.2"),
    "a line feed in the line": (head(line=b"GET /\n HTTP/2.0"), 400, "9112, 2.2"),
    # The target
    "no form": (head(line=b"GET a HTTP/1.1"), 400, "9112, 3.2"),
    "an authority, and no CONNECT": (head(line=b"GET a:80 HTTP/1.1"), 400, "9112, 3.2.3"),
    "a star, and no OPTIONS": (head(line=b"GET * HTTP/1.1"), 400, "9112, 3.2.4"),
    "a path for CONNECT": (head(line=b"CONNECT /a HTTP/1.1"), 400, "9112, 3.2.3"),
    "no port for CONNECT": (head(line=b"CONNECT a HTTP/1.1"), 400, "9110, 9.3.6"),
    "a fragment": (head(line=b"GET /a#b HTTP/1.1"), 400, "9112, 3.2"),
    "a control in the target": (head(line=b"GET /\x01 HTTP/1.1"), 400, "9112, 3.2"),
    "bytes beyond ASCII in the target": (head(line=b"GET /\xff HTTP/1.1"), 400, "9112, 3.2"),
    "a user in the target": (head(line=b"GET http://b@a/ HTTP/1.1"), 400, "9110, 4.2.4"),
    # Host
    "no Host": (head(host=b""), 400, "9112, 3.2"),
    "two Hosts": (head(b"host: a"), 400, "9112, 3.2"),
    "an empty Host": (head(host=b"Host:"), 400, "9110, 7.2"),
    "a Host with a space": (head(host=b"Host: a b"), 400, "9112, 3.2"),
    "a Host with a path": (head(host=b"Host: a/b"), 400, "9112, 3.2"),
    "a Host with a user": (head(host=b"Host: b@a"), 400, "9112, 3.2"),
    "a list of Hosts": (head(host=b"Host: a, b"), 400, "9112, 3.2"),
    "a malformed port": (head(host=b"Host: a:b"), 400, "9112, 3.2"),
    "an empty Host in HTTP/1.0": (head(line=b"GET / HTTP/1.0", host=b"Host:"), 400, "9112, 3.2"),
    "no Host beside an absolute target": (
        head(line=b"GET http://a/ HTTP/1.1", host=b""),
        400,
        "9112, 3.2",
    ),
    # Fields
    "a space before the colon": (head(b"X : a"), 400, "9112, 5.1"),
    "a tab before the colon": (head(b"X\t: a"), 400, "9112, 5.1"),
    "a space before the first name": (head(host=b" Host: a"), 400, "9112, 2.2"),
    "no name": (head(b": a"), 400, "9112, 5"),
    "no colon": (head(b"X"), 400, "9112, 5"),
    "a space in a name": (head(b"X Y: a"), 400, "9110, 5.1"),
    "an at sign in a name": (head(b"X@: a"), 400, "9110, 5.1"),
    "a quote in a name": (head(b'"X": a'), 400, "9110, 5.1"),
    "bytes beyond ASCII in a name": (head(b"X\xe4: a"), 400, "9110, 5.1"),
    "a folded line": (head(b"X: a", b" b"), 400, "9112, 5.2"),
    "a line folded with a tab": (head(b"X: a", b"\tb"), 400, "9112, 5.2"),
    "an empty folded line": (head(b"X: a", b" "), 400, "9112, 5.2"),
    "a line feed alone ends a field": (head(b"X: a\nY: b"), 400, "9112, 2.2"),
    "line feeds alone": (PLAIN.replace(b"\r", b""), 400, "9112, 2.2"),
    "a carriage return in a value": (head(b"X: a\rY: b"), 400, "9112, 2.2"),
    "two carriage returns": (head(b"X: a\r"), 400, "9112, 2.2"),
    "NUL in a value": (head(b"X: \0"), 400, "9110, 5.5"),
    "a control in a value": (head(b"X: \x01"), 400, "9110, 5.5"),
    "DEL in a value": (head(b"X: \x7f"), 400, "9110, 5.5"),
    # Lengths
    "a length beside a coding": (chunks(b"", b"Content-Length: 3"), 400, "9112, 6.3"),
    "a coding beside a length": (
        post(b"Content-Length: 3", b"Transfer-Encoding: chunked"),
        400,
        "9112, 6.3",
    ),
    "two lengths": (post(b"Content-Length: 3", b"Content-Length: 4"), 400, "9112, 6.3"),
    "one length twice": (post(b"Content-Length: 3", b"Content-Length: 3"), 400, "9110, 8.6"),
    "a list of lengths": (post(b"Content-Length: 3, 3"), 400, "9110, 8.6"),
    "an empty length": (post(b"Content-Length:"), 400, "9110, 8.6"),
    "a plus": (post(b"Content-Length: +3"), 400, "9110, 8.6"),
    "a minus": (post(b"Content-Length: -3"), 400, "9110, 8.6"),
    "a hexadecimal length": (post(b"Content-Length: 0x3"), 400, "9110, 8.6"),
    "an underscore": (post(b"Content-Length: 1_0"), 400, "9110, 8.6"),
    "a digit of another script": (post("Content-Length: ³".encode("latin-1")), 400, "9110, 8.6"),
    "two words": (post(b"Content-Length: 3 3"), 400, "9110, 8.6"),
    "a length beyond 64 bits": (post(b"Content-Length: 18446744073709551619"), 400, "9110, 8.6"),
    "a length of 20 digits": (post(b"Content-Length: " + b"3".zfill(20)), 400, "9110, 8.6"),
    # Codings
    "chunked in HTTP/1.0": (post(b"Transfer-Encoding: chunked", version=b"1.0"), 400, "9112, 6.1"),
    "gzip, then chunked": (post(b"Transfer-Encoding: gzip, chunked"), 501, "9112, 6.1"),
    "the same on two lines": (
        post(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"),
        501,
        "9112, 6.1",
    ),
    "chunked, then gzip": (post(b"Transfer-Encoding: chunked, gzip"), 400, "9112, 6.3"),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked"), 400, "9112, 6.1"),
    "chunked on two lines": (
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        400,
        "9112, 6.1",
    ),
    "gzip alone": (post(b"Transfer-Encoding: gzip"), 400, "9112, 6.3"),
    "gzip alone beside an upgrade": (post(b"Transfer-Encoding: gzip", *UPGRADE), 400, "9112, 6.3"),
    "identity": (post(b"Transfer-Encoding: identity"), 400, "9112, 6.3"),
    "xchunked": (post(b"Transfer-Encoding: xchunked"), 400, "9112, 6.3"),
    "an empty coding": (post(b"Transfer-Encoding:"), 400, "9112, 6.1"),
    "an empty member before": (post(b"Transfer-Encoding: ,chunked"), 400, "9112, 6.3"),
    "an empty member on its own line": (
        post(b"Transfer-Encoding: ,", b"Transfer-Encoding: chunked"),
        400,
        "9112, 6.3",
    ),
    "an empty member behind": (post(b"Transfer-Encoding: chunked,"), 400, "9112, 6.3"),
    "a vertical tab before chunked": (post(b"Transfer-Encoding: \x0bchunked"), 400, "9110, 5.5"),
    "a quoted coding": (post(b'Transfer-Encoding: "chunked"'), 400, "9112, 7"),
    # Chunks
    "no size": (chunks(b"\r\n"), 400, "9112, 7.1"),
    "a size of letters": (chunks(b"g\r\n"), 400, "9112, 7.1"),
    "0x": (chunks(b"0x3\r\nabc\r\n"), 400, "9112, 7.1"),
    "a signed size": (chunks(b"+3\r\nabc\r\n"), 400, "9112, 7.1"),
    "a negative size": (chunks(b"-3\r\nabc\r\n"), 400, "9112, 7.1"),
    "an underscore in a size": (chunks(b"1_0\r\n"), 400, "9112, 7.1"),
    "a space before a size": (chunks(b" 3\r\nabc\r\n"), 400, "9112, 7.1"),
    "a space behind a size": (chunks(b"3 \r\nabc\r\n"), 400, "9112, 7.1"),
    "a size beyond 64 bits": (chunks(b"10000000000000003\r\nabc\r\n"), 400, "9112, 7.1"),
    "a line feed alone behind a size": (chunks(b"3\nabc\r\n"), 400, "9112, 7.1"),
    "two carriage returns behind a size": (chunks(b"3\r\r\nabc\r\n"), 400, "9112, 7.1"),
    "a chunk that is too long": (chunks(b"3\r\nabcd\r\n"), 400, "9112, 7.1"),
    "a chunk that ends with a line feed": (chunks(b"3\r\nabc\n"), 400, "9112, 7.1"),
    "an empty extension": (chunks(b"3;\r\nabc\r\n"), 400, "9112, 7.1.1"),
    "space around an extension": (chunks(b"3; a=b\r\nabc\r\n"), 400, "9112, 7.1.1"),
    "a line feed in an extension": (chunks(b"3;a\nabc\r\n"), 400, "9112, 7.1.1"),
    "a line feed in quotes": (chunks(b'3;a="\nb"\r\nabc\r\n'), 400, "9112, 7.1.1"),
    "a quoted line feed": (chunks(b'3;a="\\\nb"\r\nabc\r\n'), 400, "9112, 7.1.1"),
    "a carriage return in an extension": (chunks(b"3;a\rb\r\nabc\r\n"), 400, "9112, 7.1.1"),
    "NUL in an extension": (chunks(b"3;\0\r\nabc\r\n"), 400, "9112, 7.1.1"),
    # Trailers
    "a length in the trailers": (chunks(b"0\r\nContent-Length: 3\r\n\r\n"), 400, "9110, 6.5.1"),
    "a coding in the trailers": (chunks(b"0\r\nTransfer-Encoding: a\r\n\r\n"), 400, "9110, 6.5.1"),
    "a folded trailer": (chunks(b"0\r\nX: a\r\n b\r\n\r\n"), 400, "9112, 5.2"),
    "a trailer without a colon": (chunks(b"0\r\nX\r\n\r\n"), 400, "9112, 5"),
    "a line feed alone ends a trailer": (chunks(b"0\r\nX: a\n\r\n"), 400, "9112, 2.2"),
    # Expectations
    "an unknown expectation": (post(b"Expect: tea"), 417, "9110, 10.1.1"),
    "one unknown among them": (post(b"Expect: 100-continue, tea"), 417, "9110, 10.1.1"),
}

# What is right: bytes, (target, body) of each request, the source.
TAKEN = {
    "a request": (PLAIN, [(b"/", b"")], "9112, 2.1"),
    "empty lines before it": (b"\r\n\r\n" + PLAIN, [(b"/", b"")], "9112, 2.2"),
    "empty lines between two": (PLAIN + b"\r\n" + PLAIN, [(b"/", b"")] * 2, "9112, 2.2"),
    "an absolute target": (head(line=b"GET http://b/c HTTP/1.1"), [(b"http://b/c", b"")], "3.2.2"),
    "the server as a whole": (head(line=b"OPTIONS * HTTP/1.1"), [(b"*", b"")], "9112, 3.2.4"),
    "an authority": (head(line=b"CONNECT a:443 HTTP/1.1"), [(b"a:443", b"")], "9112, 3.2.3"),
    "HTTP/1.0 without Host": (head(line=b"GET / HTTP/1.0", host=b""), [(b"/", b"")], "9112, 3.2"),
    "an IPv6 Host": (head(host=b"Host: [::1]:80"), [(b"/", b"")], "9110, 7.2"),
    "a Host in capitals": (head(host=b"HOST:A"), [(b"/", b"")], "9110, 5.1"),
    "a value beyond ASCII": (head(b"X: \x80\xff"), [(b"/", b"")], "9110, 5.5"),
    "a tab in a value": (head(b"X: a\tb"), [(b"/", b"")], "9110, 5.5"),
    "an empty value": (head(b"X:"), [(b"/", b"")], "9110, 5.5"),
    "every letter of a token": (head(b"!#$%&'*+-.^_`|~0aZ: b"), [(b"/", b"")], "9110, 5.6.2"),
    "no length, no body": (post() + PLAIN, [(b"/", b"")] * 2, "9112, 6.3"),
    "a length": (post(b"Content-Length: 3") + b"abc" + PLAIN, [(b"/", b"abc"), (b"/", b"")], "6.3"),
    "a length of zero": (post(b"Content-Length: 0") + PLAIN, [(b"/", b"")] * 2, "9112, 6.3"),
    "zeros before a length": (post(b"Content-Length: 003") + b"abc", [(b"/", b"abc")], "9110, 8.6"),
    "spaces around a length": (post(b"Content-Length: \t3\t ") + b"abc", [(b"/", b"abc")], "5.5"),
    "a body for GET": (head(b"Content-Length: 1") + b"a", [(b"/", b"a")], "9110, 9.3.1"),
    "a body that looks like a request": (
        post(b"Content-Length: %d" % len(PLAIN)) + PLAIN,
        [(b"/", PLAIN)],
        "9112, 6.3",
    ),
    "chunks": (chunks(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), [(b"/", b"abcde")], "9112, 7.1"),
    "Chunked": (post(b"Transfer-Encoding: Chunked") + b"0\r\n\r\n", [(b"/", b"")], "9112, 7"),
    "zeros before a size": (
        chunks(b"0" * 30 + b"A\r\n0123456789\r\n00\r\n\r\n"),
        [(b"/", b"0123456789")],
        "9112, 7.1",
    ),
    "extensions": (
        chunks(b'1;a\r\nx\r\n1;a=b;c="d;\\"e"\r\ny\r\n0;f\r\n\r\n'),
        [(b"/", b"xy")],
        "9112, 7.1.1",
    ),
    "line ends in a chunk": (chunks(b"4\r\n\r\n\n0\r\n0\r\n\r\n"), [(b"/", b"\r\n\n0")], "7.1"),
    "trailers": (
        chunks(b"1\r\na\r\n0\r\nHost: b\r\nX: c\r\n\r\n") + PLAIN,
        [(b"/", b"a"), (b"/", b"")],
        "9112, 7.1.2",
    ),
    # Whether the connection lives on is said by the head, and there by Connection alone.
    "Connection in the trailers": (
        chunks(b"0\r\nConnection: close\r\n\r\n") + PLAIN,
        [(b"/", b"")] * 2,
        "9110, 6.5.1",
    ),
    "Proxy-Connection": (
        head(b"Proxy-Connection: close") + PLAIN,
        [(b"/", b"")] * 2,
        "9112, C.2.2",
    ),
    "what only sounds like close": (head(b"Connection: closed") + PLAIN, [(b"/", b"")] * 2, "9.3"),
    "close": (head(b"Connection: close") + PLAIN, [(b"/", b"")], "9112, 9.3"),
    "close in a list": (head(b"Connection: close, TE") + PLAIN, [(b"/", b"")], "9112, 9.3"),
    "close on the second line": (
        head(b"Connection: keep-alive", b"Connection: Close") + PLAIN,
        [(b"/", b"")],
        "9112, 9.3",
    ),
    "HTTP/1.0": (head(line=b"GET / HTTP/1.0") + PLAIN, [(b"/", b"")], "9112, 9.3"),
    "HTTP/1.0 that lives on": (
        head(b"Connection: Keep-Alive", line=b"GET / HTTP/1.0") + PLAIN,
        [(b"/", b"")] * 2,
        "9112, 9.3",
    ),
    # An upgrade that nobody takes is a request like another.
    "an upgrade": (head(*UPGRADE) + PLAIN, [(b"/", b"")] * 2, "9110, 7.8"),
    "an upgrade with a body": (
        post(b"Content-Length: 3", *UPGRADE) + b"abc" + PLAIN,
        [(b"/", b"abc"), (b"/", b"")],
        "9110, 7.8",
    ),
    "an upgrade with chunks": (
        chunks(b"3\r\nabc\r\n0\r\nX: a\r\n\r\n", *UPGRADE) + PLAIN,
        [(b"/", b"abc"), (b"/", b"")],
        "9110, 7.8",
    ),
    "an upgrade hidden in its own body": (
        post(b"Content-Length: %d" % len(PLAIN), *UPGRADE) + PLAIN,
        [(b"/", PLAIN)],
        "9110, 7.8",
    ),
    "an upgrade and a close": (
        head(b"Connection: upgrade, close", b"Upgrade: h2c") + PLAIN,
        [(b"/", b"")],
        "9112, 9.3",
    ),
    "CONNECT with a body": (
        head(b"Content-Length: 3", line=b"CONNECT a:1 HTTP/1.1") + b"abc" + PLAIN,
        [(b"a:1", b"abc"), (b"/", b"")],
        "9112, 6.3",
    ),
}

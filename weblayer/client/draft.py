"""A request as it is sent: judged and written once, for all that say the same."""

from dataclasses import dataclass
from functools import lru_cache

from weblayer.client.response import ClientRequest
from weblayer.client.uri import URI
from weblayer.wire.ask import encode_ask
from weblayer.wire.fields import split_list

__all__ = ["Draft", "drafted"]

Fields = tuple[tuple[bytes, bytes], ...]

# Bytes of an address and its fields. Whose links we follow must not choose how much we remember.
LONGEST_KEPT = 2 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What requests that say the same have in common.

    *request* is what they have asked who gave no fields; *origin* what may share a connection;
    *head* the bytes that begin each of them. *closes* says whether its connection is to end with
    it, *expects* whether a body waits to be wanted.
    """

    request: ClientRequest
    origin: tuple[str, str, int]
    method: bytes
    head: bytes
    closes: bool
    expects: bool


def drafted(
    method: str, uri: str | URI, fields: Fields, length: int | None,
    closes: bool, asks_proxy: bool,
) -> Draft:  # fmt: skip
    """The draft of a request, for a body of *length* bytes, CHUNKED, or None without one.

    Raises InvalidURI, or ValueError for what cannot be sent.
    """
    size = len(uri if isinstance(uri, str) else uri.originForm)
    if fields:
        size += sum(len(name) + len(value) for name, value in fields)
    draft = _drafted if size <= LONGEST_KEPT else _drafted.__wrapped__
    return draft(method, uri, fields, length, closes, asks_proxy)


@lru_cache(maxsize=256)  # a program asks for the same few over and over, with the same fields
def _drafted(
    method: str, uri: str | URI, fields: Fields, length: int | None,
    closes: bool, asks_proxy: bool,
) -> Draft:  # fmt: skip
    found, word = URI.fromText(uri) if isinstance(uri, str) else uri, method.encode()
    target, host = found.originForm.encode(), found.netloc.encode()
    if asks_proxy and found.scheme == "http":
        target = b"http://%b%b" % (host, target)  # RFC 9112, 3.2.2
    head = encode_ask(word, target, host, fields, length, closes)
    closes = closes or _says(fields, b"connection", b"close")
    expects = length is not None and _says(fields, b"expect", b"100-continue")
    asked = ClientRequest(method, found, None)
    return Draft(asked, found.origin, word, head, closes, expects)


def _says(fields: Fields, name: bytes, token: bytes) -> bool:
    return any(token in split_list(value) for key, value in fields if key.lower() == name)

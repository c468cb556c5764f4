"""The arithmetic of Digest authentication, in the names and the text of the field's programs.

Secrets, and all that is hashed, are hexadecimal text as they stand in header fields. *algorithm* is
written as there: `MD5`, `SHA-256`, `SHA-512-256`, and each with `-sess`, in any case.
The arithmetic itself is that of `weblayer.wire.digest`, which clients use, too.
"""

import hashlib
from typing import IO

from weblayer.cred.text import bytes_of
from weblayer.wire import digest as wire

__all__ = [
    "ALGORITHMS",
    "QOPS",
    "calcHA1",
    "calcHA2",
    "calcResponse",
    "calcSession",
    "digestOf",
    "digestOfFile",
    "hashUsername",
    "isSession",
]

ALGORITHMS = tuple(name.decode() for name in wire.ALGORITHMS)

QOPS = tuple(name.decode() for name in wire.QOPS)


def digestOf(algorithm: str, data: bytes) -> str:
    """H(data): the hash that *algorithm* names, in hexadecimal. Raises ValueError.

    It says so too when Python's OpenSSL has no such hash.
    """
    return wire.hashed(bytes_of(algorithm), data).decode()


def digestOfFile(algorithm: str, file: IO[bytes]) -> str:
    """As digestOf, of what *file* holds from where it stands; it is left where it stood."""
    place = file.tell()
    try:
        made = hashlib.file_digest(file, lambda: wire.new_hash(bytes_of(algorithm)))  # type: ignore[arg-type]  # an open file is enough
        return made.hexdigest()
    finally:
        file.seek(place)


def isSession(algorithm: str) -> bool:
    """Whether *algorithm* is one of those with `-sess`."""
    return wire.is_session(bytes_of(algorithm))


def calcHA1(algorithm: str, username: str, realm: str, password: str) -> str:
    """H(username:realm:password), what a server may store in place of a password.

    With it anybody may log in to this realm, and to no other.
    """
    return _joined(algorithm, username, realm, password)


def calcSession(algorithm: str, ha1: str, nonce: str, cnonce: str) -> str:
    """What stands for *ha1* in a response of a `-sess` algorithm. Source: 3.4.2."""
    return _joined(algorithm, ha1, nonce, cnonce)


def calcHA2(
    algorithm: str, method: str, uri: str, qop: str | None = None, bodyHash: str = ""
) -> str:
    """What of the request is signed; *bodyHash* is digestOf the body, for auth-int."""
    signed = bytes_of(method), bytes_of(uri), _or_none(qop), bytes_of(bodyHash)
    return wire.signed_request(bytes_of(algorithm), *signed).decode()


def calcResponse(
    algorithm: str, ha1: str, ha2: str, nonce: str,
    qop: str | None = None, nc: str = "", cnonce: str = "",
) -> str:  # fmt: skip
    """What proves to know *ha1*. *nc* is the count as eight hexadecimal digits.

    For a `-sess` algorithm *ha1* is as calcHA1 gives it, too. Without a *qop* it is as before
    there was one.
    """
    once = bytes_of(nonce), _or_none(qop), bytes_of(nc), bytes_of(cnonce)
    return wire.proof(bytes_of(algorithm), bytes_of(ha1), bytes_of(ha2), *once).decode()


def hashUsername(algorithm: str, username: str, realm: str) -> str:
    """What stands for *username* where userhash is agreed on. Source: 3.4.4."""
    return _joined(algorithm, username, realm)


def _joined(algorithm: str, *parts: str) -> str:
    return wire.hashed(bytes_of(algorithm), *map(bytes_of, parts)).decode()


def _or_none(qop: str | None) -> bytes | None:
    return None if qop is None else bytes_of(qop)

"""The arithmetic of Digest authentication, as pure functions: for those who check and who ask.

Secrets, and all that is hashed, are hexadecimal text as they stand in header fields. *algorithm* is
written as there: `MD5`, `SHA-256`, `SHA-512-256`, and each with `-sess`, in any case.
Source: RFC 7616, 3.3 and 3.4; without a qop, RFC 2069, 2.1.2.
"""

import hashlib

from weblayer.cred.text import bytes_of

__all__ = [
    "ALGORITHMS",
    "QOPS",
    "calcHA1",
    "calcHA2",
    "calcResponse",
    "calcSession",
    "digestOf",
    "hashUsername",
    "isSession",
]

# What hashlib calls them, in the order in which a server should offer them: clients take the first
# that they know (RFC 7616, 3.7). SHA-512-256 is SHA-512/256 of FIPS 180-4, and not the first half
# of SHA-512 that the RFC's own example has (erratum 4897). It stands behind SHA-256, since curl
# 7.88 puts its name to SHA-256.
_HASHES = {"SHA-256": "sha256", "SHA-512-256": "sha512_256", "MD5": "md5"}

QOPS = ("auth", "auth-int")


def digestOf(algorithm: str, data: bytes) -> str:
    """H(data): the hash that *algorithm* names, in hexadecimal. Raises ValueError.

    It says so too when Python's OpenSSL has no such hash.
    """
    return hashlib.new(_hash_of(algorithm), data, usedforsecurity=False).hexdigest()


def isSession(algorithm: str) -> bool:
    """Whether *algorithm* is one of those with `-sess`."""
    return algorithm.upper().endswith("-SESS")


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
    if qop == "auth-int":
        return _joined(algorithm, method, uri, bodyHash)
    return _joined(algorithm, method, uri)


def calcResponse(
    algorithm: str, ha1: str, ha2: str, nonce: str,
    qop: str | None = None, nc: str = "", cnonce: str = "",
) -> str:  # fmt: skip
    """What proves to know *ha1*. *nc* is the count as eight hexadecimal digits.

    For a `-sess` algorithm *ha1* is as calcHA1 gives it, too. Without a *qop* it is as before
    there was one.
    """
    if isSession(algorithm):
        ha1 = calcSession(algorithm, ha1, nonce, cnonce)
    if qop is None:
        return _joined(algorithm, ha1, nonce, ha2)
    return _joined(algorithm, ha1, nonce, nc, cnonce, qop, ha2)


def hashUsername(algorithm: str, username: str, realm: str) -> str:
    """What stands for *username* where userhash is agreed on. Source: 3.4.4."""
    return _joined(algorithm, username, realm)


def _hash_of(algorithm: str) -> str:
    found = _HASHES.get(algorithm.upper().removesuffix("-SESS"))
    if found is None or found not in hashlib.algorithms_available:
        raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, not {algorithm!r}")
    return found


def _joined(algorithm: str, *parts: str) -> str:
    return digestOf(algorithm, b":".join(map(bytes_of, parts)))


# Those that this Python can do: SHA-512/256 is OpenSSL's to give.
ALGORITHMS = tuple(
    f"{name}{end}"
    for name, known in _HASHES.items()
    if known in hashlib.algorithms_available
    for end in ("", "-sess")
)

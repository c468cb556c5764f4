"""Digest authentication: its arithmetic, for those who check and who ask, and the asker's answer.

All is bytes; hashes are hexadecimal, as they stand in fields. *algorithm* is written as there:
`MD5`, `SHA-256`, `SHA-512-256`, and each with `-sess`, in any case.
Source: RFC 7616, 3.3 and 3.4; without a qop, RFC 2069, 2.1.2.
"""

import hashlib
from typing import NamedTuple

from weblayer.wire.challenge import Challenge
from weblayer.wire.fields import split_list
from weblayer.wire.parameters import quoted

__all__ = [
    "ALGORITHMS",
    "QOPS",
    "Login",
    "answer_digest",
    "choose_digest",
    "hashed",
    "is_session",
    "new_hash",
    "proof",
    "signed_request",
]

# What hashlib calls them, in the order in which a server should offer them: clients take the first
# that they know (RFC 7616, 3.7). SHA-512-256 is SHA-512/256 of FIPS 180-4, and not the first half
# of SHA-512 that the RFC's own example has (erratum 4897). It stands behind SHA-256, since curl
# 7.88 puts its name to SHA-256.
_HASHES = {b"sha-256": "sha256", b"sha-512-256": "sha512_256", b"md5": "md5"}

QOPS = (b"auth", b"auth-int")


class Login(NamedTuple):
    """Who asks, in UTF-8."""

    username: bytes
    password: bytes


def new_hash(algorithm: bytes) -> "hashlib._Hash":
    """The hash of *algorithm*, of nothing yet. Raises ValueError for what we cannot do."""
    name = _HASHES.get(_hash_of(algorithm))
    if name is None or name not in hashlib.algorithms_available:
        known = b", ".join(ALGORITHMS).decode()
        raise ValueError(f"algorithm must be one of {known}, not {algorithm.decode('latin-1')!r}")
    return hashlib.new(name, usedforsecurity=False)


def hashed(algorithm: bytes, *parts: bytes) -> bytes:
    """H of *parts*, with colons between. Raises ValueError for an algorithm that we cannot do."""
    made = new_hash(algorithm)
    made.update(b":".join(parts))
    return made.hexdigest().encode()


def signed_request(
    algorithm: bytes, method: bytes, target: bytes, qop: bytes | None, body_hash: bytes
) -> bytes:
    """HA2, what of the request is signed; *body_hash* is that of the body, for auth-int."""
    signed = [method, target, body_hash] if qop == b"auth-int" else [method, target]
    return hashed(algorithm, *signed)


def proof(
    algorithm: bytes,
    ha1: bytes,
    ha2: bytes,
    nonce: bytes,
    qop: bytes | None,
    nc: bytes,
    cnonce: bytes,
) -> bytes:
    """The response, which proves to know *ha1*: that of name, realm and password.

    For a `-sess` algorithm, too. *nc* is the count as eight hexadecimal digits. Without a *qop* it
    is as before there was one.
    """
    if is_session(algorithm):
        ha1 = hashed(algorithm, ha1, nonce, cnonce)
    counted = [nc, cnonce, qop] if qop else []
    return hashed(algorithm, ha1, nonce, *counted, ha2)


def choose_digest(challenges: list[Challenge]) -> Challenge | None:
    """The Digest challenge with the strongest hash of those that can be answered."""
    able = [one for one in challenges if one.scheme == b"digest" and _can_answer(one)]
    strength = list(_HASHES).index
    return min(able, key=lambda one: strength(_hash_of(_algorithm(one))), default=None)


def answer_digest(
    challenge: Challenge, login: Login, method: bytes, target: bytes, body: bytes, cnonce: bytes
) -> bytes:
    """The value of Authorization that answers *challenge*, one that choose_digest gave.

    *target* is what stands in the request line, *body* all of the body. The nonce is counted as
    used once: each answer is to a challenge of its own. The name is hashed where that is asked for.
    """
    said, algorithm = challenge.parameters, _algorithm(challenge)
    realm, nonce, qop = said.get(b"realm", b""), said[b"nonce"], _qop(said)
    username, nc = login.username, b"00000001"
    ha1 = hashed(algorithm, username, realm, login.password)
    ha2 = signed_request(algorithm, method, target, qop, hashed(algorithm, body))
    is_hashed = said.get(b"userhash", b"").lower() == b"true"
    fields = {  # RFC 7616, 3.4 says which are quoted
        b"username": quoted(hashed(algorithm, username, realm) if is_hashed else username),
        b"realm": quoted(realm),
        b"nonce": quoted(nonce),
        b"uri": quoted(target),
        b"response": quoted(proof(algorithm, ha1, ha2, nonce, qop, nc, cnonce)),
    }
    if is_hashed:
        fields[b"userhash"] = b"true"
    if b"algorithm" in said:
        fields[b"algorithm"] = said[b"algorithm"]
    if b"opaque" in said:
        fields[b"opaque"] = quoted(said[b"opaque"])
    if qop or is_session(algorithm):
        fields[b"cnonce"] = quoted(cnonce)
    if qop:
        fields |= {b"qop": qop, b"nc": nc}
    return b"Digest " + b", ".join(b"%b=%b" % pair for pair in fields.items())


def is_session(algorithm: bytes) -> bool:
    """Whether *algorithm* is one of those with `-sess`."""
    return algorithm.lower().endswith(b"-sess")


def _hash_of(algorithm: bytes) -> bytes:
    """The hash of *algorithm*, in lower case, whether or not it is a `-sess`."""
    return algorithm.lower().removesuffix(b"-sess")


def _can_answer(challenge: Challenge) -> bool:
    name = _HASHES.get(_hash_of(_algorithm(challenge)))
    known = name in hashlib.algorithms_available
    return known and b"nonce" in challenge.parameters and _qop(challenge.parameters) is not None


def _algorithm(challenge: Challenge) -> bytes:
    return challenge.parameters.get(b"algorithm", b"MD5")


def _qop(said: dict[bytes, bytes]) -> bytes | None:
    """What is to be signed: empty as before RFC 2617; None where that is nothing we know."""
    if b"qop" not in said:
        return b""
    offered = split_list(said[b"qop"])
    return next((one for one in QOPS if one in offered), None)


# Those that this Python can do: SHA-512/256 is OpenSSL's to give.
ALGORITHMS = tuple(
    name.upper() + end
    for name, known in _HASHES.items()
    if known in hashlib.algorithms_available
    for end in (b"", b"-sess")
)

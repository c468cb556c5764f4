"""The answer to a challenge of the scheme Digest. Source: RFC 7616, 3.3 and 3.4."""

import hashlib
from typing import NamedTuple

from weblayer.wire.challenge import Challenge
from weblayer.wire.fields import split_list
from weblayer.wire.parameters import quote

__all__ = ["Login", "answer_digest", "choose_digest"]

# The strongest first. SHA-512-256 stands behind SHA-256, which more have right.
_HASHES = {b"sha-256": "sha256", b"sha-512-256": "sha512_256", b"md5": "md5"}


class Login(NamedTuple):
    """Who asks, in UTF-8."""

    username: bytes
    password: bytes


def choose_digest(challenges: list[Challenge]) -> Challenge | None:
    """The Digest challenge with the strongest hash of those that can be answered."""
    able = [one for one in challenges if one.scheme == b"digest" and _can_answer(one)]
    strength = list(_HASHES).index
    return min(able, key=lambda one: strength(_algorithm(one)[0]), default=None)


def answer_digest(
    challenge: Challenge, login: Login, method: bytes, target: bytes, body: bytes, cnonce: bytes
) -> bytes:
    """The value of Authorization that answers *challenge*, one that choose_digest gave.

    *target* is what stands in the request line, *body* all of the body. The nonce is counted as
    used once: each answer is to a challenge of its own.
    """
    said = challenge.parameters
    algorithm, is_session = _algorithm(challenge)
    realm, nonce, qop = said.get(b"realm", b""), said[b"nonce"], _qop(said)
    username, password = login

    def hashed(*parts: bytes) -> bytes:
        data = b":".join(parts)
        return hashlib.new(_HASHES[algorithm], data, usedforsecurity=False).hexdigest().encode()

    secret = hashed(username, realm, password)
    if is_session:
        secret = hashed(secret, nonce, cnonce)
    signed = [method, target, hashed(body)] if qop == b"auth-int" else [method, target]
    counted = [b"00000001", cnonce, qop] if qop else []
    fields = {
        b"username": _quoted(username), b"realm": _quoted(realm), b"nonce": _quoted(nonce),
        b"uri": _quoted(target), b"response": _quoted(hashed(secret, nonce, *counted,
                                                             hashed(*signed))),
    }  # fmt: skip
    if b"algorithm" in said:
        fields[b"algorithm"] = said[b"algorithm"]
    if b"opaque" in said:
        fields[b"opaque"] = _quoted(said[b"opaque"])
    if qop or is_session:
        fields[b"cnonce"] = _quoted(cnonce)
    if qop:
        fields |= {b"qop": qop, b"nc": counted[0]}
    return b"Digest " + b", ".join(b"%b=%b" % pair for pair in fields.items())


def _can_answer(challenge: Challenge) -> bool:
    name = _HASHES.get(_algorithm(challenge)[0])
    known = name in hashlib.algorithms_available
    return known and b"nonce" in challenge.parameters and _qop(challenge.parameters) is not None


def _algorithm(challenge: Challenge) -> tuple[bytes, bool]:
    """The hash's name, and whether it is the `-sess` kind of it."""
    name = challenge.parameters.get(b"algorithm", b"MD5").lower()
    return name.removesuffix(b"-sess"), name.endswith(b"-sess")


def _qop(said: dict[bytes, bytes]) -> bytes | None:
    """What is to be signed: empty as before RFC 2617; None where that is nothing we know."""
    if b"qop" not in said:
        return b""
    offered = split_list(said[b"qop"])
    return next((one for one in (b"auth", b"auth-int") if one in offered), None)


def _quoted(value: bytes) -> bytes:
    """*value* in quotes, whether or not it needs them: RFC 7616, 3.4 says which do."""
    written = quote(value)
    return written if written[:1] == b'"' else b'"%b"' % written

"""Two hashes of crypt(3), to read the files of others: the one on MD5, and the one on SHA-2.

In Python, since the standard library's module has left with 3.13, and what it knew differed from
one system to the next. What is described by everybody in the same words: Poul-Henning Kamp's
of 1994 (`$1$`; Apache's `$apr1$` differs in that word alone), and Ulrich Drepper's "Unix crypt
using SHA-256 and SHA-512" (`$5$`, `$6$`).
"""

import hashlib
from collections.abc import Iterator

__all__ = ["SHA_ROUNDS", "md5_crypt", "sha_crypt"]

SHA_ROUNDS = 5000  # where a hash does not say; it may ask for a thousand to 999 999 999
FEWEST, MOST = 1000, 999_999_999

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def md5_crypt(password: bytes, salt: bytes, magic: bytes) -> str:
    """The last part of `$1$salt$...` or `$apr1$salt$...`; *magic* is `$1$` or `$apr1$`."""
    mixed = _md5(password + salt + password)
    head = password + magic + salt + _stretched(mixed, len(password))
    # The bits of the length choose a NUL or the first character: a slip of 1994, and the rule.
    head += b"".join(b"\0" if bit else password[:1] for bit in _bits(len(password)))
    found = _md5(head)
    for turn in range(1000):
        found = _md5(b"".join(_mixture(turn, found, password, salt)))
    order = [found[i] for i in (0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, 11)]
    return _written(bytes(order))


def sha_crypt(password: bytes, salt: bytes, name: str, rounds: int = SHA_ROUNDS) -> str:
    """The last part of `$5$salt$...` or `$6$...`; *name* is sha256 or sha512."""

    def digest(data: bytes) -> bytes:
        return hashlib.new(name, data).digest()

    rounds = min(max(rounds, FEWEST), MOST)
    mixed = digest(password + salt + password)
    head = password + salt + _stretched(mixed, len(password))
    head += b"".join(mixed if bit else password for bit in _bits(len(password)))
    found = digest(head)
    # From here on stand-ins of the same lengths are used, so that what was typed is not there.
    password = _stretched(digest(password * len(password)), len(password))
    salt = _stretched(digest(salt * (16 + found[0])), len(salt))
    for turn in range(rounds):
        found = digest(b"".join(_mixture(turn, found, password, salt)))
    return _written(bytes(found[i] for i in _sha_order(len(found))))


def _mixture(turn: int, found: bytes, password: bytes, salt: bytes) -> Iterator[bytes]:
    """What one turn hashes; the turns differ so that none can be left out."""
    yield password if turn % 2 else found
    if turn % 3:
        yield salt
    if turn % 7:
        yield password
    yield found if turn % 2 else password


def _sha_order(size: int) -> list[int]:
    """Which bytes are written together: three that stand a third apart, turned by one each time."""
    third = size // 3
    order = []
    for i in range(third):
        three = [i, i + third, i + 2 * third]
        turned = i if size == 64 else -i  # SHA-512 turns to the left, SHA-256 to the right
        order += [three[(turned + k) % 3] for k in range(3)]
    return order + list(range(3 * third, size))[::-1]


def _written(data: bytes) -> str:
    """Three bytes are a number and four characters, six bits each, the lowest first."""
    written = []
    for start in range(0, len(data), 3):
        part = data[start : start + 3]
        number = int.from_bytes(part, "big")
        written += [ALPHABET[number >> 6 * i & 63] for i in range(len(part) + 1)]
    return "".join(written)


def _stretched(data: bytes, size: int) -> bytes:
    return (data * (size // len(data) + 1))[:size]


def _bits(number: int) -> Iterator[int]:
    """The bits of a number, the lowest first."""
    while number:
        yield number & 1
        number >>= 1


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()

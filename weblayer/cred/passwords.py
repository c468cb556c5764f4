"""Passwords at rest: made into what is stored, and checked without holding up the loop.

Hashing is slow on purpose. So it is done in threads, few at once; what has matched is remembered,
since Basic authentication sends the password with every request; and for a user who is not there,
the hash of somebody else is checked, so that the time says nothing of who is.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from weblayer.cred.error import CredError
from weblayer.cred.schemes import DECOYS, argon2_hash, bcrypt_hash, read_stored, scrypt_hash
from weblayer.cred.text import bytes_of, text_of
from weblayer.cred.turns import Turns
from weblayer.loop.deferred import Deferred, fail, succeed

__all__ = ["Passwords", "Verdict", "hashPassword", "verifyPassword"]

# bytes; far more than anybody types. The older hashes take time in proportion to it.
MAX_SIZE = 4096

# How many passwords that matched are remembered, 200 bytes for each.
REMEMBERED = 1024

_SCHEMES: dict[str, Callable[[bytes], str]] = {
    "scrypt": scrypt_hash,
    "argon2": argon2_hash,
    "bcrypt": bcrypt_hash,
}


class Verdict(NamedTuple):
    """Whether a password *matches* what is stored, and whether that *isOutdated*.

    Then it should be replaced by a new hash of the password, which is known at this moment only.
    """

    matches: bool
    isOutdated: bool


def hashPassword(password: str | bytes, scheme: str = "scrypt") -> str:
    """What to store for *password*: a line of less than 100 characters.

    *scheme* is scrypt; argon2, with weblayer[argon2]; or bcrypt, with weblayer[bcrypt], which takes
    72 bytes at most, and is what nginx and Apache read too. It takes a quarter of a second; see
    Passwords.hash for a running loop. Raises MissingLibrary, and ValueError for a password that is
    empty or too long (over 4096 bytes).
    """
    _check(scheme)
    data = bytes_of(text_of(password, "password"))
    if not 0 < len(data) <= MAX_SIZE:
        raise ValueError(f"password must have 1 to {MAX_SIZE} bytes, not {len(data)}")
    return _SCHEMES[scheme](data)


def verifyPassword(stored: str, password: str | bytes) -> Verdict:
    """Whether *password* is the one *stored*, in any way that can be read, in constant time.

    It can take a second; see Passwords.verify for a running loop. Raises UnknownScheme,
    MissingLibrary.
    """
    data = bytes_of(text_of(password, "password"))
    read = read_stored(stored)
    # What is too long is cut, so that it costs what others cost, and then not believed.
    matches = read.matches(data[:MAX_SIZE]) and 0 < len(data) <= MAX_SIZE
    return Verdict(matches, matches and read.is_outdated)


class Passwords:
    """Hashes and verifies in threads, as many at once as *turns* says.

    One of these may serve several checkers. *scheme* is for new hashes, and for that of a user who
    is not there, until it has met with one of those that are. Raises MissingLibrary for one that
    is not installed.
    """

    def __init__(self, scheme: str = "scrypt", turns: Turns | None = None) -> None:
        _check(scheme)
        read_stored(DECOYS[scheme])  # says what is missing
        self._hash = partial(hashPassword, scheme=scheme)
        self._turns = turns or Turns()
        self._matched = _Matched()
        self._decoy = DECOYS[scheme]

    def hash(self, password: str | bytes) -> Deferred[str]:
        """What to store for *password*, as hashPassword gives it."""
        return self._turns.call(partial(self._hash, password))

    def verify(self, stored: str | None, password: str | bytes) -> Deferred[Verdict]:
        """Whether *password* is the one *stored*, as verifyPassword tells.

        None is for a user who is not there: False, and no sooner than for one who is. A password
        that was found to be right before is so at once, as long as the same is stored.
        Fails with LoginBusy when too many wait, UnknownScheme, MissingLibrary.
        """
        is_there = stored is not None
        stored = self._decoy if stored is None else stored
        try:
            is_quick = read_stored(stored).scheme.is_quick
        except CredError as error:
            return fail(error)
        self._decoy = stored
        # Looked up for either, so that the time tells nothing.
        is_known = not is_quick and self._matched.knows(stored, password)
        if is_known and is_there:
            return succeed(Verdict(True, False))
        check = partial(verifyPassword, stored, password)
        checked = succeed(check()) if is_quick else self._turns.call(check)
        return checked.addCallback(self._heard, is_there, stored, password)

    def _heard(
        self, verdict: Verdict, is_there: bool, stored: str, password: str | bytes
    ) -> Verdict:
        if not (verdict.matches and is_there):
            return Verdict(False, False)
        self._matched.add(stored, password)
        return verdict


def _check(scheme: str) -> None:
    if scheme not in _SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(_SCHEMES)}, not {scheme!r}")


class _Matched:
    """Pairs of what is stored and a password that matched: not they, but a hash with a key that
    only this process has, and only in memory. The pair last used longest ago leaves first.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def knows(self, stored: str, password: str | bytes) -> bool:
        mark = self._mark(stored, password)
        if mark not in self._known:
            return False
        self._known.move_to_end(mark)
        return True

    def add(self, stored: str, password: str | bytes) -> None:
        self._known[self._mark(stored, password)] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _mark(self, stored: str, password: str | bytes) -> bytes:
        data = bytes_of(f"{stored}\0{text_of(password, 'password')}")
        return hmac.digest(self._key, data, "sha256")

"""Nonces of Digest authentication: given to anybody, each use of them accepted once.

Theory. A nonce says when it was given, and is signed with a key that only this process has: so
what is given needs no memory, and who only asks cannot fill it. What is used is remembered, with
the counts that it was used with. The memory has a bound: what leaves it moves a mark, and no nonce
from before the mark is accepted, unless it is remembered. So one that was forgotten is stale,
never as good as new; and one that was not used yet may be stale, too, which costs one more asking.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from typing import NamedTuple

__all__ = ["MOST", "Nonces"]

# How many used nonces are remembered, some 400 bytes for each: as many clients at a time.
MOST = 4096

# How far counts may arrive out of order: a browser has six connections to a host, and those of a
# proxy are more.
WINDOW = 64

# bytes: a time, something by chance, and the signature of both, cut to what nobody guesses.
TIME, CHANCE, MARK = 8, 8, 16


class _Uses(NamedTuple):
    """The highest count, and of the WINDOW up to it a bit for each that was used, itself first."""

    top: int
    bits: int

    def add(self, count: int) -> "_Uses | None":
        """With *count*, too; None when it was used, or is too far back to tell."""
        ahead = count - self.top
        if ahead > 0:
            bits = self.bits << min(ahead, WINDOW) | 1
            return _Uses(count, bits & (1 << WINDOW) - 1)
        bit = 1 << -ahead if -ahead < WINDOW else 0
        return _Uses(self.top, self.bits | bit) if bit & ~self.bits else None


class Nonces:
    """Gives nonces that are good for *lifetime* seconds, and remembers the uses of *most*."""

    def __init__(self, lifetime: float, most: int = MOST) -> None:
        self._key = secrets.token_bytes(32)
        self._lifetime, self._most = int(lifetime * 1e6), most
        self._uses: OrderedDict[str, tuple[int, _Uses]] = OrderedDict()  # with when it was given
        self._mark = -1  # microseconds, as all times here

    def give(self, now: float) -> str:
        """A new nonce; *now* is in seconds."""
        told = int(now * 1e6).to_bytes(TIME, "big") + secrets.token_bytes(CHANCE)
        return urlsafe_b64encode(told + self._sign(told)).decode().rstrip("=")

    def use(self, nonce: str, count: int, now: float) -> bool:
        """Whether *nonce* is ours, fresh, and not used with *count* before; from now on it is."""
        given = self._given(nonce)
        if given is None or int(now * 1e6) - given > self._lifetime:
            return False
        known = self._uses.get(nonce)
        if known is None and given <= self._mark:
            return False
        uses = (known[1] if known else _Uses(0, 0)).add(count)
        if uses is None:
            return False
        self._uses[nonce] = given, uses
        if len(self._uses) > self._most:
            _, (forgotten, _) = self._uses.popitem(last=False)
            self._mark = max(self._mark, forgotten)
        return True

    def _given(self, nonce: str) -> int | None:
        """When *nonce* was given; None when it was not, or is written in another way."""
        try:
            data = urlsafe_b64decode(nonce + "=")
        except ValueError:
            return None
        told, mark = data[: TIME + CHANCE], data[TIME + CHANCE :]
        if not hmac.compare_digest(mark, self._sign(told)):
            return None
        # Four spellings of the last letter are read alike, and each would be a nonce of its own.
        if urlsafe_b64encode(data).decode().rstrip("=") != nonce:
            return None
        return int.from_bytes(told[:TIME], "big")

    def _sign(self, told: bytes) -> bytes:
        return hmac.digest(self._key, told, "sha256")[:MARK]

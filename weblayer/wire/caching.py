"""What a private cache may keep of an answer, how long that is good, and whom it is good for.

Theory. An answer to GET is kept with the moments at which it was asked for and came. Its *age* is
what other caches say it had, or what its Date says, and the time since; its *lifetime* is what the
server says, else a tenth of how long it had not changed. While the lifetime is the longer one it is
fresh, and nobody is asked. After that the server is asked whether it is still good, by the
validators that it came with.

The cache is one user's: what is said to shared ones (s-maxage, proxy-revalidate, private) does not
concern it, and an answer to a request with Authorization may be kept (3.5 forbids it to shared
ones), to be given to the same Authorization only. Knows no clock: moments are seconds since 1970.
Source: RFC 9111; RFC 5861 for what is stale and given all the same.
"""

import enum
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from weblayer.wire.answer import AnswerHead
from weblayer.wire.cachecontrol import delta_seconds, parse_cache_control
from weblayer.wire.dates import parse_date
from weblayer.wire.fields import split_list
from weblayer.wire.headers import Headers

__all__ = [
    "FRESH", "STALE", "STALE_BUT_GOOD",
    "Kept", "Use", "age_of", "conditions", "encode_given", "encode_kept", "invalidates",
    "is_conditional", "judge", "lifetime", "may_keep", "refreshed", "serves_errors", "variant",
    "wants_only_kept",
]  # fmt: skip

# What may be kept without a word about it (RFC 9110, 15.1), less 206: parts are not kept.
_HEURISTIC = frozenset((200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501))

# What we can keep by the meaning of its code (RFC 9111, 5.2.2.3).
_UNDERSTOOD = _HEURISTIC | {302, 303, 307}

# Of one connection, not of the answer (3.1). A cookie is set once: given again it would undo what
# has been set since (browsers do not take one from their cache either).
_NOT_KEPT = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade"
    b" proxy-authenticate proxy-authentication-info proxy-authorization set-cookie"
    b" cache-status".split()
)

# What describes the body as it is kept (3.2).
_NOT_REFRESHED = frozenset((b"content-length", b"content-encoding", b"content-range"))

# Who asks for a part, or brings conditions of its own, has a cache of its own.
_OF_THE_CALLER = (
    b"range", b"if-range", b"if-match", b"if-none-match", b"if-modified-since",
    b"if-unmodified-since",
)  # fmt: skip

_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"QUERY"))

# A tenth of the time in which it had not changed, and no more than a day (4.2.2).
_PART = 0.1
_LONGEST_GUESS = 24 * 3600.0

# An answer is given to nobody else, whatever Vary says: to no other user, and no other site.
_ALWAYS_VARIES = (b"authorization", b"host")


class Use(enum.Enum):
    """What a kept answer is good for."""

    FRESH = "it answers the request"
    STALE_BUT_GOOD = "it answers the request, and the server is to be asked meanwhile"
    STALE = "the server must be asked"


FRESH, STALE_BUT_GOOD, STALE = Use

Directives = dict[bytes, bytes | None]


@dataclass(frozen=True)
class Kept:
    """The head of an answer as it is kept, when it was *asked* for and when it was *answered*.

    *chosen* tells whom it is for, see `variant`.
    """

    code: int
    raw: bytes
    asked: float
    answered: float
    chosen: bytes

    @cached_property
    def fields(self) -> Headers:
        """Its fields; not to be changed."""
        return AnswerHead(self.raw, self.code, 0, True).headers()

    @cached_property
    def control(self) -> Directives:
        """Its Cache-Control."""
        return _control(self.fields)


def may_keep(method: bytes, asked: Headers, code: int, said: Headers) -> bool:
    """Whether the answer *code* with the fields *said* may be kept, and would be of any use.

    Source: RFC 9111, 3.
    """
    if method != b"GET" or code < 200 or code in (206, 304) or b"no-store" in _control(asked):
        return False
    control = _control(said)
    if b"must-understand" in control:
        if code not in _UNDERSTOOD:
            return False
    elif b"no-store" in control:
        return False
    explicit = said.hasHeader(b"expires") or not control.keys().isdisjoint(
        (b"public", b"private", b"max-age")
    )
    if not explicit and code not in _HEURISTIC:
        return False
    is_useful = said.hasHeader(b"etag") or said.hasHeader(b"last-modified")
    return is_useful or lifetime(code, said, control, 0.0) > 0


def variant(asked: Headers, said: Headers) -> bytes | None:
    """What of the request chose the answer, hashed: equal for those that it may be given to.

    None where nobody can say (`Vary: *`). Source: RFC 9111, 4.1.
    """
    names = split_list(_joined(said, b"vary") or b"")
    if b"*" in names:
        return None
    digest = hashlib.sha256()  # of secrets, in part, which have no place in a file
    for name in sorted({*names, *_ALWAYS_VARIES}):
        values = asked.getRawHeaders(name)
        told = b"" if values is None else b": " + b" ".join(b",".join(values).split())
        digest.update(b"%b%b\n" % (name, told))
    return digest.digest()[:16]


def lifetime(code: int, said: Headers, control: Directives, answered: float) -> float:
    """How many seconds an answer is good for after its Date. Source: RFC 9111, 4.2.1 and 4.2.2.

    *answered* stands for a Date that is not there.
    """
    if b"max-age" in control:
        return delta_seconds(control[b"max-age"]) or 0
    date = _moment(said, b"date", answered)
    expires = said.getRawHeaders(b"expires")
    if expires is not None:
        moment = parse_date(expires[0])  # what is no date has passed (5.3): "0" above all
        return 0 if moment is None else max(0.0, moment - date)
    changed = parse_date(said.getHeader(b"last-modified") or b"")
    if changed is None or not (code in _HEURISTIC or b"public" in control):
        return 0
    return min(max(0.0, date - changed) * _PART, _LONGEST_GUESS)


def age_of(kept: Kept, now: float) -> float:
    """How old it is at the moment *now*, in seconds. Source: RFC 9111, 4.2.3."""
    said = kept.fields
    apparent = max(0.0, kept.answered - _moment(said, b"date", kept.answered))
    ages = split_list(_joined(said, b"age") or b"")
    told = delta_seconds(ages[0]) if ages else None
    corrected = (told or 0) + (kept.answered - kept.asked)
    return max(apparent, corrected) + max(0.0, now - kept.answered)


def judge(kept: Kept, asked: Headers, now: float) -> Use:
    """What *kept* is good for, for a request with these fields.

    Source: RFC 9111, 4.2, 5.2.1 and 5.2.2; RFC 5861, 3.
    """
    wish, control = _control(asked), kept.control
    if b"no-cache" in wish or b"no-cache" in control:
        return STALE
    age = age_of(kept, now)
    left = _lifetime(kept) - age
    if age > _seconds(wish, b"max-age", age) or left < _seconds(wish, b"min-fresh", left):
        return STALE
    if left > 0:
        return FRESH
    if b"must-revalidate" in control:
        return STALE
    if b"max-stale" in wish and -left <= _seconds(wish, b"max-stale", -left):
        return FRESH
    return STALE_BUT_GOOD if -left <= _window(control, b"stale-while-revalidate") else STALE


def serves_errors(kept: Kept, asked: Headers, now: float) -> bool:
    """Whether *kept* may be given where the server cannot, stale as it is.

    Source: RFC 5861, 4; RFC 9111, 4.2.4.
    """
    wish, control = _control(asked), kept.control
    if b"must-revalidate" in control or b"no-cache" in control or b"no-cache" in wish:
        return False
    stale = age_of(kept, now) - _lifetime(kept)
    return any(stale <= _window(said, b"stale-if-error") for said in (wish, control))


def conditions(kept: Kept) -> list[tuple[bytes, bytes]]:
    """What asks whether *kept* is still good; nothing where it came without a validator.

    Source: RFC 9111, 4.3.1.
    """
    etag = kept.fields.getHeader(b"etag")
    changed = kept.fields.getHeader(b"last-modified")
    found = [(b"If-None-Match", etag), (b"If-Modified-Since", changed)]
    return [(name, value) for name, value in found if value is not None]


def refreshed(
    kept: Kept, asked: Headers, said: Headers, moments: tuple[float, float]
) -> Kept | None:
    """*kept* with what a 304 has said of it; None where that is about another answer.

    Or where it says no-store: then nothing of it may be kept, and all is to be asked for anew.
    *moments* are when it was asked for and answered. Source: RFC 9111, 4.3.4, 3.2 and 5.2.2.5.
    """
    control = _control(said)
    if b"no-store" in control and b"must-understand" not in control:
        return None
    if not (_agree(kept, said, b"etag") and _agree(kept, said, b"last-modified")):
        return None
    news = [
        (name, value) for name, value in _kept_pairs(said) if name.lower() not in _NOT_REFRESHED
    ]
    # Without an Age it has none: that of the older answer is over.
    named = {b"age", *(name.lower() for name, _ in news)}
    fields = [pair for pair in kept.fields.pairs() if pair[0].lower() not in named] + news
    chosen = variant(asked, Headers.fromPairs(fields))
    if chosen is None:
        return None
    return Kept(kept.code, _status_line(kept) + _lines(fields), *moments, chosen)


def invalidates(method: bytes, code: int) -> bool:
    """Whether the answer *code* to *method* means that what is kept of the URI has changed.

    Source: RFC 9111, 4.4.
    """
    return method not in _SAFE and 200 <= code < 400


def is_conditional(asked: Headers) -> bool:
    """Whether the caller asks for a part, or whether what it has is still good."""
    return any(asked.hasHeader(name) for name in _OF_THE_CALLER)


def wants_only_kept(asked: Headers) -> bool:
    """Whether the server is not to be asked. Source: RFC 9111, 5.2.1.7."""
    return b"only-if-cached" in _control(asked)


def encode_kept(code: int, phrase: bytes, said: Headers) -> bytes:
    """A head as it is kept. Source: RFC 9111, 3.1."""
    return b"HTTP/1.1 %d %b\r\n%b" % (code, phrase, _lines(_kept_pairs(said)))


def encode_given(kept: Kept, now: float, how: bytes, cookies: Iterable[bytes] = ()) -> bytes:
    """The head of *kept* as it is given: with its age, and with *how* it came, by RFC 9211.

    *cookies* are those of the answer that said that it is still good.
    """
    pairs = [pair for pair in kept.fields.pairs() if pair[0].lower() != b"age"]
    pairs += [(b"Age", b"%d" % age_of(kept, now)), (b"Cache-Status", b"weblayer; " + how)]
    pairs += [(b"Set-Cookie", cookie) for cookie in cookies]
    return _status_line(kept) + _lines(pairs)


def _kept_pairs(said: Headers) -> list[tuple[bytes, bytes]]:
    """The fields that are kept: not those of the connection, and not those that it names."""
    dropped = {*_NOT_KEPT, *split_list(_joined(said, b"connection") or b"")}
    return [(name, value) for name, value in said.pairs() if name.lower() not in dropped]


def _status_line(kept: Kept) -> bytes:
    return kept.raw[: kept.raw.index(b"\r\n") + 2]


def _lines(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in fields) + b"\r\n"


def _agree(kept: Kept, said: Headers, name: bytes) -> bool:
    """Whether the two have the same validator, as far as both have it."""
    mine, theirs = kept.fields.getHeader(name), said.getHeader(name)
    if mine is None or theirs is None:
        return True
    return mine.removeprefix(b"W/") == theirs.removeprefix(b"W/")


def _lifetime(kept: Kept) -> float:
    return lifetime(kept.code, kept.fields, kept.control, kept.answered)


def _control(headers: Headers) -> Directives:
    said = _joined(headers, b"cache-control")
    return {} if said is None else parse_cache_control(said)


def _joined(headers: Headers, name: bytes) -> bytes | None:
    values = headers.getRawHeaders(name)
    return None if values is None else b", ".join(values)


def _moment(said: Headers, name: bytes, other: float) -> float:
    moment = parse_date(said.getHeader(name) or b"")
    return other if moment is None else moment


def _seconds(wish: Directives, name: bytes, other: float) -> float:
    """What the caller wishes; *other* where it says nothing, or what is no number."""
    found = delta_seconds(wish.get(name))
    return other if found is None else found


def _window(control: Directives, name: bytes) -> float:
    """For how many seconds what is stale is good all the same; below 0 for none."""
    found = delta_seconds(control.get(name))
    return -1 if found is None else found

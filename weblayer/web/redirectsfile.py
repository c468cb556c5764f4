"""The file `_redirects` of a static site: who asks for this is sent there. Pure.

    # from           to                 status, 301 without one
    /home            /
    /blog/*          /news/:splat       302
    /:year/:month    /archive/:year-:month
    /shop  id=:id    /products/:id      301!
    /app/*           /app/index.html    200

The first line that fits counts. A file that is there comes before a line, unless its status ends
in `!`. 200 shows the file *to* at the address that was asked for, 404 and 410 do so with that
status. This is the syntax that static hosts share; lines for a host, a country, a language or a
role, and those that ask another server, are not taken.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from weblayer.web.pathpattern import PatternTable, check_length, fill
from weblayer.wire.percent import percent_decode, percent_encode

__all__ = ["Redirection", "Redirects", "parse_redirects"]

# Permanent, as most static hosts have it: files are carried from one to another.
DEFAULT_STATUS = 301

_STATUS = re.compile(r"([0-9]{3})(!?)")
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_SHOWN: Final = frozenset({200, 404, 410})

# What an address is written in (RFC 3986, 2); the rest is encoded, and no capture brings any.
_UNPLAIN = re.compile(rb"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")


class Redirection(NamedTuple):
    """What a request is answered with: for 200, 404 and 410 the file *target*, else the way there.

    *target* is an address: absolute, or a path from the root of the site.
    """

    status: int
    target: str


class _Rule(NamedTuple):
    """A line: *query* holds what the arguments must be, by name; `:name` captures one."""

    query: Mapping[str, str]
    target: str
    status: int
    is_forced: bool


class Redirects:
    """The lines of a `_redirects` file."""

    def __init__(self) -> None:
        self._table: PatternTable[_Rule] = PatternTable()
        self.forces = False  # whether any line comes before files

    def __len__(self) -> int:
        return len(self._table)

    def add(self, pattern: str, rule: _Rule) -> None:
        """Add a line behind the others. Raises ValueError."""
        self._table.add(pattern, rule)
        self.forces = self.forces or rule.is_forced

    def find(
        self, path: str, args: Mapping[str, Sequence[str]], query: str, *, forced: bool
    ) -> Redirection | None:
        """What the first line that fits says; *forced* asks those alone that come before files.

        *path* is spelled. The *query* goes along to a target that has none of its own.
        """
        for rule, captured in self._table.matches(path):
            if forced and not rule.is_forced:
                continue
            asked = _asked(rule.query, args)
            if asked is None:
                continue
            target = _local(fill(rule.target, {**captured, **asked}))
            if rule.status in _MOVED and _leads_to(target, path):
                continue  # a browser would go round and round
            if query and not rule.query and rule.status in _MOVED:
                target = _with_query(target, query)
            return Redirection(rule.status, target)
        return None


def parse_redirects(text: str) -> tuple[Redirects, list[str]]:
    """Read a `_redirects` file; what cannot be read is left out, and told in sentences."""
    found, wrong = Redirects(), []
    for number, line in enumerate(text.splitlines(), 1):
        words = list(_words(line))
        try:
            check_length(line)
            if words:
                found.add(words[0], _rule(words[1:]))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    return found, wrong


def _words(line: str) -> Iterator[str]:
    for word in line.split():
        if word.startswith("#"):
            return
        yield word


def _rule(words: list[str]) -> _Rule:
    query = {}
    while words and "=" in words[0] and not words[0].startswith(("/", "http:", "https:")):
        name, _, value = words.pop(0).partition("=")
        query[name] = value
    if not words:
        raise ValueError("it does not say where to")
    target, *rest = words
    status, is_forced = _status(rest.pop(0) if rest else str(DEFAULT_STATUS))
    if rest:
        raise ValueError(f"conditions as {rest[0]!r} are not taken")
    return _Rule(query, _target(target, status), status, is_forced)


def _status(word: str) -> tuple[int, bool]:
    found = _STATUS.fullmatch(word)
    if found is None or int(found[1]) not in _MOVED | _SHOWN:
        told = ", ".join(map(str, sorted(_MOVED | _SHOWN)))
        raise ValueError(f"a status is one of {told}, and may end in !; {word!r} is none")
    return int(found[1]), bool(found[2])


def _target(word: str, status: int) -> str:
    target = _UNPLAIN.sub(lambda byte: b"%%%02X" % ord(byte[0]), word.encode()).decode("ascii")
    if target.startswith("/") and not target.startswith("//"):
        return target
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{word!r} is neither a path nor an address: /a/path, https://host/path")
    if status in _SHOWN:
        raise ValueError(f"status {status} shows a file of this site, and {word!r} is elsewhere")
    if not parts.path.startswith("/") and parts.path + parts.query + parts.fragment:
        raise ValueError(f"{word!r} has no slash behind its host")
    if re.search(r":[A-Za-z]", parts.netloc):
        raise ValueError(f"{word!r}: nothing that was asked for may choose the host")
    return target


def _asked(rule: Mapping[str, str], args: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    """What the arguments give to capture; None where they are not what the line asks for."""
    captured = {}
    for name, wanted in rule.items():
        value = next(iter(args.get(name, ())), None)
        if value is None or (not wanted.startswith(":") and value != wanted):
            return None
        if wanted.startswith(":"):
            encoded = percent_encode(value.encode("utf-8", "surrogateescape"))
            captured[wanted[1:]] = encoded.decode()
    return captured


def _local(target: str) -> str:
    """A path stays one, whatever was captured: "//host/" would be another host's."""
    return f"/{target.lstrip('/')}" if target.startswith("//") else target


def _leads_to(target: str, path: str) -> bool:
    place = re.split(r"[?#]", target, maxsplit=1)[0]
    parts = place.encode().split(b"/")
    return "/".join(percent_encode(percent_decode(part)).decode() for part in parts) == path


def _with_query(target: str, query: str) -> str:
    place, mark, fragment = target.partition("#")
    return target if "?" in place else f"{place}?{query}{mark}{fragment}"

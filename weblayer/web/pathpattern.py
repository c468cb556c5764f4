"""Patterns of paths, as the rule files of static sites write them: `/news/:year/*`. Pure.

Theory. A path is compared in one spelling: each segment decoded once, and encoded again as
`percent_encode` does. What a pattern has captured is in that spelling, so that it can stand in an
address as it is: it holds no quote, no space, and no line's end.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from weblayer.wire.percent import percent_decode, percent_encode

__all__ = ["PatternTable", "check_length", "fill", "spelled"]

# 2,000 rules and lines of 2,000 characters are what the largest static host takes. A rule without
# captures costs one look-up, however many there are; each with one costs up to half a microsecond a
# request, and 200 of those a tenth of a millisecond.
MAX_RULES = 2000
MAX_CAPTURING = 200
MAX_LINE = 2000

_TOKEN = re.compile(r"\*|(?<=/):[A-Za-z]\w*")
_CAPTURED = re.compile(r":([A-Za-z]\w*)")

Rule = TypeVar("Rule")


def spelled(segments: Iterable[str]) -> str:
    """The path of *segments*, as patterns are compared with it."""
    return "".join(
        f"/{percent_encode(segment.encode('utf-8', 'surrogateescape')).decode()}"
        for segment in segments
    )


def fill(text: str, captured: Mapping[str, str]) -> str:
    """*text* with what was captured in place of `:name`; a name that was not stays as it is."""
    return _CAPTURED.sub(lambda name: captured.get(name[1], name[0]), text)


def check_length(line: str) -> None:
    """Raise ValueError for a line that is too long to be a person's."""
    if len(line) > MAX_LINE:
        raise ValueError(f"it is longer than {MAX_LINE} characters")


class Match(NamedTuple, Generic[Rule]):
    """A rule whose pattern fits, and what that captured, by name."""

    rule: Rule
    captured: Mapping[str, str]


class PatternTable(Generic[Rule]):
    """Rules by the patterns of their paths.

    In a pattern `:name` is a segment, and `*` anything, once; a `/*` at the end also fits the
    folder itself. A slash at the end of a path makes no difference.
    """

    def __init__(self) -> None:
        self._plain: dict[str, list[tuple[int, Rule]]] = {}
        self._capturing: list[tuple[int, re.Pattern[str], Rule]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, pattern: str, rule: Rule) -> None:
        """Add a rule behind the others. Raises ValueError for a pattern that is none."""
        _check(pattern)
        if self._count >= MAX_RULES:
            raise ValueError(f"there are {MAX_RULES} rules already")
        if not _TOKEN.search(pattern):
            self._plain.setdefault(_key(_respelled(pattern)), []).append((self._count, rule))
        elif len(self._capturing) >= MAX_CAPTURING:
            raise ValueError(f"there are {MAX_CAPTURING} rules with * or :name already")
        else:
            self._capturing.append((self._count, _compiled(pattern), rule))
        self._count += 1

    def matches(self, path: str) -> "Iterator[Match[Rule]]":
        """The rules that fit *path*, which is spelled, in the order in which they were added."""
        found = [(place, Match(rule, {})) for place, rule in self._plain.get(_key(path), ())]
        for place, pattern, rule in self._capturing:
            if fits := pattern.fullmatch(path):
                found.append((place, Match(rule, fits.groupdict(default=""))))
        if len(found) > 1:
            found.sort(key=lambda pair: pair[0])
        return (match for _, match in found)


def _check(pattern: str) -> None:
    if not pattern.startswith("/"):
        raise ValueError(f"{pattern!r} is no path: it must begin with a slash")
    if "?" in pattern or "#" in pattern:
        raise ValueError(f"{pattern!r} is more than a path")
    names = _TOKEN.findall(pattern)
    if len(set(names)) < len(names):
        raise ValueError(f"{pattern!r} captures the same twice")
    if "*" in names and ":splat" in names:
        raise ValueError(f"{pattern!r} captures the same twice: :splat is what * captures")


def _key(path: str) -> str:
    """A path without the slash at its end."""
    return path.removesuffix("/")


def _respelled(path: str) -> str:
    """What a person wrote, in the spelling of `spelled`."""
    parts = path.encode().split(b"/")
    return "/".join(percent_encode(percent_decode(part)).decode() for part in parts)


def _compiled(pattern: str) -> re.Pattern[str]:
    stem, end = (pattern[:-2], "(?:/(?P<splat>.*))?") if pattern.endswith("/*") else (pattern, "/?")
    parts, at = [], 0
    for token in _TOKEN.finditer(stem):
        parts += [re.escape(_respelled(stem[at : token.start()])), _group(token[0])]
        at = token.end()
    return re.compile("".join([*parts, re.escape(_respelled(stem[at:])), end]), re.DOTALL)


def _group(capture: str) -> str:
    return "(?P<splat>.*?)" if capture == "*" else f"(?P<{capture[1:]}>[^/]+)"

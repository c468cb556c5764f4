"""How long caches keep files: rules by the pattern of their names."""

import re
from fnmatch import translate
from typing import Final, NamedTuple, TypeAlias

from weblayer.wire.cachecontrol import format_cache_control

__all__ = ["FINGERPRINTED", "CacheRule", "Pattern", "cache_rule", "said_of"]

# A pattern of shells, or what a name must match as a whole.
Pattern: TypeAlias = str | re.Pattern[str]

# Names that tell what their file holds, so that another content has another name: at least eight
# digits of a hash in hexadecimal, with a digit and a letter among them, as in "app.3f6c1e0a.js" and
# "app-3f6c1e0a9b7d.min.css.map". Eight digits alone are a date, eight letters a word.
FINGERPRINTED: Final = re.compile(
    r".*[.-](?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}(?:\.[A-Za-z0-9]{1,12}){1,3}"
)

# What a program types, and what it is called where it is written.
_DIRECTIVES: Final = {
    "maxAge": "max_age", "public": "public", "private": "private", "noStore": "no_store",
    "noCache": "no_cache", "noTransform": "no_transform", "mustRevalidate": "must_revalidate",
    "immutable": "immutable", "sharedMaxAge": "s_maxage",
    "staleWhileRevalidate": "stale_while_revalidate", "staleIfError": "stale_if_error",
}  # fmt: skip


class CacheRule(NamedTuple):
    """What is said of files that match: *whole* is whether the path below the root must."""

    pattern: re.Pattern[str]
    whole: bool
    said: bytes


def cache_rule(pattern: Pattern, directives: dict[str, int]) -> CacheRule:
    """Read a rule. Raises TypeError for an unknown directive, ValueError for what is wrong."""
    if unknown := directives.keys() - _DIRECTIVES.keys():
        raise TypeError(f"{min(unknown)!r} is no directive; there is {', '.join(_DIRECTIVES)}")
    # Any of them is a number or a switch; which is which, is told there.
    said = format_cache_control(**{_DIRECTIVES[k]: v for k, v in directives.items()})  # type: ignore[arg-type]
    if not said:
        raise ValueError("say something: for instance maxAge=3600")
    if isinstance(pattern, str):
        whole = "/" in pattern
        return CacheRule(re.compile(translate(pattern.removeprefix("/"))), whole, said)
    return CacheRule(pattern, False, said)


def said_of(rules: list[CacheRule], names: list[str]) -> bytes | None:
    """What the first rule that matches says of a file, *names* leading to it from the root."""
    path = "/".join(names)
    for rule in rules:
        if rule.pattern.fullmatch(path if rule.whole else names[-1]):
            return rule.said
    return None

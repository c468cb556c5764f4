"""Parameters behind a value, such as `; charset=utf-8`. Source: RFC 9110, 5.6.4 and 5.6.6."""

import re

__all__ = ["QUOTED", "TOKEN", "parse_parameters", "quote", "quoted", "unquote"]

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

# What may stand in a field at all, without the quote and the backslash.
_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f\"\\]"
_PAIR = rb"\\[^\x00-\x08\x0a-\x1f\x7f]"
QUOTED = rb'"%b*(?:%b%b*)*"' % (_TEXT, _PAIR, _TEXT)

# Empty parameters are lawful: `a/b; ;charset=utf-8;`.
_PARAMETER = re.compile(rb"[ \t]*;[ \t]*(?:(%b)=(%b|%b))?" % (TOKEN, TOKEN, QUOTED))
_TOKEN = re.compile(TOKEN)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL = re.compile(rb'(["\\])')


def parse_parameters(data: bytes) -> list[tuple[bytes, bytes]] | None:
    """Read what stands behind a value, from its first semicolon on; None when it is malformed.

    Pairs of (name in lower case, value without quotes), in the order sent, repeats too.
    """
    pairs, at, data = [], 0, data.rstrip(b" \t")
    while at < len(data):
        found = _PARAMETER.match(data, at)
        if found is None:
            return None
        if found[1]:
            pairs.append((found[1].lower(), unquote(found[2])))
        at = found.end()
    return pairs


def quote(value: bytes) -> bytes:
    """*value* as it may stand behind a name: as it is when it is a token, else quoted.

    The caller has seen that it holds no control characters.
    """
    return value if _TOKEN.fullmatch(value) else quoted(value)


def quoted(value: bytes) -> bytes:
    """*value* in quotes, whether or not it needs them; as `quote` else."""
    return b'"' + _SPECIAL.sub(rb"\\\1", value) + b'"'


def unquote(value: bytes) -> bytes:
    """What a token or a quoted string stands for."""
    if value[:1] != b'"':
        return value
    return _ESCAPED.sub(rb"\1", value[1:-1])

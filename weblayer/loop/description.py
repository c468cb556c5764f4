r"""Where to listen or connect, as a person writes it: `tcp:8080:interface=127.0.0.1`.

A kind and its arguments, with colons between them; an argument may have its name and `=` before
it. A backslash takes the meaning from a colon, an equals sign or a backslash. Where an argument
with a name is followed by parts without one, they are part of it, so that an IPv6 address needs
no backslashes: `tcp:8080:interface=::1`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Description", "Shape", "flagOf", "numberOf", "parseDescription", "quoteStringArgument"]


class Shape(NamedTuple):
    """What a kind takes: *places*, arguments in order, *others*, by name alone; an *example*."""

    places: Sequence[str]
    others: Sequence[str]
    example: str


class Description(NamedTuple):
    """A description that has been read: its kind and its arguments by name."""

    kind: str
    found: dict[str, str]


def parseDescription(text: str, shapes: Mapping[str, Shape]) -> Description:
    """Read a description of one of the kinds in *shapes*. Raises ValueError that says how."""
    if not isinstance(text, str):
        raise TypeError(f"description must be a str, as in 'tcp:8080', not {text!r}")
    kind, *parts = _PART.findall(text)
    if kind not in shapes:
        kinds = ", ".join(f"{name}:" for name in shapes)
        raise ValueError(f"{text!r} should begin with one of {kinds} as in {_example(shapes)}")
    # A lone colon is an end and not an argument: `stdio:`.
    return Description(kind, _arguments(kind, shapes[kind], [] if parts == [""] else parts))


def quoteStringArgument(argument: str) -> str:
    """Write *argument* so that every character of it stands for itself in a description."""
    return re.sub(r"([\\:=])", r"\\\1", argument)


def numberOf(text: str, name: str, most: int, base: int = 10) -> int:
    """The whole number from 0 to *most* that *text* writes. Raises ValueError."""
    try:
        number = int(text, base) if text.isascii() and text.isalnum() else -1
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:{_FORMS[base]}}, not {text!r}")
    return number


def flagOf(text: str, name: str) -> bool:
    """What `0` or `1` means. Raises ValueError."""
    if text not in ("0", "1"):
        raise ValueError(f"{name} must be 0 or 1, not {text!r}")
    return text == "1"


# A part ends at a colon that no backslash stands before.
_PART = re.compile(r"(?:^|:)((?:\\.|[^:])*)", re.DOTALL)
_NAMED = re.compile(r"(\w+)=(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_FORMS = {8: "o", 10: "d"}


def _arguments(kind: str, shape: Shape, parts: Sequence[str]) -> dict[str, str]:
    names = (*shape.places, *shape.others)
    places = iter(shape.places)
    raw: dict[str, str] = {}
    last = None  # the name that parts without one belong to
    for part in parts:
        named = _NAMED.fullmatch(part)
        if named and (named[1] in names or last):
            last = _known(kind, shape, named[1])
            _add(raw, kind, last, named[2])
        elif last:
            raw[last] += f":{part}"
        else:
            place = next(places, None)
            if place is None:
                raise ValueError(_misread(kind, shape, part))
            _add(raw, kind, place, part)
    return {name: _ESCAPED.sub(r"\1", value) for name, value in raw.items()}


def _known(kind: str, shape: Shape, name: str) -> str:
    if name not in (*shape.places, *shape.others):
        raise ValueError(_misread(kind, shape, f"{name}="))
    return name


def _add(found: dict[str, str], kind: str, name: str, value: str) -> None:
    if name in found:
        raise ValueError(f"{kind} was given {name} twice")
    found[name] = value


def _misread(kind: str, shape: Shape, part: str) -> str:
    names = (*shape.places, *shape.others)
    expected = " and ".join(f"{name}=..." for name in names) or "no arguments"
    return (
        f"{kind} takes {expected}, not {part!r}, as in {shape.example};"
        r" a colon inside a value is written \:"
    )


def _example(shapes: Mapping[str, Shape]) -> str:
    return next(iter(shapes.values())).example

"""What a person may write behind an option of `weblayer web`: read at once, and told if wrong."""

import re
from collections.abc import Callable
from typing import Any, Final

import click

__all__ = ["AGED", "EXTENSION", "FIELD", "PROCESSOR", "TYPE"]

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_AGE = re.compile(r"([0-9]{1,9})([smhdwy]?)")
_EXTENSION = re.compile(r"\.[^./\\\s=]+")
_MEDIA = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;\s*[\w-]+=\S+)*")


class Kind(click.ParamType[Any]):
    """What *read* makes of a word, which raises ValueError for one that it cannot read."""

    # Any: options are of many types.
    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _aged(word: str) -> tuple[str, dict[str, int]]:
    pattern, equals, age = word.rpartition("=")
    if not (equals and pattern):
        raise ValueError(f"write it as '*.css=1h', not {word!r}")
    return pattern, _directives(age)


def _directives(age: str) -> dict[str, int]:
    """What caches are told, as the keywords of `setCacheControl`."""
    if age == "no-store":
        return {"noStore": True}
    if age == "no-cache":
        return {"noCache": True}
    if age == "immutable":
        return {"maxAge": _UNITS["y"], "immutable": True}
    if (found := _AGE.fullmatch(age)) is None:
        raise ValueError(
            f"an age is seconds, or as in 5m, 12h, 30d, 1y, or immutable, no-cache, no-store;"
            f" {age!r} is none"
        )
    return {"maxAge": int(found[1]) * _UNITS[found[2]]}


def _field(word: str) -> tuple[str, str]:
    from weblayer.web.headersfile import parse_field

    field = parse_field(word)
    if field.value is None:
        raise ValueError(f"write it as 'Name: value', not {word!r}")
    return field.name, field.value


def _extension(word: str) -> str:
    if _EXTENSION.fullmatch(word) is None:
        raise ValueError(f"an extension begins with a dot, as in .html; {word!r} does not")
    return word.lower()


def _ignored(word: str) -> str:
    return word if word == "*" else _extension(word)


def _typed(word: str) -> tuple[str, str]:
    extension, _, kind = word.partition("=")
    if _MEDIA.fullmatch(kind) is None:
        raise ValueError(f"write it as .ext=text/plain, not {word!r}")
    return _extension(extension), kind


# Any: what is behind a name may be anything; here it can be called.
def _processor(word: str) -> tuple[str, Callable[..., Any]]:
    extension, equals, name = word.partition("=")
    module, dot, attribute = name.rpartition(".")
    if not (equals and dot):
        raise ValueError(f"write it as .ext=package.module.Class, not {word!r}")
    return _extension(extension), _named(module, attribute)


def _named(module: str, attribute: str) -> Callable[..., Any]:
    import sys
    from importlib import import_module

    if "" not in sys.path:
        sys.path.append("")  # a person's own class lies where they are
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{module}.{attribute} cannot be had: {error}") from error
    if callable(found):
        made: Callable[..., Any] = found
        return made
    raise ValueError(f"{module}.{attribute} is {found!r}, and makes no resources")


AGED: Final = Kind("PATTERN=AGE", _aged)
EXTENSION: Final = Kind(".EXT", _ignored)
FIELD: Final = Kind("FIELD", _field)
PROCESSOR: Final = Kind(".EXT=CLASS", _processor)
TYPE: Final = Kind(".EXT=TYPE", _typed)

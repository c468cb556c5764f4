"""The arguments of a request: what came in the query and in a form, by name."""

from collections.abc import Iterable
from typing import Any

from weblayer.web.errors import BadRequest

__all__ = ["Args", "MissingArgument"]


class MissingArgument(BadRequest, KeyError):
    """The request has no argument of that name: 400, where the program does not catch it."""

    def __init__(self, key: object, kind: str = "field") -> None:
        name = key.decode("latin-1") if isinstance(key, bytes) else key
        super().__init__(f"The request must have a {kind} {name!r}.")


class Args(dict[str, list[str]]):
    """Values by name, in the order sent; a name may have several.

    A look-up with a bytes name answers in bytes: `args["q"][0]` is text, `args[b"q"][0]` is not.
    A name that was not sent raises MissingArgument, a KeyError which the client is told of.
    Bytes that are not UTF-8 survive as surrogates (PEP 383).
    """

    __slots__ = ()

    @classmethod
    def fromPairs(cls, pairs: Iterable[tuple[bytes, bytes]]) -> "Args":
        """Gather decoded pairs of (name, value)."""
        args = cls()
        args.addPairs(pairs)
        return args

    def addPairs(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Add pairs behind what is there."""
        for name, value in pairs:
            self.setdefault(_text(name), []).append(_text(value))

    # Any: dict's own overloads are wider than a str key, and so are ours, by bytes.
    def get(self, key: Any, default: Any = None) -> Any:
        """The values of *key* in its type, or *default*."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return super().__contains__(_text(key) if isinstance(key, bytes) else key)

    def __missing__(self, key: object) -> Any:
        if isinstance(key, bytes) and (values := super().get(_text(key))) is not None:
            return [value.encode("utf-8", "surrogateescape") for value in values]
        raise MissingArgument(key)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")

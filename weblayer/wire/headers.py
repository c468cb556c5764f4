"""Fields of a message as a program sees them: many values to a name, case kept, case ignored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import AnyStr

from weblayer.wire.fields import is_token, is_value

__all__ = ["Headers"]

Text = str | bytes


class Headers:
    """The fields of a request or a response. Names are matched without regard to case.

    A look-up answers in the type it was asked in: text for a str name, bytes for a bytes
    name. Values are latin-1 on the wire. Setting a name that is no token, or a value with CR,
    LF, NUL or another control character, is a ValueError: such a value would be another
    field, or another response (response splitting).
    """

    __slots__ = ("_fields",)

    def __init__(self, rawHeaders: Mapping[str, Sequence[Text]] | None = None) -> None:
        # lower-case name → pairs of (name as set, value), in the order set
        self._fields: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for name, values in (rawHeaders or {}).items():
            self.setRawHeaders(name, values)

    @classmethod
    def fromPairs(cls, pairs: Iterable[tuple[bytes, bytes]]) -> "Headers":
        """Fields that a parser has judged already, in the order sent."""
        headers = cls()
        for name, value in pairs:
            headers._fields.setdefault(name.lower(), []).append((name, value))
        return headers

    def setRawHeaders(self, name: Text, values: Sequence[Text]) -> None:
        """Replace every value of *name*."""
        if isinstance(values, str | bytes):
            raise TypeError(f"values must be a list of values, not one: {values!r}")
        sent = _name(name)
        self._fields[sent.lower()] = [(sent, _value(sent, value)) for value in values]

    def addRawHeader(self, name: Text, value: Text) -> None:
        """Add one more value of *name*, after those it has."""
        key, pair = _pair(name, value)
        # A new list: a copy may have the old one, too.
        self._fields[key] = [*self._fields.get(key, ()), pair]

    def setHeader(self, name: Text, value: Text) -> None:
        """Replace every value of *name* by one."""
        key, pair = _pair(name, value)
        self._fields[key] = [pair]

    def update(self, other: "Headers") -> None:
        """Replace every value of each name that *other* has by what it has."""
        self._fields.update(other._fields)

    def setDefaults(self, other: "Headers") -> None:
        """Take from *other* the fields whose names this one has not."""
        for key, found in other._fields.items():
            if not self._fields.get(key):
                self._fields[key] = found.copy()

    def removeHeader(self, name: Text) -> None:
        """Forget *name*; nothing happens when it is not there."""
        self._fields.pop(_key(name), None)

    def hasHeader(self, name: Text) -> bool:
        """Whether *name* has any value."""
        return bool(self._fields.get(_key(name)))

    def getRawHeaders(
        self, name: AnyStr, default: list[AnyStr] | None = None
    ) -> list[AnyStr] | None:
        """Every value of *name*, in the type of the name; *default* when there is none."""
        found = self._fields.get(_key(name))
        return [_as(name, value) for _, value in found] if found else default

    def getHeader(self, name: AnyStr) -> AnyStr | None:
        """The last value of *name*, in the type of the name; None when there is none."""
        found = self._fields.get(_key(name))
        return _as(name, found[-1][1]) if found else None

    def getAllRawHeaders(self) -> Iterator[tuple[str, list[str]]]:
        """Each name as it was first set, with all its values, as text."""
        for found in self._fields.values():
            if found:
                yield _text(found[0][0]), [_text(value) for _, value in found]

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """Every field as it goes on the wire, values of one name together."""
        return [pair for found in self._fields.values() for pair in found]

    def copy(self) -> "Headers":
        """Other fields with the same values."""
        headers = Headers()
        headers._fields = self._fields.copy()
        return headers

    def __contains__(self, name: Text) -> bool:
        return self.hasHeader(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Headers {dict(self.getAllRawHeaders())!r}>"

    def _values(self) -> dict[bytes, list[bytes]]:
        return {key: [value for _, value in found] for key, found in self._fields.items() if found}


# Programs set the same few names over and over; the first time pays for the checks. Bounded,
# in case a program makes names up.
_checked: dict[Text, bytes] = {}
_MOST_CHECKED = 1024


# As of names, so of the lines that a program sets over and over: "Content-Type: text/plain". A
# stranger may choose some values, and can only have the rest pay for their checks again.
_ready: dict[tuple[Text, Text], tuple[bytes, tuple[bytes, bytes]]] = {}
_LONGEST_READY = 100


def _pair(name: Text, value: Text) -> tuple[bytes, tuple[bytes, bytes]]:
    """The key of a field, and the field as it is sent."""
    try:
        ready = _ready.get((name, value))
    except TypeError:  # it cannot be hashed, so it is neither str nor bytes
        ready = None
    if ready is None:
        sent = _name(name)
        ready = sent.lower(), (sent, _value(sent, value))
        if len(_ready) < _MOST_CHECKED and len(value) <= _LONGEST_READY:
            _ready[name, value] = ready
    return ready


def _name(name: Text) -> bytes:
    sent = _checked.get(name)
    if sent is None:
        sent = _bytes("name", name)
        if not is_token(sent):
            raise ValueError(f"a header's name must be a token (RFC 9110, 5.1), not {name!r}")
        if len(_checked) < _MOST_CHECKED:
            _checked[name] = sent
    return sent


def _value(name: bytes, value: Text) -> bytes:
    sent = _bytes("value", value)
    if not is_value(sent):
        raise ValueError(
            f"the value of {name.decode()} may hold no CR, LF, NUL or control: {value!r}"
        )
    return sent.strip(b" \t")


def _bytes(parameter: str, text: Text) -> bytes:
    if isinstance(text, bytes):
        return text
    if isinstance(text, str):
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"a header's {parameter} is latin-1; encode {text!r} as its field asks for"
            ) from error
    raise TypeError(f"a header's {parameter} must be str or bytes, not {text!r}")


def _key(name: Text) -> bytes:
    return _bytes("name", name).lower()


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _as(like: AnyStr, value: bytes) -> AnyStr:
    return value.decode("latin-1") if isinstance(like, str) else value

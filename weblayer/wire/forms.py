"""Queries and urlencoded forms. Source: WHATWG URL, 5.1."""

from weblayer.wire.errors import BadMessage
from weblayer.wire.percent import percent_decode

__all__ = ["parse_urlencoded"]

# A form of a thousand fields is a spreadsheet; more is an attack on the dictionary.
MAX_PAIRS = 1000


def parse_urlencoded(data: bytes, most: int = MAX_PAIRS) -> list[tuple[bytes, bytes]]:
    """Pairs of (name, value), decoded, in the order sent; a name without `=` has an empty value.

    Raises BadMessage (400) for more than *most* pairs, empty ones counted.
    """
    parts = data.split(b"&", most)
    if len(parts) > most:
        raise BadMessage(400, f"a form of more than {most} fields")
    pairs = (part.partition(b"=") for part in parts if part)
    return [(_decoded(name), _decoded(value)) for name, _, value in pairs]


def _decoded(data: bytes) -> bytes:
    return percent_decode(data.replace(b"+", b" "))

"""What an agent and those that wrap it make of their arguments, each in the same way."""

from weblayer.client.bodies import IBodyProducer
from weblayer.client.uri import URI
from weblayer.wire.headers import Headers

__all__ = ["Body", "Text", "as_text", "as_uri", "copied", "is_replayable"]

Text = str | bytes
Body = bytes | str | IBodyProducer


def as_uri(uri: Text) -> URI:
    """What is asked for. Raises InvalidURI, TypeError."""
    if isinstance(uri, str):
        return URI.fromText(uri)
    if isinstance(uri, bytes):
        return URI.fromBytes(uri)
    raise TypeError(f"uri must be str or bytes, not {uri!r}")


def as_text(parameter: str, value: Text) -> str:
    """The *value* of a parameter that may be either. Raises TypeError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise TypeError(f"{parameter} must be str or bytes, not {value!r}")


def copied(headers: Headers | None) -> Headers:
    """Fields to change, which the caller's are not."""
    return Headers() if headers is None else headers.copy()


def is_replayable(body: Body | None) -> bool:
    """Whether the same body can be sent again: what most producers have read is gone."""
    return body is None or isinstance(body, str | bytes) or getattr(body, "isReplayable", False)

"""What a caller says of a request, as the wire has it: a query, a body, and how it is announced."""

import io
from collections.abc import AsyncIterable, Iterable, Mapping
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple, TypedDict, TypeGuard

from weblayer.client.auth import IAuth
from weblayer.client.bodies import AsyncBodyProducer, FileBodyProducer, IBodyProducer
from weblayer.client.multipart import FilePart, MultiPartProducer
from weblayer.client.timeouts import Timeouts
from weblayer.client.wrapping import Body
from weblayer.wire.headers import Headers

__all__ = ["Asked", "Auth", "Fields", "Timeout", "body_of", "timeouts_of", "with_params"]

# Pairs of name and value, or a mapping; a list as a value gives the name once for each.
Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]
Data = bytes | str | BinaryIO | AsyncIterable[bytes] | IBodyProducer | Pairs
Files = Mapping[str, Any] | Iterable[tuple[str, Any]]
Fields = Mapping[str, str | bytes] | Headers | None
Auth = IAuth | tuple[str, str] | None
Timeout = float | Timeouts | None

_USUAL = Timeouts()

FORM = "application/x-www-form-urlencoded"


class Asked(TypedDict, total=False):
    """What may be said of a request, by name.

    *params* go into the query. The body is *data*: bytes, text, a file open for bytes, an
    asynchronous iterable of bytes, or the pairs of a form; or it is *json*; or it is a form of
    *files* by their names (bytes, an open file, a FilePart or a tuple of what that is made of) and
    the pairs of *data*. *headers* and *cookies* go before those of a session. *auth* is a pair of
    name and password, or one of the `auth` module's. *timeout* is the seconds that all of it may
    take, the body with it, or Timeouts.
    """

    params: Pairs | None
    data: Data | None
    json: Any  # what json.dumps takes
    files: Files | None
    headers: Fields
    auth: Auth
    cookies: Mapping[str, str] | None
    timeout: Timeout


class Announced(NamedTuple):
    """A body, and the Content-Type that it goes with unless the caller names another."""

    body: Body | None
    kind: str | None = None


def with_params(uri: str | bytes, params: Pairs | None) -> str:
    """*uri* as text, with *params* behind the query that it has."""
    uri = uri.decode() if isinstance(uri, bytes) else uri
    if not isinstance(uri, str):
        raise TypeError(f"uri must be str or bytes, not {uri!r}")
    if not params:
        return uri
    from urllib.parse import urlencode

    place, hash_, fragment = uri.partition("#")
    joint = "" if place.endswith(("?", "&")) else "&" if "?" in place else "?"
    return f"{place}{joint}{urlencode(_flat(params))}{hash_}{fragment}"


def timeouts_of(timeout: Timeout) -> Timeouts:
    """What *timeout* means."""
    if timeout is None:
        return _USUAL
    if isinstance(timeout, Timeouts):
        return timeout
    # Who names one number means all of it: nothing is to end it before.
    connect = min(timeout, _USUAL.connect or timeout)
    return Timeouts(connect, pool=None, firstByte=None, idle=None, total=timeout)


def body_of(data: Data | None, json: Any, files: Files | None) -> Announced:
    """The body that the caller gave. Raises TypeError, ValueError.

    None as *json* is no JSON: who means null sends it as data.
    """
    if json is not None:
        if data is not None or files is not None:
            raise ValueError("json is a body by itself; give it without data and files")
        return _json(json)
    if files is not None:
        return _multipart(data, files)
    if data is None or isinstance(data, bytes | str):
        return Announced(data)
    if _is_pairs(data):
        from urllib.parse import urlencode

        return Announced(urlencode(_flat(data)), FORM)
    return Announced(_producer(data))


def _producer(data: Any) -> IBodyProducer:
    """What writes *data*, or is that already."""
    if hasattr(data, "startProducing"):
        found: IBodyProducer = data
        return found
    if hasattr(data, "read"):
        return FileBodyProducer(_binary(data))
    if isinstance(data, AsyncIterable):
        return AsyncBodyProducer(data)
    raise TypeError(f"data must be bytes, text, pairs, a file or an async iterable, not {data!r}")


def _is_pairs(data: object) -> TypeGuard[Pairs]:
    return isinstance(data, Iterable) and not (
        isinstance(data, bytes | str) or hasattr(data, "read") or hasattr(data, "startProducing")
    )


def _json(value: Any) -> Announced:
    from json import dumps

    # NaN is no JSON (RFC 8259, 6).
    text = dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Announced(text, "application/json")


def _multipart(data: Data | None, files: Files) -> Announced:
    if data is not None and not _is_pairs(data):
        raise TypeError("data beside files must be the other fields of the form, as pairs")
    fields = [(name, _text(value)) for name, value in _flat(data or ())]
    parts = [(name, _file(name, value)) for name, value in _flat(files)]
    producer = MultiPartProducer([*fields, *parts])
    return Announced(producer, producer.contentType)


def _file(name: str, value: Any) -> FilePart:
    """A file as it was given: a FilePart, what it is made of, an open file, or its content."""
    if isinstance(value, FilePart):
        return value
    if isinstance(value, tuple):
        return FilePart(*value)
    if isinstance(value, str | bytes):
        return FilePart(name, value.encode() if isinstance(value, str) else value)
    opened = _binary(value)
    return FilePart(PurePath(str(getattr(opened, "name", name))).name, opened)


def _binary(file: Any) -> BinaryIO:
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"a file must be open for bytes ('rb'), not {file!r}")
    found: BinaryIO = file
    return found


def _flat(pairs: Pairs) -> list[tuple[str, Any]]:
    """Pairs, one for each value."""
    flat = []
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        many = value if isinstance(value, list) else [value]
        flat += [(name, one) for one in many if one is not None]
    return flat


def _text(value: Any) -> str | bytes:
    return value if isinstance(value, bytes) else str(value)

"""User names and passwords as text, and the bytes that are hashed and compared.

They are compared as they were typed, without the normalising of PRECIS (RFC 8265): it depends on
a version of Unicode, so that a password could stop to match with another Python, and the programs
whose files we share (htpasswd, nginx) do none. Browsers send composed characters anyhow.
"""

import hmac
from hashlib import sha256

__all__ = ["bytes_of", "is_same", "text_of"]


def text_of(value: str | bytes, name: str) -> str:
    """*value* as text. Bytes are read as UTF-8; those that are not it survive the way back."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return value
    raise TypeError(f"{name} must be str or bytes, not {type(value).__name__}")


def bytes_of(text: str) -> bytes:
    """What is hashed for *text*: UTF-8, or the very bytes that `text_of` was given."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half of a surrogate pair, as JSON can bring: no error of ours, and nobody's password.
        return text.encode("utf-8", "surrogatepass")


def is_same(one: str, other: str) -> bool:
    """Whether they are equal, in a time that tells neither where they differ nor their length."""
    return hmac.compare_digest(sha256(bytes_of(one)).digest(), sha256(bytes_of(other)).digest())

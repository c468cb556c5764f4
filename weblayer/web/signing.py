"""What strangers keep for us, signed; the only door to itsdangerous.

    signer = Signer([os.environ["KEY"]], "invitation")
    token = signer.sign({"to": "ada"})          # URL-safe text
    signer.unsign(token, maxAge=3 * 24 * 3600)  # {"to": "ada"}

What is signed can be read by whoever holds it; it cannot be changed, or made. A key is
`secrets.token_urlsafe(32)`, once, kept where strangers cannot read.
"""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import itsdangerous
from itsdangerous.encoding import base64_encode

from weblayer.web.errors import WebError

__all__ = ["BadSignature", "Key", "SignatureExpired", "Signer"]

Key = str | bytes

# Bytes. Half of what a key should have: a shorter one is a word that can be guessed, offline, by
# whoever holds one signed value.
LEAST_KEY = 16


class BadSignature(WebError, ValueError):
    """It was not signed with one of our keys for this purpose, or it has been changed since."""


class SignatureExpired(BadSignature):
    """It was signed by us, too long ago."""


class Signer:
    """Signs JSON values for one *purpose*: what is signed for another is not accepted.

    *keys* is one key, or several to change them without a break: the first signs, and what any of
    them has signed is accepted. Put a new one in front, and drop the old one when all that it has
    signed is too old anyway. *seconds* tells the time, in seconds since 1970.
    Raises ValueError for a key of less than 16 bytes, and for none.
    """

    def __init__(
        self, keys: Key | Sequence[Key], purpose: str, *, seconds: Callable[[], float] = time.time
    ) -> None:
        several = [keys] if isinstance(keys, str | bytes) else list(keys)
        if not several:
            raise ValueError("keys must have one key at least, which signs")
        self._serializer = itsdangerous.URLSafeTimedSerializer(
            [_key(key) for key in reversed(several)],  # there the last one signs
            salt=purpose.encode(),
            serializer_kwargs={"ensure_ascii": True},  # text may hold what is no UTF-8
            signer=_Signer,
            # SHA-1, the default, is no risk within HMAC, and a question of every audit.
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac", "seconds": seconds},
        )

    def sign(self, value: Any) -> str:  # Any: what JSON can say
        """*value* as text that can stand in a URL, a cookie or a field.

        Raises TypeError for what is not JSON.
        """
        signed = self._serializer.dumps(value)
        return signed if isinstance(signed, str) else signed.decode()

    def unsign(self, signed: str | bytes, maxAge: float | None = None) -> Any:
        """What was signed, at most *maxAge* seconds ago.

        One value is accepted in the one spelling that `sign` gave it, so that a list of those that
        were used can hold the text. Raises BadSignature, and of it SignatureExpired.
        """
        text = signed.encode("utf-8", "surrogatepass") if isinstance(signed, str) else signed
        try:
            # It counts whole seconds, and only whole ones; a fraction more is not too old.
            return self._serializer.loads(text, max_age=None if maxAge is None else int(maxAge))
        except itsdangerous.SignatureExpired as error:
            raise SignatureExpired("this was signed too long ago") from error
        except itsdangerous.BadData as error:
            raise BadSignature("this was not signed by us, or was changed since") from error


class _Signer(itsdangerous.TimestampSigner):
    """Tells the time by a clock of ours, and compares signatures as they are written."""

    def __init__(self, *args: Any, seconds: Callable[[], float], **options: Any) -> None:
        super().__init__(*args, **options)
        self._seconds = seconds

    def get_timestamp(self) -> int:
        return int(self._seconds())

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        # Theirs decodes it first, and the last letter of base64 may hold bits of no meaning: four
        # spellings of each signature. All keys are tried, in constant time each.
        text = value.encode() if isinstance(value, str) else value
        given = sig.encode() if isinstance(sig, str) else sig
        made = (
            base64_encode(self.algorithm.get_signature(self.derive_key(key), text))
            for key in reversed(self.secret_keys)
        )
        return any(compare_digest(one, given) for one in made)


def _key(key: Key) -> bytes:
    data = key.encode() if isinstance(key, str) else key
    if not isinstance(data, bytes):
        raise TypeError(f"keys must be str or bytes, not {type(key).__name__}")
    if len(data) < LEAST_KEY:  # the message does not show it
        raise ValueError(
            f"keys must have {LEAST_KEY} bytes at least, not {len(data)};"
            " secrets.token_urlsafe(32) makes one"
        )
    return data

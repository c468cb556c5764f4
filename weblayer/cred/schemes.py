"""The ways in which a stored password is written, and how each is checked.

A stored password begins with the name of its way. One that is written in no way we know is never
taken for plain text: its hash would then be the password.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

from weblayer.cred.crypts import SHA_ROUNDS, md5_crypt, sha_crypt
from weblayer.cred.error import MissingLibrary, UnknownScheme

__all__ = [
    "DECOYS",
    "PLAIN",
    "Stored",
    "argon2_hash",
    "bcrypt_hash",
    "looks_hashed",
    "read_stored",
    "scrypt_hash",
]

# Before a password in plain text, which nginx writes so too.
PLAIN = "{PLAIN}"

# 2**14, 8 and 5 cost 16 MiB and, where this was written, a quarter of a second: of the rows that
# OWASP's Password Storage Cheat Sheet holds for equal, one of the two that need least memory, for a
# server that should run in 35 MiB.
LOG2_N, R, P = 14, 8, 5
SCRYPT = f"$scrypt$ln={LOG2_N},r={R},p={P}"

# KiB, passes and lanes: that page's row for argon2id again.
MEMORY, TIME, LANES = 19 * 1024, 2, 1
ARGON2 = f"$argon2id$v=19$m={MEMORY},t={TIME},p={LANES}"

SALT_SIZE, KEY_SIZE = 16, 32  # bytes, as OWASP and RFC 9106, 4 have them

# The cost of bcrypt that takes as long; under the other one OWASP finds it too cheap. htpasswd
# writes 5 unless told otherwise.
BCRYPT_COST, CHEAP_BCRYPT = 12, 10

# What bcrypt hashes; its library refuses more, and htpasswd silently takes no more.
BCRYPT_SIZE = 72

# What costs as much to check as those that are made here, and is of no password.
DECOYS = {
    "scrypt": f"{SCRYPT}${'A' * 22}${'A' * 43}",
    "argon2": f"{ARGON2}${'A' * 22}${'A' * 43}",
    "bcrypt": f"$2y${BCRYPT_COST}${'.' * 53}",
}

# A hash that asks for more is a slip, or wants our memory.
MAX_MEMORY = 256 * 2**20

_Parts = re.Match[str]


class Scheme(NamedTuple):
    """One way: what is written in it has the *form*, and its parts are given to the rest.

    *isQuick* is for one that takes less time than a thread would; *library* gives what it needs
    or raises MissingLibrary; *memory* is bytes.
    """

    form: re.Pattern[str]
    matches: Callable[[_Parts, bytes], bool]
    is_outdated: Callable[[_Parts], bool] = lambda parts: True
    is_quick: bool = False
    library: Callable[[], object] = lambda: None
    memory: Callable[[_Parts], int] = lambda parts: 0


class Stored(NamedTuple):
    """A stored password that has been read."""

    scheme: Scheme
    parts: _Parts

    def matches(self, password: bytes) -> bool:
        """Whether it was made of *password*, in constant time. It may take a second."""
        try:
            return self.scheme.matches(self.parts, password)
        except ValueError as error:  # of a library or of OpenSSL: numbers that it does not take
            raise UnknownScheme(f"a stored password cannot be checked: {error}") from error

    @property
    def is_outdated(self) -> bool:
        """Whether it should be written anew, once the password is known."""
        return self.scheme.is_outdated(self.parts)


def read_stored(stored: str) -> Stored:
    """Read a stored password. Raises UnknownScheme, and MissingLibrary for what it needs."""
    for scheme in _SCHEMES:
        if parts := scheme.form.fullmatch(stored):
            scheme.library()
            if scheme.memory(parts) > MAX_MEMORY:
                raise UnknownScheme(f"a stored password needs more than {MAX_MEMORY >> 20} MiB")
            return Stored(scheme, parts)
    raise UnknownScheme(
        "the password is stored in no way that can be read here; make it anew (`htpasswd -B`)."
        " What can be: scrypt, argon2, bcrypt, crypt's SHA-256, SHA-512 and MD5, Apache's MD5 and"
        " SHA-1"
    )


def looks_hashed(stored: str) -> bool:
    """Whether *stored* begins as hashes do, known ones or not: `$name$`, `{NAME}`."""
    return re.match(r"\$[\w-]+[$,]|\{[A-Z0-9.-]+\}", stored) is not None


def scrypt_hash(password: bytes) -> str:
    """What to store for *password*. It takes its time, on purpose."""
    salt = secrets.token_bytes(SALT_SIZE)
    key = _scrypt(password, salt, LOG2_N, R, P, KEY_SIZE)
    return f"{SCRYPT}${_unpadded(salt)}${_unpadded(key)}"


def argon2_hash(password: bytes) -> str:
    """As scrypt_hash, with argon2id. Raises MissingLibrary."""
    written: str = _argon2_hasher().hash(password)
    return written


def bcrypt_hash(password: bytes) -> str:
    """As scrypt_hash, with bcrypt. Raises MissingLibrary, ValueError for more than 72 bytes."""
    if len(password) > BCRYPT_SIZE:
        raise ValueError(f"password must have at most {BCRYPT_SIZE} bytes for bcrypt")
    library = _bcrypt()
    written: str = library.hashpw(password, library.gensalt(BCRYPT_COST)).decode()
    return written.replace("$2b$", "$2y$")  # the same by the name that Apache knows


# Any: the libraries' own modules and objects, which may not be there to be checked.


def _argon2() -> Any:
    try:
        import argon2  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise _missing("argon2") from error
    return argon2


def _bcrypt() -> Any:
    try:
        import bcrypt  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise _missing("bcrypt") from error
    return bcrypt


def _argon2_hasher() -> Any:
    return _argon2().PasswordHasher(TIME, MEMORY, LANES, KEY_SIZE, SALT_SIZE)


def _missing(name: str) -> MissingLibrary:
    return MissingLibrary(f"passwords hashed with {name} need: pip install weblayer[{name}]")


def _matches_scrypt(parts: _Parts, password: bytes) -> bool:
    salt, key = (b64decode(parts[i] + "==") for i in (4, 5))
    made = _scrypt(password, salt, int(parts[1]), int(parts[2]), int(parts[3]), len(key))
    return hmac.compare_digest(made, key)


def _is_weak_scrypt(parts: _Parts) -> bool:
    n, r, p = (int(parts[i]) for i in (1, 2, 3))
    return (r * p) << n < (R * P) << LOG2_N


def _scrypt(password: bytes, salt: bytes, log2_n: int, r: int, p: int, size: int) -> bytes:
    # OpenSSL counts what both of its buffers need, and refuses by default above 32 MiB.
    room = 128 * r * (2**log2_n + p + 2)
    return hashlib.scrypt(
        password, salt=salt, n=2**log2_n, r=r, p=p, dklen=size, maxmem=room + 2**20
    )


def _matches_argon2(parts: _Parts, password: bytes) -> bool:
    argon2 = _argon2()
    try:
        return bool(_argon2_hasher().verify(parts[0], password))
    except argon2.exceptions.VerificationError:
        return False


def _is_weak_argon2(parts: _Parts) -> bool:
    return bool(_argon2_hasher().check_needs_rehash(parts[0]))


def _matches_bcrypt(parts: _Parts, password: bytes) -> bool:
    return bool(_bcrypt().checkpw(password[:BCRYPT_SIZE], parts[0].encode()))


def _matches_sha_crypt(parts: _Parts, password: bytes) -> bool:
    name, rounds = {"5": "sha256", "6": "sha512"}[parts[1]], int(parts[2] or SHA_ROUNDS)
    return _is_same(sha_crypt(password, parts[3].encode(), name, rounds), parts[4])


def _matches_md5_crypt(parts: _Parts, password: bytes) -> bool:
    return _is_same(md5_crypt(password, parts[2].encode(), parts[1].encode()), parts[3])


def _matches_sha1(parts: _Parts, password: bytes) -> bool:
    told = b64decode(parts[1])  # the digest, and the salt behind it
    made = hashlib.sha1(password + told[20:], usedforsecurity=False).digest()
    return hmac.compare_digest(made, told[:20])


def _matches_plain(parts: _Parts, password: bytes) -> bool:
    # Hashed first, so that the time does not tell how long it is.
    plain = parts[1].encode("utf-8", "surrogateescape")
    one, other = (hashlib.sha256(each).digest() for each in (plain, password))
    return hmac.compare_digest(one, other)


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _unpadded(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")


def _form(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.DOTALL)


# The characters of base64, of crypt's, and of its salts.
_B64, _C64, _SALT = "[A-Za-z0-9+/]", "[./A-Za-z0-9]", "[!-#%-9;-~]"

# The least size of a key is in its form, since an empty one would be that of every password.
_SCHEMES = (
    Scheme(
        _form(rf"\$scrypt\$ln=(\d\d?),r=(\d{{1,4}}),p=(\d{{1,3}})\$({_B64}*)\$({_B64}{{22,}})"),
        _matches_scrypt,
        _is_weak_scrypt,
        memory=lambda parts: 128 * int(parts[2]) << int(parts[1]),
    ),
    Scheme(
        _form(rf"\$argon2(?:id?|d)\$(?:v=\d+\$)?m=(\d+),t=\d+,p=\d+\${_B64}{{8,}}\${_B64}{{22,}}"),
        _matches_argon2,
        _is_weak_argon2,
        library=_argon2,
        memory=lambda parts: int(parts[1]) * 1024,
    ),
    Scheme(
        _form(rf"\$2[aby]\$(\d\d)\${_C64}{{53}}"),
        _matches_bcrypt,
        lambda parts: int(parts[1]) < CHEAP_BCRYPT,
        library=_bcrypt,
    ),
    Scheme(
        _form(
            rf"\$([56])\$(?:rounds=(\d{{1,9}})\$)?({_SALT}{{0,16}})\$({_C64}{{43}}|{_C64}{{86}})"
        ),
        _matches_sha_crypt,
    ),
    Scheme(_form(rf"(\$(?:apr)?1\$)({_SALT}{{0,8}})\$({_C64}{{22}})"), _matches_md5_crypt),
    Scheme(_form(rf"\{{SHA\}}({_B64}{{27}}=)"), _matches_sha1, is_quick=True),
    Scheme(_form(rf"\{{SSHA\}}({_B64}{{28,}}={{0,2}})"), _matches_sha1, is_quick=True),
    Scheme(_form(r"\{PLAIN\}(.+)"), _matches_plain, is_quick=True),
)

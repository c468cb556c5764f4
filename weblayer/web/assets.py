"""Files whose addresses tell what they hold, so that browsers keep them for good.

    assets = Assets("static", prefix="/static/")
    root.putChild("static", assets)
    pages = Templates("pages", asset=assets.url, integrity=assets.integrity)

    <link rel="stylesheet" href="{{ asset('app.css') }}" integrity="{{ integrity('app.css') }}">

gives `/static/app-3f9a6c0d21b4.css`, another address as soon as the file is another.
"""

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from io import BytesIO
from stat import S_ISREG
from typing import Final

from weblayer.web.compression import is_listed
from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.mime import getTypeAndEncoding
from weblayer.web.paths import Root
from weblayer.web.policy import DEFAULT_POLICY
from weblayer.web.request import NOT_DONE_YET, NotDoneYet, Request
from weblayer.web.resource import Child, Resource
from weblayer.web.static import File
from weblayer.wire.coders import coders, squeeze
from weblayer.wire.coding import IDENTITY, choose_coding
from weblayer.wire.percent import percent_encode

__all__ = ["Assets"]

# 48 bits of SHA-384: two versions of one file have the same once in 280 million million times.
DIGITS = 12

# 1 MiB: up to here what can be compressed is, once and well, and kept in memory in all its forms:
# half a second of the start for the largest, and about twice its size. Others come from disk.
MOST_KEPT = 1024 * 1024

# A year is what caches take for ever (RFC 9111, 1.2.2 says how large a number may be).
_FOR_EVER: Final = b"public, max-age=31536000, immutable"

# deflate is what gzip is, without its check.
_CODINGS: Final = (b"br", b"zstd", b"gzip")


class Assets(Resource):
    """The files below *folder*, each at an address with a hash of what it holds.

    All are read when this is made, and those that compress well compressed: that takes a second
    for a few MB. A file that is changed, or added, is read when `url` is asked for it next.
    *prefix* is what stands before the names in links, where this is put: "/static/". Without one,
    a page that may be anywhere writes its own: `{{ root }}static/{{ asset('app.css') }}`.

    What is asked for by its plain name, as a style sheet asks for its pictures, is found too, and
    asked about again each time. What has a hash that is no longer right is not there.
    """

    def __init__(self, folder: str | os.PathLike[str], *, prefix: str = "") -> None:
        if prefix and not prefix.endswith("/"):
            raise ValueError(f"prefix must end with a slash, not {prefix!r}")
        self.prefix = prefix
        self.files = File(folder)
        self._root = Root(self.files.path)
        self._known: dict[str, _Asset] = {}  # by their names
        self._hashed: dict[str, _Asset] = {}  # by their addresses, not encoded
        for name in _names(self._root, self.files.path):
            self._read(name, packs=True)

    def url(self, name: str) -> str:
        """The address of the file *name*, "app.css" or "icons/home.svg".

        Raises LookupError where it is not there: better here than in a browser.
        """
        return self.prefix + self._asset(name).href

    def integrity(self, name: str) -> str:
        """What the `integrity` attribute of a link or a script says: the hash of the whole file.

        Raises LookupError. Source: W3C Subresource Integrity, 3.2.
        """
        return self._asset(name).integrity

    def getChild(self, name: str, request: Request) -> Child:
        """The file that has this address, or this plain name."""
        asset = self._hashed.get("/".join([name, *request.postpath]))
        if asset is None:
            request.setHeader(b"Cache-Control", b"no-cache")
            return self.files.getChildWithDefault(name, request)
        request.prepath += request.postpath
        request.postpath.clear()
        if asset.kept is not None:
            return asset.kept
        if not self._is_still(asset):
            raise NotFound  # what is kept for good must be what the address tells
        request.setHeader(b"Cache-Control", _FOR_EVER)
        return self.files.createSimilarFile(f"{self.files.path}/{asset.name}")

    def _asset(self, name: str) -> "_Asset":
        """The asset *name* as it is on disk now. Raises LookupError."""
        known = self._known.get(name)
        try:
            if known is not None and known.state == _state(os.stat(self._path(name))):
                return known
            return self._read(name, packs=False)  # a page is waiting for it
        except (OSError, ValueError, Forbidden, NotFound):
            raise LookupError(f"there is no file {name!r} in {self.files.path}") from None

    def _is_still(self, asset: "_Asset") -> bool:
        try:
            return self._asset(asset.name) is asset
        except LookupError:
            return False

    def _read(self, name: str, *, packs: bool) -> "_Asset":
        """Read a file; *packs* compresses it. Raises OSError, ValueError, Forbidden, NotFound."""
        path = self._path(name)
        with open(path, "rb") as file:
            state = _state(os.fstat(file.fileno()))
            kind, encoding = getTypeAndEncoding(
                path, self.files.contentTypes, self.files.contentEncodings, self.files.defaultType
            )
            keeps = packs and encoding is None and _is_packed(kind, state[1])
            body = file.read() if keeps else None
            digest = file_digest(BytesIO(body) if body is not None else file, "sha384").digest()
        kept = None if body is None else _Kept(kind, digest, _packed(body))
        asset = _Asset(name, state, digest, kept)
        if old := self._known.get(name):
            self._hashed.pop(old.path, None)
        self._known[name] = self._hashed[asset.path] = asset
        return asset

    def _path(self, name: str) -> str:
        """Where the file *name* lies. Raises NotFound, Forbidden."""
        path = self.files.path
        for segment in name.split("/"):
            if not self._root.serves(segment):
                raise NotFound
            path = f"{path}/{segment}"
            facts = self._root.find(path)
        if not S_ISREG(facts.st_mode):
            raise NotFound
        return path


class _Kept(Resource):
    """Answers from memory: *bodies* are what is sent, by coding, the smallest first."""

    isLeaf = True

    def __init__(self, kind: str, digest: bytes, bodies: Mapping[bytes, bytes]) -> None:
        self._offers = tuple(coding for coding in bodies if coding != IDENTITY)
        self._answers = {
            coding: (_fields(kind, digest, coding), body) for coding, body in bodies.items()
        }

    def render_GET(self, request: Request) -> bytes | NotDoneYet:
        accept = request.getHeader(b"accept-encoding")
        fields, body = self._answers[choose_coding(self._offers, accept) or IDENTITY]
        if request._answer(fields, body):
            return NOT_DONE_YET
        for pair in fields:
            request.setHeader(*pair)
        return body


@dataclass(frozen=True, slots=True)
class _Asset:
    """A file as it was read: *state* tells whether it is another by now.

    *kept* is what answers for it, None where the file does.
    """

    name: str
    state: tuple[int, int]
    digest: bytes
    kept: _Kept | None

    @property
    def path(self) -> str:
        """Its address: the hash stands before the extensions, "app-3f9a6c0d21b4.min.js"."""
        folder, slash, name = self.name.rpartition("/")
        stem, dot, extensions = name.partition(".")
        return f"{folder}{slash}{stem}-{self.digest.hex()[:DIGITS]}{dot}{extensions}"

    @property
    def href(self) -> str:
        """The same as a link."""
        segments = self.path.encode("utf-8", "surrogateescape").split(b"/")
        return b"/".join(map(percent_encode, segments)).decode("ascii")

    @property
    def integrity(self) -> str:
        return "sha384-" + b64encode(self.digest).decode("ascii")


def _names(root: Root, folder: str, above: str = "") -> Iterator[str]:
    """The files below *folder* that are served, in the order of their names."""
    for name in sorted(filter(root.serves, os.listdir(folder))):
        path = f"{folder}/{name}"
        try:
            mode = root.find(path).st_mode
        except (NotFound, Forbidden):
            continue
        if S_ISREG(mode):
            yield above + name
        elif not os.path.islink(path):  # which might lead round in a circle
            yield from _names(root, path, f"{above}{name}/")


def _state(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_mtime_ns, facts.st_size


def _is_packed(kind: str, size: int) -> bool:
    least, types = DEFAULT_POLICY.compressFrom or 0, DEFAULT_POLICY.compressTypes or ()
    return least <= size <= MOST_KEPT and is_listed(kind.encode("latin-1"), types)


def _packed(body: bytes) -> dict[bytes, bytes]:
    """What *body* is sent as, the smallest first: as it is, and in each coding that is smaller."""
    bodies: dict[bytes, bytes] = {IDENTITY: body}
    for coding in _CODINGS:
        if coding in coders():
            bodies[coding] = squeeze(coding, body)
    sizes = sorted(bodies.items(), key=lambda pair: len(pair[1]))
    return {coding: data for coding, data in sizes if coding == IDENTITY or len(data) < len(body)}


def _fields(kind: str, digest: bytes, coding: bytes) -> list[tuple[bytes, bytes]]:
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    fields = [
        (b"Content-Type", (kind + charset).encode("latin-1")),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Cache-Control", _FOR_EVER),
        (b"ETag", b'"%b-%b"' % (digest.hex().encode("ascii")[:32], coding)),
        (b"Accept-Ranges", b"bytes"),
        (b"Vary", b"Accept-Encoding"),
    ]
    return fields if coding == IDENTITY else [*fields, (b"Content-Encoding", coding)]

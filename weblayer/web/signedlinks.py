"""Links that let in whoever has them: for a while, for a method, for a number of times.

    links = SignedLinks(File("private"), keys)
    site.putChild("files", links)
    links.url("/files/report.pdf", expires=24 * 3600)    # /files/report.pdf?signature=...

What a link is good for is signed, and stands in it; nothing is kept here, save how often one was
used that is good for a number of times.
"""

import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from math import ceil
from os import urandom
from typing import Any

from weblayer.web.errors import Forbidden, Gone, UnsupportedMethod
from weblayer.web.linkuses import LinkUses
from weblayer.web.request import Request
from weblayer.web.resource import Child
from weblayer.web.signing import BadSignature, Key, Signer
from weblayer.web.wrapper import Wrapper
from weblayer.wire.target import path_segments

__all__ = ["SignedLinks"]

# It comes last, so that what was signed is all that stands before it.
_SIGNED = re.compile(r"(?:(.*)&)?signature=([^&]*)", re.DOTALL)

# What we sign: a path in ASCII, and perhaps a query.
_TARGET = re.compile(r"/[!-~]*")


class SignedLinks(Wrapper):
    """Lets in to *resource* whoever comes by a link that `url` has made.

    *keys* is one key, or several of which the first signs: see `Signer`. *seconds* tells the time,
    in seconds since 1970. *uses* counts those that are good for a number of times.

    A link that is too old, or was used up, is answered 410: the signature says that it was good, so
    whoever has it may know that another is to be asked for. What was not signed by us, or changed,
    is answered 403, and a method it is not good for 405. The answer is for no shared cache, which
    would not know when the link ends, unless the page says so itself.
    Raises ValueError for a key of less than 16 bytes, and for none.
    """

    def __init__(
        self,
        resource: Child,
        keys: Key | Sequence[Key],
        *,
        seconds: Callable[[], float] = time.time,
        uses: LinkUses | None = None,
    ) -> None:
        super().__init__(resource)
        self._signer = Signer(keys, "a link of weblayer.web.signedlinks", seconds=seconds)
        self._seconds = seconds
        self._uses = LinkUses() if uses is None else uses

    def url(
        self,
        target: str | Request,
        *,
        expires: float,
        methods: Collection[str] = ("GET",),
        uses: int | None = None,
        below: bool = False,
    ) -> str:
        """A link to *target*, good for *expires* seconds.

        *target* is the path from the root of the site, percent-encoded, with its query if it has
        one, and the link is such a path too; or a request, and the link is the absolute URL of what
        that asked for. With *below* it is good for all below the path, with any query that ends in
        the signature, which the links of a page there do not have by themselves; else for just this
        path and query. GET is HEAD as well. *uses* is how often it is good: each request but a HEAD
        is one, a download that is taken up again too.
        Raises ValueError for what is no such path, and for numbers that make no link.
        """
        to = _target_of(target) if isinstance(target, Request) else target
        says = _checked(to, expires, methods, uses)
        says["until"] = ceil(self._seconds() + expires)
        if below:
            says["below"] = True
        link = f"{to}{'&' if '?' in to else '?'}signature={self._signer.sign(says)}"
        return target.rootURL() + link[1:] if isinstance(target, Request) else link

    def enter(self, request: Request) -> Child:
        """Raises Forbidden, Gone, UnsupportedMethod, ServiceUnavailable."""
        query, says = self._read(request)
        if not _leads_to(says, query, [*request.prepath, *request.postpath]):
            raise Forbidden("This link is for another page.")
        if self._seconds() > says["until"]:
            raise Gone("This link is too old. Ask for another.")
        methods = says.get("methods", ["GET"])
        methods = [*methods, "HEAD"] if "GET" in methods else methods
        if request.method not in methods:
            raise UnsupportedMethod(methods)
        request.beforeAnswer(_keep_private)
        if "uses" not in says or request.method == "HEAD":
            return self.resource
        return self._use(says)

    def _read(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The query without the signature, and what was signed."""
        found = _SIGNED.fullmatch(request.query)
        if found is None:
            raise Forbidden("This page needs a link that was made for you.")
        try:
            return found[1] or "", self._signer.unsign(found[2])
        except BadSignature:
            raise Forbidden("This link is not one of ours, or not all of it.") from None

    def _use(self, says: dict[str, Any]) -> Child:
        used = self._uses.use(says["id"], says["until"], self._seconds())
        if isinstance(used, int):
            return self._unless_used_up(says["uses"], used)
        return _later(used, partial(self._unless_used_up, says["uses"]))

    def _unless_used_up(self, most: int, used: int) -> Child:
        if used > most:
            raise Gone("This link has been used. Ask for another.")
        return self.resource


async def _later(used: Awaitable[int], then: Callable[[int], Any]) -> Any:  # a node
    return then(await used)


def _checked(
    target: str, expires: float, methods: Collection[str], uses: int | None
) -> dict[str, Any]:
    """What a link says of itself, in few words: it is long enough. Raises ValueError."""
    if not _TARGET.fullmatch(target) or "#" in target:
        raise ValueError(f"target must be a percent-encoded path from the root, not {target!r}")
    if not 0 < expires < float("inf"):
        raise ValueError(f"expires must be seconds from now, not {expires!r}")
    if isinstance(methods, str) or not methods:
        raise ValueError(f"methods must be a list of at least one, not {methods!r}")
    if uses is not None and uses < 1:
        raise ValueError(f"uses must be at least one, not {uses!r}")
    says: dict[str, Any] = {"to": target}
    if tuple(methods) != ("GET",):
        says["methods"] = list(methods)
    if uses is not None:
        says |= {"uses": uses, "id": urandom(8).hex()}
    return says


def _target_of(request: Request) -> str:
    """What a request asked for, without the signature that let it in."""
    found = _SIGNED.fullmatch(request.query)
    query = (found[1] or "") if found else request.query
    return f"{request.path}?{query}" if query else request.path


def _leads_to(says: dict[str, Any], query: str, segments: list[str]) -> bool:
    """Whether what was signed is for this path and query."""
    path, _, signed_query = says["to"].partition("?")
    signed = path_segments(path.encode())
    if not says.get("below"):
        return segments == signed and query == signed_query
    signed = signed[:-1] if signed[-1] == "" else signed  # /a/ and /a have the same below them
    below = segments[len(signed) :]
    return segments[: len(signed)] == signed and not any(map(_climbs, below))


def _climbs(segment: str) -> bool:
    """Whether somebody behind us, a server or a disk, might take it for the way up."""
    return not {".", ".."}.isdisjoint(re.split(r"[/\\]", segment))


def _keep_private(request: Request) -> None:
    if not request.hasResponseHeader(b"cache-control"):
        request.setHeader(b"Cache-Control", b"private")

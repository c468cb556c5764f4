"""A folder as a site: pages without their extension, a page of its own for 404, rule files.

    site = StaticSite("public")  # what a generator has written
    site = StaticSite("dist", spa="index.html")  # an app that finds its pages itself
    site.putChild("api", Api())  # what is put comes first

Every address is walked to first, and what the walk comes to decides: a file, or nothing.
"""

import os
from collections.abc import Iterable

from weblayer.web.errorpage import answer_error
from weblayer.web.headersfile import parse_headers
from weblayer.web.navigation import is_navigation
from weblayer.web.pagetext import error_form
from weblayer.web.pathpattern import spelled
from weblayer.web.policy import Policy
from weblayer.web.redirectsfile import Redirection, parse_redirects
from weblayer.web.request import Request
from weblayer.web.resource import Child, Outcome, Resource
from weblayer.web.rulesfile import RulesFile
from weblayer.web.static import File
from weblayer.web.util import Redirect
from weblayer.web.walk import walk
from weblayer.wire.target import path_segments

__all__ = ["StaticSite"]

# They are for us to read, and tell strangers what is where.
_RULES = frozenset({"_redirects", "_headers"})

# 1 MiB: a page for an error is read whole, in the middle of everything else.
MAX_PAGE = 1024 * 1024


class StaticSite(Resource):
    """The folder *files*, a path or a File with settings of its own, as static hosts serve one.

    An address may leave ".html" out, unless *cleanURLs* is False: "/about" finds "about.html".
    The file *notFoundPage* of the folder, if it is there, is the page of every 404 below.
    The files `_redirects` and `_headers` of the folder are heeded, and read again when they change,
    within a second; what they may say stands in `weblayer.web.redirectsfile` and `headersfile`.
    *spa* is the file, usually "index.html", that answers for pages which are no files: for
    navigations alone, so that a missing script or picture is still a 404, and for nothing under
    *assets*, first segments of paths.
    *headers* are pairs of name and value for all answers.
    """

    def __init__(
        self,
        files: File | str | os.PathLike[str],
        *,
        spa: str | None = None,
        assets: Iterable[str] = ("assets", "static"),
        notFoundPage: str = "404.html",
        cleanURLs: bool = True,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.files = files if isinstance(files, File) else File(files)
        if isinstance(assets, str):
            raise TypeError(f"assets must be a list of segments, not {assets!r}")
        if not isinstance(spa, str | None):
            raise TypeError(f"spa must be the name of a file, as index.html, not {spa!r}")
        self.spa, self.assets = spa, frozenset(assets)
        self.notFoundPage = notFoundPage
        self.headers = _pairs(headers)
        self.policy = Policy(errorPage=self._error_page)
        if cleanURLs:
            self.files.ignoreExt(".html")
        self._redirects = RulesFile(f"{self.files.path}/_redirects", parse_redirects)
        self._fields = RulesFile(f"{self.files.path}/_headers", parse_headers)

    def getChild(self, name: str, request: Request) -> Child:
        """What the rules say, else the file; else what the rules say of what is not there."""
        segments, now = [name, *request.postpath], request.site.now
        rules, redirects = self._fields.at(now), self._redirects.at(now)
        path = spelled(segments) if rules or redirects else ""
        if rules or self.headers:
            self._dress(request, self.headers + rules.find(path))
        if redirects.forces:
            found = redirects.find(path, request.args, request.query, forced=True)
            if found is not None:
                return self._redirected(found, segments, request)
        nowhere = self.files.childNotFound
        node = nowhere if name in _RULES else self._walk(name, request)
        if node is not nowhere:
            return node
        found = redirects.find(path, request.args, request.query, forced=False)
        if found is not None:
            return self._redirected(found, segments, request)
        if self.spa is not None and self._is_navigation(segments, request):
            request._vary(b"Accept")
            request._vary(b"Sec-Fetch-Mode")
            return self._at(f"/{self.spa}", len(segments), request)
        return node

    def render(self, request: Request) -> Outcome:
        """The way to the slash, where this was put under a name."""
        return self.files.render(request)

    def _dress(self, request: Request, fields: list[tuple[str, str]]) -> None:
        """Set *fields* when everything else is set: a type of theirs is in place of the file's."""
        request.beforeAnswer(lambda request: [request.setHeader(*pair) for pair in fields])

    def _walk(self, name: str, request: Request) -> Child:
        """Where the walk comes to; a child of somebody's that comes later is walked on."""
        put = self._children.get(name)  # which a rule may lead to
        node = self.files.getChildWithDefault(name, request) if put is None else put
        return walk(node, request)[0]

    def _redirected(self, found: Redirection, segments: list[str], request: Request) -> Child:
        if found.status == 200:
            return self._at(found.target, len(segments), request)
        if found.status in (404, 410):
            return _Notice(found.status, self._text(found.target, request))
        if not found.target.startswith("/"):
            return Redirect(found.target, found.status)
        # Relative, as all our links: it holds wherever this was put, and behind every proxy.
        up = "../" * (len(segments) - 1) or "./"
        return Redirect(up + found.target.removeprefix("/"), found.status)

    def _at(self, target: str, below: int, request: Request) -> Child:
        """What *target* is, a path from the root of the site, *below* segments above the end.

        A file is found at the address that was asked for; what is put, at that of *target*.
        """
        asked = [*request.prepath, *request.postpath]
        name, *rest = path_segments(target.partition("?")[0].encode())
        request.prepath[:], request.postpath[:] = [*asked[: len(asked) - below], name], rest
        node = self._walk(name, request)
        if isinstance(node, File):
            if os.path.isdir(node.path):
                node = node.getChild("", request)  # a redirect to its slash would lead elsewhere
            request.prepath[:], request.postpath[:] = asked, []
        return node

    def _is_navigation(self, segments: list[str], request: Request) -> bool:
        accept, mode = request.getHeader(b"accept"), request.getHeader(b"sec-fetch-mode")
        return is_navigation(request.method, accept, mode, segments, self.assets)

    def _error_page(self, request: Request, code: int, detail: str) -> str | None:
        """The page of the site, save for programs that would rather have problem details."""
        if code != 404 or error_form(request.getHeader(b"accept")) == "json":
            return None
        return self._text(f"/{self.notFoundPage}", request)

    def _text(self, target: str, request: Request) -> str | None:
        """What the file *target* holds, None where there is none."""
        asked = request.prepath[:], request.postpath[:]
        node = self._at(target, 0, request)
        request.prepath[:], request.postpath[:] = asked
        if not isinstance(node, File):
            return None
        try:
            with node.openForReading() as file:
                return file.read(MAX_PAGE).decode(errors="replace")
        except OSError:
            return None


class _Notice(Resource):
    """Answers everything with *code* and a page, the usual one where *text* is None."""

    isLeaf = True

    def __init__(self, code: int, text: str | None) -> None:
        self._code, self._text = code, text

    def render(self, request: Request) -> str | bytes:
        if self._text is None:
            return answer_error(request, self._code)
        request.setResponseCode(self._code)
        return self._text


def _pairs(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = list(headers)
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"headers must be pairs of (name, value), not {headers!r}")
    return pairs

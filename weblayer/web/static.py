"""Files as resources: a file, or a folder with everything below it, and constant bytes."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Self, TypeAlias

from weblayer.web.cacherules import FINGERPRINTED, CacheRule, Pattern, cache_rule
from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.fileanswer import ready_for, render_file
from weblayer.web.filebody import open_at_once
from weblayer.web.filehead import answer_ready
from weblayer.web.listing import DirectoryLister
from weblayer.web.mime import CONTENT_ENCODINGS, loadMimeTypes
from weblayer.web.pages import forbidden as forbiddenPage
from weblayer.web.pages import notFound
from weblayer.web.paths import Root, absolute, is_served, refusal
from weblayer.web.registry import Registry
from weblayer.web.request import Request
from weblayer.web.resource import IResource, Outcome, Resource
from weblayer.web.shelf import Found, Shelf
from weblayer.web.util import redirectTo
from weblayer.wire.percent import percent_encode

__all__ = ["FINGERPRINTED", "Data", "File", "Processor", "Registry"]

# Makes the resource that a file of some extension stands for, of its path and the registry.
Processor: TypeAlias = Callable[[str, Registry], IResource]


class File(Resource):
    """A file, or a folder with everything below it.

    *path* may be anything that names a file. *defaultType* is the type of files whose name tells
    none. *ignoredExts* are extensions that an address may leave out: with [".html"], "/about" also
    finds "about.html", with ["*"] any file of that name. *registry* is what processors are given;
    without one, it has one of its own. *listing* shows folders without an index; *followSymlinks*
    lets symlinks lead out of *path*, which nothing else does; *hidden* serves what begins with a
    dot.

    Files are found when they are asked for; a change on disk is seen within a second. What is
    hidden (a name that begins with a dot, save `.well-known`) and what is neither a file nor a
    folder is not there. Children that are put come before files of their name.

    A file that has others beside it with an extension of `contentEncodings`, "app.js.br" beside
    "app.js", is sent as one of these to who accepts it, unless they are older. Others of no more
    than 256 KiB are compressed for who accepts it, once, where the policy's `compressTypes` names
    their type: what a file says is no secret, so that there is nothing to guess from its length.

    To be changed on an instance, before it is served, or in a subclass; what is found below is
    made by `createSimilarFile` and has the same:
    `contentTypes`, `contentEncodings`: extensions, with their dot and in lower case, to types and
    codings; each File begins with tables of its own.
    `compress`: whether files are compressed for who accepts it; the policy's word stands above it.
    `indexNames`: the files that answer for a folder, the first that is there.
    `processors`: extensions, as above, to what makes a resource of such a file, an index too:
    called with its path and the registry at each request, it may give a leaf that finds the
    rest of the address in `request.postpath`. It is never asked about what is not there.
    `childNotFound`, `forbidden`: the resources that answer 404 and 403.
    """

    compress: bool = True
    childNotFound: IResource = notFound()
    forbidden: IResource = forbiddenPage()

    def __init__(
        self,
        path: str | os.PathLike[str],
        defaultType: str = "application/octet-stream",
        ignoredExts: Iterable[str] = (),
        registry: Registry | None = None,
        *,
        listing: bool = False,
        followSymlinks: bool = False,
        hidden: bool = False,
    ) -> None:
        self.path = absolute(path)
        self._root = Root(self.path, followSymlinks, hidden)
        self.defaultType = defaultType
        self.listing = listing
        self.cacheRules: list[CacheRule] = []
        self.contentTypes = loadMimeTypes()
        self.contentEncodings = dict(CONTENT_ENCODINGS)
        self.indexNames = ["index.html", "index.htm"]
        self.processors: dict[str, Processor] = {}
        self.registry = Registry() if registry is None else registry
        self.ignoredExts: list[str] = []
        for extension in ignoredExts:
            self.ignoreExt(extension)

    # object: whatever the attribute is.
    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; what was kept of answers that would be others now is forgotten."""
        self.__dict__[name] = value
        if name in _SHOWN:
            self.__dict__["_shelf"] = Shelf()

    def ignoreExt(self, ext: str) -> None:
        """Let an address leave out *ext*, as in ".html"; "*" is any, in the order of the names.

        The first that finds a file counts.
        """
        if ext != "*" and not (ext.startswith(".") and is_served("x" + ext)):
            raise ValueError(
                f'ext must be an extension with its dot, as in ".html", or "*", not {ext!r}'
            )
        self.ignoredExts.append(ext)

    def setCacheControl(self, pattern: Pattern, **directives: int) -> None:
        """Say how long caches may keep the files that match *pattern*; the first rule counts.

            site.setCacheControl(FINGERPRINTED, maxAge=365 * DAY, immutable=True)
            site.setCacheControl("*.html", noCache=True)
            site.setCacheControl("/media/*", maxAge=DAY)

        A pattern of shells with a slash is held against the path below the root of this tree, one
        without against the name alone, and so is a compiled regular expression. The directives are
        those of `Request.setCacheControl`, which stands where a program has called it. Without a
        rule nothing is said, and caches ask again after a tenth of the file's age.
        Raises TypeError for an unknown directive, ValueError for what contradicts itself.
        """
        self.cacheRules.append(cache_rule(pattern, directives))
        self._shelf = Shelf()

    def createSimilarFile(self, path: str) -> Self:
        """A File for *path*, below this one, with all its settings and none of its children.

        It is a copy, so that a subclass may have whatever constructor it likes.
        """
        similar = object.__new__(type(self))
        similar.__dict__.update(self.__dict__)
        similar.__dict__.pop("_children", None)
        similar.__dict__["path"] = path  # no setting, and asked at each step of each walk
        return similar

    def getChild(self, name: str, request: Request) -> IResource:
        """What lies in this folder as *name*; as "", of a trailing slash, what the folder shows."""
        tick = request.site.commonFields
        try:
            if name == "." and request.postpath:
                return self  # "./" is what package managers write (RFC 3986, 5.2.4)
            if name or request.postpath:
                return self._child(name, tick)
            return self._shown(tick)
        except NotFound:
            return self.childNotFound
        except Forbidden:
            return self.forbidden

    def directoryListing(self) -> IResource:
        """What a folder without an index shows: its listing, or that nothing is there."""
        if not self.listing:
            return self.childNotFound
        return DirectoryLister(
            self.path,
            root=self._root.path,
            followSymlinks=self._root.follows_symlinks,
            hidden=self._root.shows_hidden,
            contentTypes=self.contentTypes,
            contentEncodings=self.contentEncodings,
            defaultType=self.defaultType,
        )

    def openForReading(self) -> IO[bytes]:
        """Open the file. Raises OSError.

        Where it is overridden, to decrypt on the way, say, nothing is kept or compressed, and
        `getFileSize` is asked how much there is to read.
        """
        return open_at_once(self.path)

    def getFileSize(self) -> int:
        """How many bytes `openForReading` gives. Raises OSError."""
        return os.stat(self.path).st_size

    def render_GET(self, request: Request) -> Outcome:
        """The file; for a folder the way to its slash."""
        # The date line is made anew once a second, by each site: no clock is asked.
        tick = request.site.commonFields
        found = self._shelf.known(self.path, tick)
        if found is not None and found.ready and found.policy is request.policy:
            ready = ready_for(found, request)
            if ready is not None:
                return answer_ready(request, ready)
        try:
            found = self._shelf.look(self.path, self._root, tick)
            if found.is_file:
                return render_file(self, found, request)
        except NotFound:
            return self.childNotFound.render(request)
        except Forbidden:
            return self.forbidden.render(request)
        return self._render_folder(request)

    def redirect(self, request: Request) -> bytes:
        """Send the client to this folder's address with a slash, its query kept.

        The address is relative: one that began with the path would be another host's for
        "//host/", and would be wrong behind a proxy that takes a prefix off.
        """
        name = percent_encode(request.prepath[-1].encode("utf-8", "surrogateescape")).decode()
        query = f"?{request.query}" if request.query else ""
        return redirectTo(f"./{name}/{query}", request)

    @property
    def _is_plain(self) -> bool:
        """Whether what is sent is what lies on disk."""
        kind = type(self)
        return kind.openForReading is File.openForReading and kind.getFileSize is File.getFileSize

    def _child(self, name: str, tick: object) -> IResource:
        """What stands for the segment *name*. Raises NotFound, Forbidden."""
        path = f"{self.path}/{name}"
        # What is known was served: what it was asked as need not be looked at again, save that
        # "a%2Fb" is not "a/b".
        found = None if "/" in name else self._shelf.known(path, tick)
        if found is None:
            if not self._root.serves(name):
                raise NotFound
            path, found = self._first(self._candidates(name), tick)
        return self._resource_of(path, found)

    def _resource_of(self, path: str, found: Found) -> IResource:
        """What stands for *path*, which was found. Raises NotFound, Forbidden."""
        if self.processors and found.is_file:
            processor = self.processors.get(os.path.splitext(path)[1].lower())
            if processor is not None:
                self._root.find(path)  # it may have become a link out a moment ago
                return processor(path, self.registry)
        return self.createSimilarFile(path)

    def _first(self, paths: Iterable[str], tick: object) -> tuple[str, Found]:
        """The first of *paths* that is there. Raises NotFound, Forbidden."""
        for path in paths:
            try:
                return path, self._shelf.look(path, self._root, tick)
            except NotFound:
                continue
        raise NotFound

    def _candidates(self, name: str) -> Iterator[str]:
        path = f"{self.path}/{name}"
        yield path
        for extension in self.ignoredExts:
            if extension == "*":
                yield from (f"{self.path}/{other}" for other in _names_with(self.path, name))
            else:
                yield path + extension

    def _shown(self, tick: object) -> IResource:
        """The index of this folder, or its listing. Raises NotFound, Forbidden."""
        for name in self.indexNames:
            path = f"{self.path}/{name}"
            try:
                found = self._shelf.look(path, self._root, tick)
            except NotFound:
                continue
            if found.is_file:
                return self._resource_of(path, found)
        if self._shelf.look(self.path, self._root, tick).is_file:
            raise NotFound
        return self.directoryListing()

    def _render_folder(self, request: Request) -> Outcome:
        """Where this resource itself was put as "", the slash is there already."""
        if not request.path.endswith("/"):
            return self.redirect(request)
        shown = self.getChild("", request)
        return shown.render(request)


# What is set of a File that its answers show.
_SHOWN = frozenset(
    {"cacheRules", "compress", "contentEncodings", "contentTypes", "defaultType", "_root"}
)


class Data(Resource):
    """Constant bytes, *data*, as content of *type*."""

    def __init__(self, data: bytes, type: str) -> None:  # noqa: A002  # the field's name for it
        if not isinstance(data, bytes):
            raise TypeError(f"data must be bytes, not {data!r}; encode text first")
        self.data, self.type = data, type
        self._tagged, self._tag = data, _tag_of(data)

    def render_GET(self, request: Request) -> bytes:
        """The bytes."""
        if self._tagged is not self.data:  # a program has set others
            self._tagged, self._tag = self.data, _tag_of(self.data)
        request.setHeader(b"Content-Type", self.type)
        request.setHeader(b"ETag", self._tag)
        request.setHeader(b"Accept-Ranges", b"bytes")
        return self.data


def _tag_of(data: bytes) -> bytes:
    return b'"%b"' % hashlib.sha256(data).hexdigest()[:32].encode("ascii")


def _names_with(folder: str, stem: str) -> list[str]:
    """The names in *folder* that are *stem* and some extension, sorted."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if os.path.splitext(e.name)[0] == stem)
    except (OSError, ValueError) as error:
        raise refusal(error) from error

"""Files as resources: a file, or a folder with everything below it, and constant bytes."""

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator
from stat import S_ISDIR, S_ISREG
from typing import IO, Self, TypeAlias

from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.filebody import send_file
from weblayer.web.listing import DirectoryLister
from weblayer.web.mime import CONTENT_ENCODINGS, getTypeAndEncoding, loadMimeTypes
from weblayer.web.pages import forbidden as forbiddenPage
from weblayer.web.pages import notFound
from weblayer.web.paths import Root, absolute, is_served, refusal
from weblayer.web.registry import Registry
from weblayer.web.request import Request
from weblayer.web.resource import IResource, Outcome, Resource
from weblayer.web.util import redirectTo
from weblayer.wire.dates import format_date
from weblayer.wire.percent import percent_encode
from weblayer.wire.ranges import Span

__all__ = ["Data", "File", "Processor", "Registry"]

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

    Files are found when they are asked for. What is hidden (a name that begins with a dot, save
    `.well-known`) and what is neither a file nor a folder is not there. Children that are put
    come before files of their name.

    To be changed on an instance, before it is served, or in a subclass; what is found below is
    made by `createSimilarFile` and has the same:
    `contentTypes`, `contentEncodings`: extensions, with their dot and in lower case, to types and
    codings; each File begins with tables of its own.
    `indexNames`: the files that answer for a folder, the first that is there.
    `processors`: extensions, as above, to what makes a resource of such a file, an index too:
    called with its path and the registry at each request, it may give a leaf that finds the
    rest of the address in `request.postpath`. It is never asked about what is not there.
    `childNotFound`, `forbidden`: the resources that answer 404 and 403.
    """

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
        self.defaultType = defaultType
        self.listing = listing
        self.contentTypes = loadMimeTypes()
        self.contentEncodings = dict(CONTENT_ENCODINGS)
        self.indexNames = ["index.html", "index.htm"]
        self.processors: dict[str, Processor] = {}
        self.registry = Registry() if registry is None else registry
        self.ignoredExts: list[str] = []
        for extension in ignoredExts:
            self.ignoreExt(extension)
        self._root = Root(self.path, followSymlinks, hidden)

    def ignoreExt(self, ext: str) -> None:
        """Let an address leave out *ext*, as in ".html"; "*" is any, in the order of the names.

        The first that finds a file counts.
        """
        if ext != "*" and not (ext.startswith(".") and is_served("x" + ext)):
            raise ValueError(
                f'ext must be an extension with its dot, as in ".html", or "*", not {ext!r}'
            )
        self.ignoredExts.append(ext)

    def createSimilarFile(self, path: str) -> Self:
        """A File for *path*, below this one, with all its settings and none of its children.

        It is a copy, so that a subclass may have whatever constructor it likes.
        """
        similar = object.__new__(type(self))
        similar.__dict__.update(self.__dict__)
        similar.__dict__.pop("_children", None)
        similar.path = path
        return similar

    def getChild(self, name: str, request: Request) -> IResource:
        """What lies in this folder as *name*; as "", of a trailing slash, what the folder shows."""
        try:
            if name or request.postpath:
                return self._resource_of(self._path_of(name))
            return self._shown()
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
        """Open the file; it must have a fileno(). Raises OSError."""
        return io.FileIO(self.path, opener=_open_at_once)

    def render_GET(self, request: Request) -> Outcome:
        """The file; for a folder the way to its slash."""
        try:
            file, facts = self._opened()
        except IsADirectoryError:
            return self._render_folder(request)
        except NotFound:
            return self.childNotFound.render(request)
        except Forbidden:
            return self.forbidden.render(request)
        try:
            pieces = self._begin(request, facts)
        except BaseException:
            file.close()
            raise
        return send_file(request, file, pieces)

    def redirect(self, request: Request) -> bytes:
        """Send the client to this folder's address with a slash, its query kept.

        The address is relative: one that began with the path would be another host's for
        "//host/", and would be wrong behind a proxy that takes a prefix off.
        """
        name = percent_encode(request.prepath[-1].encode("utf-8", "surrogateescape")).decode()
        query = f"?{request.query}" if request.query else ""
        return redirectTo(f"./{name}/{query}", request)

    def _resource_of(self, path: str) -> IResource:
        """What stands for *path*, which was found."""
        if self.processors:
            extension = os.path.splitext(path)[1].lower()
            if extension in self.processors and not os.path.isdir(path):
                return self.processors[extension](path, self.registry)
        return self.createSimilarFile(path)

    def _path_of(self, name: str) -> str:
        """The file or folder that the segment *name* stands for. Raises NotFound, Forbidden."""
        if not self._root.serves(name):
            raise NotFound
        for candidate in self._candidates(name):
            try:
                self._root.find(candidate)
            except NotFound:
                continue
            return candidate
        raise NotFound

    def _candidates(self, name: str) -> Iterator[str]:
        path = f"{self.path}/{name}"
        yield path
        for extension in self.ignoredExts:
            if extension == "*":
                yield from (f"{self.path}/{other}" for other in _names_with(self.path, name))
            else:
                yield path + extension

    def _shown(self) -> IResource:
        """The index of this folder, or its listing. Raises NotFound, Forbidden."""
        for name in self.indexNames:
            path = f"{self.path}/{name}"
            try:
                facts = self._root.find(path)
            except NotFound:
                continue
            if S_ISREG(facts.st_mode):
                return self._resource_of(path)
        if not self._is_folder():
            raise NotFound
        return self.directoryListing()

    def _is_folder(self) -> bool:
        """Whether this is a folder. Raises NotFound, Forbidden."""
        return S_ISDIR(self._root.find(self.path).st_mode)

    def _opened(self) -> tuple[IO[bytes], os.stat_result]:
        """The file, open, and what it is. Raises NotFound, Forbidden, IsADirectoryError."""
        try:
            file = self.openForReading()
        except IsADirectoryError:
            raise
        except (OSError, ValueError) as error:
            if isinstance(error, PermissionError) and self._is_folder():
                raise IsADirectoryError from error  # what is below it may be open to us
            raise refusal(error) from error
        try:
            facts = os.fstat(file.fileno())
        except OSError as error:
            file.close()
            raise refusal(error) from error
        if not S_ISREG(facts.st_mode):
            file.close()
            raise NotFound
        return file, facts

    def _begin(self, request: Request, facts: os.stat_result) -> list[bytes | Span]:
        """Prepare the head. Gives what to send: spans of the file, nothing if the client has it.

        Raises Error (412, 416).
        """
        # Not the inode, nor when that was changed: servers that hold the same files, as rsync
        # and archives leave them, are to agree.
        request.setHeader(b"ETag", b'"%x-%x"' % (facts.st_mtime_ns, facts.st_size))
        # Not before 1970 and not in the future (RFC 9110, 8.8.2.1), whatever the disk says.
        modified = format_date(max(0, min(facts.st_mtime, time.time())))
        request.setHeader(b"Last-Modified", modified)
        kind, encoding = getTypeAndEncoding(
            self.path.rpartition("/")[2],
            self.contentTypes,
            self.contentEncodings,
            self.defaultType,
        )
        if kind.startswith("text/") and "charset" not in kind:
            kind += "; charset=utf-8"
        request.setHeader(b"Content-Type", kind)
        # The type is the name's; a browser must not make a page of what looks like one.
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        request.setHeader(b"Accept-Ranges", b"bytes")
        if encoding is not None:
            request.setHeader(b"Content-Encoding", encoding)
        pieces = request._pieces(facts.st_size, kind)
        return [Span(0, facts.st_size)] if pieces is None else pieces

    def _render_folder(self, request: Request) -> Outcome:
        """Where this resource itself was put as "", the slash is there already."""
        if not request.path.endswith("/"):
            return self.redirect(request)
        shown = self.getChild("", request)
        return shown.render(request)


class Data(Resource):
    """Constant bytes, *data*, as content of *type*."""

    def __init__(self, data: bytes, type: str) -> None:  # noqa: A002  # the field's name for it
        if not isinstance(data, bytes):
            raise TypeError(f"data must be bytes, not {data!r}; encode text first")
        self.data, self.type = data, type

    def render_GET(self, request: Request) -> bytes:
        """The bytes."""
        request.setHeader(b"Content-Type", self.type)
        return self.data


def _names_with(folder: str, stem: str) -> list[str]:
    """The names in *folder* that are *stem* and some extension, sorted."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if os.path.splitext(e.name)[0] == stem)
    except (OSError, ValueError) as error:
        raise refusal(error) from error


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting, should it be a FIFO, and without taking a terminal for ours."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)

"""Pages that are Python files, or templates, in a folder of a site.

    site = File("site")
    site.processors[".rpy"] = ResourceScript
    site.processors[".epy"] = PythonScript
    site.processors[".html"] = ResourceTemplate

Whoever may write such a file runs as the server does: keep them where no upload goes. They run
in the loop, so what takes long belongs into an `async def` or a thread.
"""

import os
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple, TypeVar

from weblayer.web.errors import NotFound, WebError
from weblayer.web.paths import Root, absolute, refusal
from weblayer.web.registry import Registry
from weblayer.web.request import NOT_DONE_YET, NotDoneYet, Request
from weblayer.web.resource import Child, IResource, Resource, isNode
from weblayer.web.template import Templates
from weblayer.web.wrapper import Wrapper

__all__ = [
    "PythonScript",
    "ResourceScript",
    "ResourceScriptDirectory",
    "ResourceScriptWrapper",
    "ResourceTemplate",
    "ScriptError",
]

T = TypeVar("T")


class ScriptError(WebError):
    """A script did not do what a page must: make a resource, or come to its end."""


def ResourceScript(path: str | os.PathLike[str], registry: Registry | None = None) -> IResource:
    """The resource that the file *path* makes: what it calls `resource`.

        from weblayer import Data
        resource = Data(b"hello", "text/plain")

    The file is run with `registry` and `__file__` as its names, once: the resource is kept in
    *registry* until the file has changed. What it imports is not loaded again. A processor of
    File.
    Raises NotFound, Forbidden, ScriptError, and whatever the file raises.
    """
    return _kept(absolute(path), registry, _resource_of)


class ResourceScriptWrapper(Wrapper):
    """A ResourceScript to be put in a tree: changed, it is loaded again like those of a folder."""

    def __init__(self, path: str | os.PathLike[str], registry: Registry | None = None) -> None:
        self.path, self.registry = absolute(path), Registry() if registry is None else registry

    def enter(self, request: Request) -> Child:
        """What the file makes. Raises as ResourceScript does."""
        return ResourceScript(self.path, self.registry)


class ResourceScriptDirectory(Resource):
    """A folder of script pages, and of folders of them, and nothing else.

    Only files named `*.rpy` are run, and none is ever shown; `index.rpy` answers for the folder.
    Hidden files are not there, nor is what a symlink finds outside.
    """

    def __init__(self, pathname: str | os.PathLike[str], registry: Registry | None = None) -> None:
        self.path, self.registry = absolute(pathname), Registry() if registry is None else registry
        self._root = Root(self.path)

    def getChild(self, name: str, request: Request) -> IResource:
        """The page, or the folder, of that name. Raises as ResourceScript does."""
        name = name or "index.rpy"
        if not self._root.serves(name):
            raise NotFound
        path = f"{self.path}/{name}"
        self._root.find(path)
        if os.path.isdir(path):
            below = ResourceScriptDirectory(path, self.registry)
            below._root = self._root
            return below
        if not name.endswith(".rpy"):
            raise NotFound
        return ResourceScript(path, self.registry)


class PythonScript(Resource):
    """The file *filename*, run anew for each request, whatever its method.

        request.write(b"Hello, " + request.args["name"][0].encode())

    Its names are `request`, `registry` and `__file__`. It writes bytes, and the answer is whole
    when it has come to its end; an error before its first byte is an error page. A processor of
    File.
    """

    isLeaf = True

    def __init__(self, filename: str | os.PathLike[str], registry: Registry | None = None) -> None:
        self.filename, self.registry = absolute(filename), registry

    def render(self, request: Request) -> NotDoneYet:
        """Run it. Raises NotFound, Forbidden, ScriptError, and whatever the file raises."""
        code = _kept(self.filename, self.registry, _compiled)
        _run(code, self.filename, self.registry, request=request)
        if not request.finished:
            request.finish()
        return NOT_DONE_YET


class ResourceTemplate(Resource):
    """The template *path*, filled in with `request` and `registry` for each GET; see Templates.

    It may extend and include those of its folder. A processor of File.
    """

    isLeaf = True

    def __init__(self, path: str | os.PathLike[str], registry: Registry | None = None) -> None:
        self.path, self.registry = absolute(path), registry

    def render_GET(self, request: Request) -> str:
        """The page, or text where the template's name ends in `.txt`."""
        folder, name = os.path.split(self.path)
        if name.endswith(".txt"):
            request.setHeader(b"Content-Type", b"text/plain")
        templates = _kept(folder, self.registry, _templates_in)
        return templates.page(name, request=request, registry=self.registry)


class _Kept(NamedTuple):
    """What was made from a file, which function did it, and how the file was then."""

    made: Any  # whatever it makes
    maker: object
    stamp: tuple[int, int, int]


def _kept(path: str, registry: Registry | None, make: Callable[[str, Registry | None], T]) -> T:
    """What *make* makes of the file *path*, kept in *registry* until that has changed."""
    try:
        facts = os.stat(path)
    except (OSError, ValueError) as error:
        raise refusal(error) from error
    # Its number too: what stands in the place of a file may have its time and size.
    stamp = facts.st_mtime_ns, facts.st_size, facts.st_ino
    kept = None if registry is None else registry.getCachedPath(path)
    if isinstance(kept, _Kept) and kept.stamp == stamp and kept.maker is make:
        found: T = kept.made
        return found
    made = make(path, registry)
    if registry is not None:
        registry.cachePath(path, _Kept(made, make, stamp))
    return made


def _resource_of(path: str, registry: Registry | None) -> IResource:
    code = _compiled(path, registry)
    resource = _run(code, path, registry, resource=None)["resource"]
    if not isNode(resource):
        raise ScriptError(f"{path} must set `resource` to a resource, not to {resource!r}")
    made: IResource = resource
    return made


def _compiled(path: str, registry: Registry | None) -> CodeType:
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise refusal(error) from error
    return compile(source, path, "exec", dont_inherit=True)


def _templates_in(folder: str, registry: Registry | None) -> Templates:
    return Templates(folder)


# Any: what a script's names stand for is its own affair.
def _run(code: CodeType, path: str, registry: Registry | None, **names: Any) -> dict[str, Any]:
    namespace = {"__name__": "__page__", "__file__": path, "registry": registry, **names}
    try:
        exec(code, namespace)  # noqa: S102  # to run what the site's owner wrote is what this is for
    except SystemExit as error:  # which would end the server
        raise ScriptError(f"{path} wants to exit ({error})") from error
    return namespace

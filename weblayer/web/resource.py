"""The resource: a node of the tree, which finds its children and renders itself."""

from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import Any, Protocol, TypeAlias

from weblayer.web.errors import NotFound, UnsupportedMethod
from weblayer.web.policy import Policy
from weblayer.web.request import NotDoneYet, Request

__all__ = ["Child", "IResource", "IWrapper", "Node", "Outcome", "Resource", "isNode"]


class IReadable(Protocol):
    """A file, or like one."""

    def read(self, size: int, /) -> Any: ...  # bytes or str, or an awaitable of them


# What render may give; see `weblayer.web.settle`. JSON's inside is anything.
Now: TypeAlias = (
    bytes | str | dict[str, Any] | list[Any] | NotDoneYet | Iterable[bytes | str]
    | AsyncIterable[bytes | str] | IReadable
)  # fmt: skip
Outcome: TypeAlias = Now | Awaitable[Any]


class IResource(Protocol):
    """A node of the tree. A node of a program's own may leave out `policy`."""

    isLeaf: bool

    @property  # to be read: a class may say that it always has one
    def policy(self) -> Policy | None: ...
    def getChildWithDefault(self, name: str, request: Request, /) -> "Child": ...
    def putChild(self, path: str, child: "Node", /) -> None: ...
    def render(self, request: Request, /) -> Outcome: ...


class IWrapper(Protocol):
    """What stands before a node and is no resource itself; see `weblayer.web.wrapper`."""

    def enter(self, request: Request, /) -> "Child": ...


Node: TypeAlias = IResource | IWrapper
Child: TypeAlias = Node | Awaitable[Node]

# Names are made once: a name glued together per request is never interned, and its look-up
# misses the type's cache each time.
_RENDERERS = {
    method: "render_" + method
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
}


class Resource:
    """A node of the tree; subclass it and say what it answers.

    `render_GET`, `render_POST` and so on answer a method: with bytes, str, a dict or list (JSON),
    an iterator, a file, NOT_DONE_YET, or a Deferred, a coroutine or any awaitable of these. HEAD is
    answered by `render_GET` unless there is a `render_HEAD`, OPTIONS with the list of methods,
    any other method with 405 and that list.

    `getChild` finds children that are not put; it may be `async` or return a Deferred.
    `isLeaf` ends the walk here: what remains of the path is in `request.postpath`.
    `policy` holds for this resource and what is found below it.
    """

    isLeaf: bool = False
    policy: Policy | None = None

    _children: dict[str, Node] = {}  # noqa: RUF012  # shared while empty: never written to

    # What Allow says; None computes it from the render_ methods.
    allowedMethods: tuple[str, ...] | None = None

    @property
    def children(self) -> dict[str, Node]:
        """The children that were put, by name; made on first use, without an __init__."""
        if "_children" not in self.__dict__:
            self._children = {}
        return self._children

    def putChild(self, path: str | bytes, child: Node) -> None:
        """Put *child* under the segment *path*; "" is what a trailing slash finds.

        Raises TypeError for what is neither text nor a resource, ValueError for a path of
        several segments.
        """
        name = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
        if not isinstance(name, str):
            raise TypeError(f"path must be str or bytes, not {path!r}")
        if "/" in name:
            raise ValueError(f"path must be one segment; put a Resource for each part of {path!r}")
        if not isNode(child):
            raise TypeError(f"child must be a resource (an instance, not a class), not {child!r}")
        self.children[name] = child

    def getChild(self, name: str, request: Request) -> Child:
        """Find the child *name*, which was not put. Override it for children that are made.

        By default there is none, save that the empty name, of a trailing slash, finds this
        resource itself when it renders anything.
        Raises NotFound.
        """
        if name == "" and not request.postpath and self._renders_itself():
            return self
        raise NotFound

    def getChildWithDefault(self, name: str, request: Request) -> Child:
        """The child that was put as *name*, else what `getChild` finds. The walk calls this."""
        child = self._children.get(name)
        return self.getChild(name, request) if child is None else child

    def render(self, request: Request) -> Outcome:
        """Answer with the render_ method of the request's method. Raises UnsupportedMethod."""
        method = request.method
        renderer = getattr(self, _RENDERERS.get(method) or "render_" + method, None)
        if renderer is None:
            return self._render_default(request)
        outcome: Outcome = renderer(request)
        return outcome

    def _renders_itself(self) -> bool:
        return bool(_renders(type(self))) or type(self).render is not Resource.render

    def _render_default(self, request: Request) -> Outcome:
        allowed = self.allowedMethods or _with_defaults(_renders(type(self)))
        renderer = getattr(self, "render_GET", None)
        if request.method == "HEAD" and renderer is not None:
            outcome: Outcome = renderer(request)
            return outcome
        if request.method == "OPTIONS" and allowed:
            request.setResponseCode(204)
            request.setHeader("Allow", ", ".join(allowed))
            return b""
        if not allowed:
            raise NotFound  # it only holds children
        raise UnsupportedMethod(allowed)


def isNode(thing: object) -> bool:
    """Whether *thing* may stand in the tree: an instance of a resource or a wrapper."""
    return not isinstance(thing, type) and (hasattr(thing, "isLeaf") or hasattr(thing, "enter"))


def _renders(kind: type) -> tuple[str, ...]:
    """The methods that a class of resources renders, by its render_ methods."""
    found = _ALLOWED.get(kind)
    if found is None:
        names = (name.removeprefix("render_") for name in dir(kind) if name.startswith("render_"))
        found = _ALLOWED[kind] = tuple(sorted(name for name in names if name.isupper()))
    return found


_ALLOWED: dict[type, tuple[str, ...]] = {}


def _with_defaults(methods: tuple[str, ...]) -> tuple[str, ...]:
    """With HEAD where there is GET, and OPTIONS where there is anything."""
    extra = {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    return tuple(sorted(extra.union(methods))) if methods else ()

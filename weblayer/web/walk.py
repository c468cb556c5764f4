"""Finding the resource: the tree is walked on the head, before a byte of the body is read."""

from collections.abc import Awaitable
from typing import Any

from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child, IResource, isNode

__all__ = ["awaited_child", "walk", "walk_through"]


def walk(node: Child, request: Request) -> tuple[Child, bool]:
    """Walk from *node* along `request.postpath`, laying each policy over the one above it.

    Gives the node it came to, and whether it has arrived. It stops at a leaf, at the end of the
    path, and, not arrived, at a child that is yet to come: walk on from what that becomes.
    A wrapper on the way gives the node to go on with.
    Segments passed move from `postpath` to `prepath`, and `policy` is what holds there.
    Raises what `getChild` and `enter` raise.
    """
    prepath, postpath = request.prepath, request.postpath
    while True:
        try:
            leaf, own = node.isLeaf, node.policy  # type: ignore[union-attr]  # or it has none
        except AttributeError:
            if not isNode(node):
                return node, False
            own = getattr(node, "policy", None)  # a node of somebody's own may have none
            if not hasattr(node, "isLeaf"):
                node = _entered(node, own, request)
                continue
            leaf = node.isLeaf
        if own is not None:
            request.policy = own.over(request.policy)
        if leaf or not postpath:
            return node, True
        name = postpath.pop(0)
        prepath.append(name)
        node = node.getChildWithDefault(name, request)  # type: ignore[union-attr]  # it has isLeaf


async def walk_through(node: Child, request: Request) -> IResource:
    """Walk to the end, and wait for each child that is yet to come. Raises as both others do."""
    node, arrived = walk(node, request)
    while not arrived:
        node, arrived = walk(await awaited_child(node, request), request)
    return node  # type: ignore[return-value]  # it has arrived


def awaited_child(child: object, request: Request) -> Awaitable[Any]:
    """*child*, which is no node, as what is to be waited for. Raises TypeError for anything else.

    Any: what it becomes is for the walk to find out.
    """
    if isinstance(child, Awaitable):
        return child
    raise TypeError(
        f"getChild gave {child!r} for {request.path}; give a resource, an awaitable of one, or "
        "raise NotFound"
    )


# Any: whatever has an `enter`.
def _entered(wrapper: Any, own: Policy | None, request: Request) -> Child:
    """What a wrapper gives to go on with, its policy laid over those above it."""
    if own is not None:
        request.policy = own.over(request.policy)
    node: Child = wrapper.enter(request)
    return node

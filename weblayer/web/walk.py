"""Finding the resource: the tree is walked on the head, before a byte of the body is read."""

from typing import Any

from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child, isNode

__all__ = ["walk"]


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


# Any: whatever has an `enter`.
def _entered(wrapper: Any, own: Policy | None, request: Request) -> Child:
    """What a wrapper gives to go on with, its policy laid over those above it."""
    if own is not None:
        request.policy = own.over(request.policy)
    node: Child = wrapper.enter(request)
    return node

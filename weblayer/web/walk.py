"""Finding the resource: the tree is walked on the head, before a byte of the body is read."""

from typing import NamedTuple

from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child

__all__ = ["Found", "walk"]


class Found(NamedTuple):
    """How far a walk came: a resource to render, or something to wait for (not *arrived*)."""

    node: Child
    policy: Policy
    arrived: bool


def walk(node: Child, policy: Policy, request: Request) -> Found:
    """Walk from *node* along `request.postpath`, laying each policy over the one above it.

    Stops at a leaf, at the end of the path, and at a child that is yet to come: walk on from
    what it becomes. Segments passed move from `postpath` to `prepath`.
    Raises what `getChild` raises.
    """
    prepath, postpath = request.prepath, request.postpath
    while True:
        leaf = getattr(node, "isLeaf", None)
        if leaf is None:
            return Found(node, policy, False)
        if (own := getattr(node, "policy", None)) is not None:
            policy = own.over(policy)
        if leaf or not postpath:
            return Found(node, policy, True)
        name = postpath.pop(0)
        prepath.append(name)
        node = node.getChildWithDefault(name, request)  # type: ignore[union-attr]  # it has isLeaf

"""What stands before a part of the tree, and decides on the head who goes in, and how."""

from collections.abc import Awaitable

from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child, isNode

__all__ = ["Wrapper"]


class Wrapper:
    """Stands before *resource*, and is met on the way to it and to all that is found below it.

    Subclass it and override `enter`. A wrapper may stand wherever a resource may, before another
    wrapper too: `Site(resource)`, `putChild`, and what `getChild` gives. `policy` holds for what
    is found through it.
    """

    policy: Policy | None = None

    def __init__(self, resource: Child) -> None:
        if not isNode(resource) and not isinstance(resource, Awaitable):
            raise TypeError(
                f"resource must be a resource (an instance, not a class), not {resource!r}"
            )
        self.resource = resource

    def enter(self, request: Request) -> Child:
        """Give the node that the walk goes on with; by default what this stands before.

        It is called once for a request that comes here, on its head, before a byte of its body is
        read: raise an Error, and the client is spared the upload. `request.postpath` is what the
        node is still to be asked for. It may be `async`, or give a Deferred. What is to be said
        of the answer, whichever it becomes, is said in `request.beforeAnswer`.
        """
        return self.resource

"""What cannot be decided on the head: the walk waits for the whole body, and goes on behind it."""

from collections.abc import Awaitable, Callable

from weblayer.web.request import Request
from weblayer.web.resource import Child, Outcome, Resource
from weblayer.web.walk import walk_through

__all__ = ["AfterBody"]


class AfterBody(Resource):
    """Has the whole body taken in before *decide* is asked; then goes on as the walk would have.

    The policies below cannot say how the body is taken: it is here, as far as those above allow.
    """

    isLeaf = True

    def __init__(self, decide: Callable[[Request], Awaitable[Child]]) -> None:
        self._decide = decide

    async def render(self, request: Request) -> Outcome:
        """What the resource that is found renders. Raises what *decide* does."""
        node = await walk_through(await self._decide(request), request)
        return node.render(request)

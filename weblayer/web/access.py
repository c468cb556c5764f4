"""Who may do what with a part of the tree."""

from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Any

from weblayer.cred.memory import ANONYMOUS
from weblayer.loop.bridge import ensureDeferred
from weblayer.loop.deferred import Deferred
from weblayer.web.errors import Error, Forbidden
from weblayer.web.request import Request
from weblayer.web.resource import Child, Node
from weblayer.web.wrapper import Wrapper

__all__ = ["EVERYBODY", "SOMEBODY", "Restricted", "Who"]

# Avatar ids, or what is asked with the request, and gives whether it may, or an awaitable of that.
# Any: an avatar id is whatever tells a program's people apart.
Who = Container[Any] | Callable[[Request], Any]


def EVERYBODY(request: Request) -> bool:
    """Those too whom nobody has asked who they are."""
    return True


def SOMEBODY(request: Request) -> bool:
    """Whoever was let in by name."""
    return request.avatarId is not None and request.avatarId is not ANONYMOUS


class Restricted(Wrapper):
    """Lets into *resource* only who *rules* say, by `request.avatarId`.

        Restricted(notes, {"ada", "bob"})
        Restricted(notes, {"GET": EVERYBODY, "PUT": SOMEBODY, "*": {"ada"}})

    *rules* are one for all methods, or one for each, where "*" is for those that are not named.
    HEAD and OPTIONS are as GET unless they are named, and what no rule is for nobody may.
    Who may not is answered with 403; who has not said who they are with 401, below a guard that
    can ask them.
    """

    resource: Node

    def __init__(self, resource: Node, rules: Who | Mapping[str, Who]) -> None:
        super().__init__(resource)
        self.rules: Mapping[str, Who] = rules if isinstance(rules, Mapping) else {"*": rules}
        for method, who in self.rules.items():
            if isinstance(who, str | bytes) or not (callable(who) or isinstance(who, Container)):
                raise TypeError(f"rules must hold sets of avatar ids, not {who!r} alone")
            if method != method.upper():
                raise ValueError(f"rules must name methods as they are sent, not {method!r}")

    def enter(self, request: Request) -> Child:
        """The resource. Raises Error (401, 403)."""
        who = self._rule_for(request.method)
        may = who(request) if callable(who) else request.avatarId in who
        if not isinstance(may, Awaitable):
            return self._decide(may, request)
        decided: Deferred[Node] = ensureDeferred(may).addCallback(self._decide, request)
        return decided

    def _rule_for(self, method: str) -> Who:
        rules = self.rules
        if method in ("HEAD", "OPTIONS") and method not in rules and "GET" in rules:
            method = "GET"
        return rules[method] if method in rules else rules.get("*", ())

    def _decide(self, may: object, request: Request) -> Node:
        if may:
            return self.resource
        # A 401 must ask (RFC 9110, 15.5.2), which needs a guard.
        raise Forbidden if SOMEBODY(request) or request._visit is None else Error(401)

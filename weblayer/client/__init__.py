"""Asking other servers: knows no tree.

The verbs stand here, each loaded when it is first touched: `from weblayer.client import get`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weblayer.client.getpage import downloadPage as downloadPage
    from weblayer.client.getpage import getPage as getPage
    from weblayer.client.session import Session as Session
    from weblayer.client.verbs import delete as delete
    from weblayer.client.verbs import get as get
    from weblayer.client.verbs import head as head
    from weblayer.client.verbs import patch as patch
    from weblayer.client.verbs import post as post
    from weblayer.client.verbs import put as put
    from weblayer.client.verbs import request as request

__all__ = [
    "Session", "delete", "downloadPage", "get", "getPage", "head", "patch", "post", "put",
    "request",
]  # fmt: skip

_HOMES = {"Session": "session", "downloadPage": "getpage", "getPage": "getpage"}


if not TYPE_CHECKING:  # to a type checker a name that is not there is a mistake

    def __getattr__(name: str) -> object:
        """Load a name from where it is made, and keep it."""
        if name not in __all__:
            raise AttributeError(f"weblayer.client has no {name!r}; it has {', '.join(__all__)}")
        home = import_module(f"weblayer.client.{_HOMES.get(name, 'verbs')}")
        value = globals()[name] = getattr(home, name)
        return value

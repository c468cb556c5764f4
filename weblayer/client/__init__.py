"""Asking other servers: knows no tree.

The verbs stand here, and the field's agents, each loaded when it is first touched:
`from weblayer.client import get`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weblayer.client.agent import Agent as Agent
    from weblayer.client.bodies import FileBodyProducer as FileBodyProducer
    from weblayer.client.cookies import CookieAgent as CookieAgent
    from weblayer.client.decoding import ContentDecoderAgent as ContentDecoderAgent
    from weblayer.client.error import PotentialDataLoss as PotentialDataLoss
    from weblayer.client.error import ResponseDone as ResponseDone
    from weblayer.client.error import ResponseFailed as ResponseFailed
    from weblayer.client.error import ResponseNeverReceived as ResponseNeverReceived
    from weblayer.client.getpage import downloadPage as downloadPage
    from weblayer.client.getpage import getPage as getPage
    from weblayer.client.pool import HTTPConnectionPool as HTTPConnectionPool
    from weblayer.client.proxy import ProxyAgent as ProxyAgent
    from weblayer.client.redirect import BrowserLikeRedirectAgent as BrowserLikeRedirectAgent
    from weblayer.client.redirect import RedirectAgent as RedirectAgent
    from weblayer.client.response import readBody as readBody
    from weblayer.client.session import Session as Session
    from weblayer.client.trust import BrowserLikePolicyForHTTPS as BrowserLikePolicyForHTTPS
    from weblayer.client.uri import URI as URI
    from weblayer.client.verbs import delete as delete
    from weblayer.client.verbs import get as get
    from weblayer.client.verbs import head as head
    from weblayer.client.verbs import patch as patch
    from weblayer.client.verbs import post as post
    from weblayer.client.verbs import put as put
    from weblayer.client.verbs import request as request

__all__ = [
    "URI",
    "Agent",
    "BrowserLikePolicyForHTTPS",
    "BrowserLikeRedirectAgent",
    "ContentDecoderAgent",
    "CookieAgent",
    "FileBodyProducer",
    "HTTPConnectionPool",
    "PotentialDataLoss",
    "ProxyAgent",
    "RedirectAgent",
    "ResponseDone",
    "ResponseFailed",
    "ResponseNeverReceived",
    "Session",
    "delete",
    "downloadPage",
    "get",
    "getPage",
    "head",
    "patch",
    "post",
    "put",
    "readBody",
    "request",
]

_DOORS = {
    "agent": ("Agent",),
    "bodies": ("FileBodyProducer",),
    "cookies": ("CookieAgent",),
    "decoding": ("ContentDecoderAgent",),
    "error": (
        "PotentialDataLoss",
        "ResponseDone",
        "ResponseFailed",
        "ResponseNeverReceived",
    ),
    "getpage": (
        "downloadPage",
        "getPage",
    ),
    "pool": ("HTTPConnectionPool",),
    "proxy": ("ProxyAgent",),
    "redirect": (
        "BrowserLikeRedirectAgent",
        "RedirectAgent",
    ),
    "response": ("readBody",),
    "session": ("Session",),
    "trust": ("BrowserLikePolicyForHTTPS",),
    "uri": ("URI",),
    "verbs": (
        "delete",
        "get",
        "head",
        "patch",
        "post",
        "put",
        "request",
    ),
}
_HOMES = {name: home for home, names in _DOORS.items() for name in names}


if not TYPE_CHECKING:  # to a type checker a name that is not there is a mistake

    def __getattr__(name: str) -> object:
        """Load a name from where it is made, and keep it."""
        if name not in _HOMES:
            raise AttributeError(f"weblayer.client has no {name!r}; it has {', '.join(__all__)}")
        home = import_module(f"weblayer.client.{_HOMES[name]}")
        value = globals()[name] = getattr(home, name)
        return value

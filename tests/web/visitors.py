"""Visitors from anywhere, encrypted or not: what a proxy of ours tells of them."""

from weblayer.loop.timers import Clock
from weblayer.web.site import Site
from weblayer.web.testing import Conversation

PROXY = "192.0.2.1"  # who a conversation comes from
SAID = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix")


def site(tree, clock=None):
    """A site behind a proxy that it trusts, on a clock that stands still."""
    return Site(tree, reactor=clock or Clock(), trustedProxies=[PROXY], proxyFields=SAID)


def visit(tree, target="/", method="GET", *, address="203.0.113.9", secure=False, **fields):
    """What a visitor is answered; *fields* are sent too, such as host="a.test"."""
    told = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https" if secure else "http"}
    told |= {name.replace("_", "-"): value for name, value in fields.items()}
    conversation = Conversation(tree if isinstance(tree, Site) else site(tree))
    conversation.ask(method, target, told)
    return conversation

"""weblayer: a web-first micro-framework on a resource tree.

The names of daily use stand here, each loaded when it is first touched:
`from weblayer import Resource, Site, reactor`.
"""

from importlib import import_module

# A type checker takes this name for true; loading the typing module for it costs more than all
# else that stands here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from weblayer.client.agent import Agent as Agent
    from weblayer.client.pool import HTTPConnectionPool as HTTPConnectionPool
    from weblayer.client.response import readBody as readBody
    from weblayer.client.session import Session as Session
    from weblayer.cred.credentials import UsernamePassword as UsernamePassword
    from weblayer.cred.database import DatabaseChecker as DatabaseChecker
    from weblayer.cred.htpasswd import HtpasswdFile as HtpasswdFile
    from weblayer.cred.memory import AllowAnonymousAccess as AllowAnonymousAccess
    from weblayer.cred.memory import InMemoryPasswords as InMemoryPasswords
    from weblayer.cred.memory import (
        InMemoryUsernamePasswordDatabaseDontUse as InMemoryUsernamePasswordDatabaseDontUse,
    )
    from weblayer.cred.passwords import hashPassword as hashPassword
    from weblayer.cred.portal import Portal as Portal
    from weblayer.loop.asking import connectProtocol as connectProtocol
    from weblayer.loop.bridge import ensureDeferred as ensureDeferred
    from weblayer.loop.bridge import maybeDeferred as maybeDeferred
    from weblayer.loop.cooperate import cooperate as cooperate
    from weblayer.loop.deferred import Deferred as Deferred
    from weblayer.loop.deferred import fail as fail
    from weblayer.loop.deferred import succeed as succeed
    from weblayer.loop.endpoints import clientFromString as clientFromString
    from weblayer.loop.endpoints import serverFromString as serverFromString
    from weblayer.loop.error import CannotListenError as CannotListenError
    from weblayer.loop.failure import Failure as Failure
    from weblayer.loop.gather import DeferredList as DeferredList
    from weblayer.loop.gather import gatherResults as gatherResults
    from weblayer.loop.inline import inlineCallbacks as inlineCallbacks
    from weblayer.loop.protocol import ClientFactory as ClientFactory
    from weblayer.loop.protocol import DatagramProtocol as DatagramProtocol
    from weblayer.loop.protocol import Factory as Factory
    from weblayer.loop.protocol import ProcessProtocol as ProcessProtocol
    from weblayer.loop.protocol import Protocol as Protocol
    from weblayer.loop.reactor import Reactor as Reactor
    from weblayer.loop.reconnecting import ReconnectingClientFactory as ReconnectingClientFactory
    from weblayer.loop.task import LoopingCall as LoopingCall
    from weblayer.loop.task import deferLater as deferLater
    from weblayer.loop.task import react as react
    from weblayer.loop.threads import deferToThread as deferToThread
    from weblayer.loop.timers import Clock as Clock
    from weblayer.loop.utils import getProcessOutput as getProcessOutput
    from weblayer.protocols.lines import LineReceiver as LineReceiver
    from weblayer.web.access import EVERYBODY as EVERYBODY
    from weblayer.web.access import SOMEBODY as SOMEBODY
    from weblayer.web.access import Restricted as Restricted
    from weblayer.web.addresses import AllowedAddresses as AllowedAddresses
    from weblayer.web.assets import Assets as Assets
    from weblayer.web.basic import BasicCredentialFactory as BasicCredentialFactory
    from weblayer.web.cors import CORS as CORS
    from weblayer.web.csrf import CSRFProtection as CSRFProtection
    from weblayer.web.csrf import csrfField as csrfField
    from weblayer.web.deadlines import Deadlines as Deadlines
    from weblayer.web.digest import DigestCredentialFactory as DigestCredentialFactory
    from weblayer.web.errors import BadRequest as BadRequest
    from weblayer.web.errors import Error as Error
    from weblayer.web.errors import Forbidden as Forbidden
    from weblayer.web.errors import NotFound as NotFound
    from weblayer.web.flash import flash as flash
    from weblayer.web.flash import flashes as flashes
    from weblayer.web.guard import CommonRealm as CommonRealm
    from weblayer.web.guard import HTTPAuthSessionWrapper as HTTPAuthSessionWrapper
    from weblayer.web.https import HTTPSOnly as HTTPSOnly
    from weblayer.web.limits import Limits as Limits
    from weblayer.web.login import Login as Login
    from weblayer.web.login import Logout as Logout
    from weblayer.web.loginrequired import LoginRequired as LoginRequired
    from weblayer.web.memorysessions import MemorySessions as MemorySessions
    from weblayer.web.pages import forbidden as forbidden
    from weblayer.web.pages import notFound as notFound
    from weblayer.web.policy import Policy as Policy
    from weblayer.web.process import Process as Process
    from weblayer.web.rate import Rate as Rate
    from weblayer.web.rate import RateLimit as RateLimit
    from weblayer.web.request import NOT_DONE_YET as NOT_DONE_YET
    from weblayer.web.request import Request as Request
    from weblayer.web.resource import IResource as IResource
    from weblayer.web.resource import Resource as Resource
    from weblayer.web.securityheaders import SecurityHeaders as SecurityHeaders
    from weblayer.web.signedlinks import SignedLinks as SignedLinks
    from weblayer.web.signedsessions import SignedSessions as SignedSessions
    from weblayer.web.site import Site as Site
    from weblayer.web.sqlitesessions import SQLiteSessions as SQLiteSessions
    from weblayer.web.static import Data as Data
    from weblayer.web.static import File as File
    from weblayer.web.staticsite import StaticSite as StaticSite
    from weblayer.web.template import Templates as Templates
    from weblayer.web.twcgi import CGIDirectory as CGIDirectory
    from weblayer.web.twcgi import CGIScript as CGIScript
    from weblayer.web.twcgi import FilteredScript as FilteredScript
    from weblayer.web.util import Redirect as Redirect
    from weblayer.web.util import redirectTo as redirectTo
    from weblayer.web.validated import CACHED as CACHED
    from weblayer.web.vhost import AllowedHosts as AllowedHosts
    from weblayer.web.vhost import NameVirtualHost as NameVirtualHost

    reactor: Reactor

__version__ = "0.1.0"

# Where each name is made; a test holds this to the imports above.
_DOORS = {
    "weblayer.client.agent": ("Agent",),
    "weblayer.client.pool": ("HTTPConnectionPool",),
    "weblayer.client.response": ("readBody",),
    "weblayer.client.session": ("Session",),
    "weblayer.cred.credentials": ("UsernamePassword",),
    "weblayer.cred.database": ("DatabaseChecker",),
    "weblayer.cred.htpasswd": ("HtpasswdFile",),
    "weblayer.cred.memory": (
        "AllowAnonymousAccess",
        "InMemoryPasswords",
        "InMemoryUsernamePasswordDatabaseDontUse",
    ),
    "weblayer.cred.passwords": ("hashPassword",),
    "weblayer.cred.portal": ("Portal",),
    "weblayer.loop.asking": ("connectProtocol",),
    "weblayer.loop.bridge": ("ensureDeferred", "maybeDeferred"),
    "weblayer.loop.cooperate": ("cooperate",),
    "weblayer.loop.deferred": ("Deferred", "fail", "succeed"),
    "weblayer.loop.endpoints": ("clientFromString", "serverFromString"),
    "weblayer.loop.error": ("CannotListenError",),
    "weblayer.loop.failure": ("Failure",),
    "weblayer.loop.gather": ("DeferredList", "gatherResults"),
    "weblayer.loop.inline": ("inlineCallbacks",),
    "weblayer.loop.protocol": (
        "ClientFactory",
        "DatagramProtocol",
        "Factory",
        "ProcessProtocol",
        "Protocol",
    ),
    "weblayer.loop.reactor": ("Reactor",),
    "weblayer.loop.reconnecting": ("ReconnectingClientFactory",),
    "weblayer.loop.task": ("LoopingCall", "deferLater", "react"),
    "weblayer.loop.threads": ("deferToThread",),
    "weblayer.loop.timers": ("Clock",),
    "weblayer.loop.utils": ("getProcessOutput",),
    "weblayer.protocols.lines": ("LineReceiver",),
    "weblayer.web.access": ("EVERYBODY", "Restricted", "SOMEBODY"),
    "weblayer.web.addresses": ("AllowedAddresses",),
    "weblayer.web.assets": ("Assets",),
    "weblayer.web.basic": ("BasicCredentialFactory",),
    "weblayer.web.cors": ("CORS",),
    "weblayer.web.csrf": ("CSRFProtection", "csrfField"),
    "weblayer.web.deadlines": ("Deadlines",),
    "weblayer.web.digest": ("DigestCredentialFactory",),
    "weblayer.web.errors": ("BadRequest", "Error", "Forbidden", "NotFound"),
    "weblayer.web.flash": ("flash", "flashes"),
    "weblayer.web.guard": ("CommonRealm", "HTTPAuthSessionWrapper"),
    "weblayer.web.https": ("HTTPSOnly",),
    "weblayer.web.limits": ("Limits",),
    "weblayer.web.login": ("Login", "Logout"),
    "weblayer.web.loginrequired": ("LoginRequired",),
    "weblayer.web.memorysessions": ("MemorySessions",),
    "weblayer.web.pages": ("forbidden", "notFound"),
    "weblayer.web.policy": ("Policy",),
    "weblayer.web.process": ("Process",),
    "weblayer.web.rate": ("Rate", "RateLimit"),
    "weblayer.web.request": ("NOT_DONE_YET", "Request"),
    "weblayer.web.resource": ("IResource", "Resource"),
    "weblayer.web.securityheaders": ("SecurityHeaders",),
    "weblayer.web.signedlinks": ("SignedLinks",),
    "weblayer.web.signedsessions": ("SignedSessions",),
    "weblayer.web.site": ("Site",),
    "weblayer.web.sqlitesessions": ("SQLiteSessions",),
    "weblayer.web.static": ("Data", "File"),
    "weblayer.web.staticsite": ("StaticSite",),
    "weblayer.web.template": ("Templates",),
    "weblayer.web.twcgi": ("CGIDirectory", "CGIScript", "FilteredScript"),
    "weblayer.web.util": ("Redirect", "redirectTo"),
    "weblayer.web.validated": ("CACHED",),
    "weblayer.web.vhost": ("AllowedHosts", "NameVirtualHost"),
}
_HOMES = {name: home for home, names in _DOORS.items() for name in names}

__all__ = sorted([*_HOMES, "__version__", "reactor"])


if not TYPE_CHECKING:  # to a type checker a name that is not there is a mistake

    def __getattr__(name: str) -> object:
        """Load a name from where it is made, and keep it; `reactor` is made on first use."""
        if name == "reactor":
            value = import_module("weblayer.loop.reactor").theReactor()
        elif name in _HOMES:
            value = getattr(import_module(_HOMES[name]), name)
        else:
            raise AttributeError(f"weblayer has no {name!r}; it has {', '.join(__all__)}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__

"""Policies for any protocol, under one roof, by the name the field's programs import from."""

from weblayer.protocols.limits import LimitConnectionsByPeer, LimitTotalConnectionsFactory
from weblayer.protocols.throttle import ThrottlingFactory, ThrottlingProtocol
from weblayer.protocols.timeouts import TimeoutFactory, TimeoutMixin, TimeoutProtocol
from weblayer.protocols.wrapping import ProtocolWrapper, WrappingFactory

__all__ = [
    "LimitConnectionsByPeer",
    "LimitTotalConnectionsFactory",
    "ProtocolWrapper",
    "ThrottlingFactory",
    "ThrottlingProtocol",
    "TimeoutFactory",
    "TimeoutMixin",
    "TimeoutProtocol",
    "WrappingFactory",
]

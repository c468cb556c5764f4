"""Receivers and senders under one roof, by the name that the field's programs import from."""

from weblayer.protocols.errors import NetstringParseError, StringTooLongError, TransferStopped
from weblayer.protocols.filesender import FileSender
from weblayer.protocols.lines import LineOnlyReceiver, LineReceiver
from weblayer.protocols.strings import (
    Int8StringReceiver,
    Int16StringReceiver,
    Int32StringReceiver,
    IntNStringReceiver,
    NetstringReceiver,
    StatefulStringProtocol,
)

__all__ = [
    "FileSender",
    "Int8StringReceiver",
    "Int16StringReceiver",
    "Int32StringReceiver",
    "IntNStringReceiver",
    "LineOnlyReceiver",
    "LineReceiver",
    "NetstringParseError",
    "NetstringReceiver",
    "StatefulStringProtocol",
    "StringTooLongError",
    "TransferStopped",
]

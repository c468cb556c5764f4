"""What a CGI program is told of a request: its environment, and nothing of the server's own.

Source: RFC 3875, 4.1.
"""

import re
from os import SEEK_END

from weblayer.loop.address import IPv4Address, IPv6Address
from weblayer.web.errors import NotFound
from weblayer.web.request import Request
from weblayer.wire.framing import CHUNKED

__all__ = ["PATH", "cgi_environment", "path_info"]

# Where programs are found, whatever the server was started with: what a login shell has.
PATH = "/usr/local/bin:/usr/bin:/bin"

# HTTP_PROXY is what programs take for their own setting ("httpoxy", CVE-2016-5385); credentials
# are for the server (4.1.18); the rest is said elsewhere, or of the connection alone.
_WITHHELD = frozenset(
    b"proxy authorization proxy-authorization content-length content-type connection expect"
    b" keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)

# With an underscore, X_Real_IP could not be told from X-Real-IP, which a proxy may vouch for.
_PLAIN = re.compile(rb"[a-z0-9-]+")

# An encoded slash would be taken for a real one, no variable can hold a NUL, and programs glue
# these segments to a path of theirs.
_UNCLEAN = re.compile(r"[/\\\0]")


def cgi_environment(request: Request, *, passes_authorization: bool = False) -> dict[str, str]:
    """The variables for a program whose address is where the walk has come to.

    What is not UTF-8 in a value stands as surrogates. A body that came in chunks must be whole.
    Raises NotFound for a path behind the program that it could not be told.
    """
    client, length = request.getClientAddress(), _length(request)
    told = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_SOFTWARE": "weblayer",
        "SERVER_PROTOCOL": request.clientproto,
        "SERVER_NAME": request.getRequestHostname() or _own_name(request),
        "SERVER_PORT": _port(request),
        "REQUEST_METHOD": request.method,
        "REQUEST_SCHEME": "https" if request.isSecure() else "http",
        "REQUEST_URI": request.uri,
        "SCRIPT_NAME": "".join(f"/{name}" for name in request.prepath),
        "PATH_INFO": path_info(request.postpath),
        "QUERY_STRING": request.query,
        # Empty is as good as missing (4.1), and programs print it: no address has a UNIX socket.
        "REMOTE_ADDR": client.host if isinstance(client, IPv4Address | IPv6Address) else "",
        "PATH": PATH,
    }
    if request.isSecure():
        told["HTTPS"] = "on"
    if isinstance(request.avatarId, str):  # nobody in particular is no user
        told["REMOTE_USER"] = request.avatarId
        told["AUTH_TYPE"] = (request.getHeader("authorization") or "").partition(" ")[0]
    if length:
        told["CONTENT_LENGTH"] = str(length)
    if length and (kind := request.getHeader(b"content-type")):
        told["CONTENT_TYPE"] = _text(kind)
    return {**told, **_fields(request, passes_authorization)}


def path_info(segments: list[str]) -> str:
    """The path of *segments*, decoded; "" of none. Raises NotFound for one that may mislead."""
    for segment in segments:
        if segment in {".", ".."} or _UNCLEAN.search(segment):
            raise NotFound
    return "".join(f"/{segment}" for segment in segments)


def _fields(request: Request, passes_authorization: bool) -> dict[str, str]:
    told = {}
    for name, _ in request.requestHeaders.pairs():
        key = name.lower()
        is_told = key not in _WITHHELD or (passes_authorization and key == b"authorization")
        if is_told and _PLAIN.fullmatch(key):
            variable = "HTTP_" + key.decode().upper().replace("-", "_")
            told[variable] = _text(request.getHeader(key) or b"")
    return told


def _length(request: Request) -> int:
    """The bytes of the body, 0 without one."""
    announced = request._head.facts.length
    if announced != CHUNKED:
        return announced
    size = request.content.seek(0, SEEK_END)
    request.content.seek(0)
    return size


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _own_name(request: Request) -> str:
    address = request.getHost()
    if isinstance(address, IPv6Address):
        return f"[{address.host}]"
    return address.host if isinstance(address, IPv4Address) else "localhost"


def _port(request: Request) -> str:
    """The port that the client sees: what a program makes URLs of ours with."""
    host = request.rootURL().split("/")[2].rpartition("]")[2]
    _, colon, port = host.rpartition(":")
    return port if colon and port else "443" if request.isSecure() else "80"

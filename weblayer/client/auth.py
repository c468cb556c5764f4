"""Saying who asks. Source: RFC 7617 (Basic), RFC 7616 (Digest), RFC 6750 (Bearer)."""

import secrets
from base64 import b64encode
from collections.abc import Generator
from pathlib import Path
from typing import Any
from typing import Protocol as Face

from weblayer.client.agent import IAgent
from weblayer.client.journey import Journey
from weblayer.client.response import ClientRequest, Readable
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_text, as_uri, copied, is_replayable
from weblayer.loop.deferred import Deferred
from weblayer.loop.inline import inlineCallbacks
from weblayer.wire.challenge import Challenge, parse_challenges
from weblayer.wire.digest import Login, answer_digest, choose_digest
from weblayer.wire.fields import split_list
from weblayer.wire.headers import Headers

__all__ = ["AuthAgent", "BasicAuth", "BearerAuth", "DigestAuth", "IAuth", "NetrcAuth"]


class IAuth(Face):
    """What a client has to say of itself; each answer is the value of Authorization, or None."""

    def unasked(self, uri: URI, /) -> bytes | None: ...
    def answer(
        self, request: ClientRequest, body: bytes, challenges: list[Challenge], /
    ) -> bytes | None: ...


class _AtOnce:
    """What is said with each request, so that nobody needs to ask."""

    _said: bytes

    def unasked(self, uri: URI) -> bytes | None:
        """Always the same."""
        return self._said

    def answer(
        self, request: ClientRequest, body: bytes, challenges: list[Challenge]
    ) -> bytes | None:
        """Nothing: it was said already."""
        return None


class BasicAuth(_AtOnce):
    """A name and a password, said at once: anybody on the way can read them without `https`."""

    def __init__(self, username: str, password: str) -> None:
        if ":" in username:
            raise ValueError(f"username must have no colon (RFC 7617, 2), as in {username!r}")
        self._said = b"Basic " + b64encode(f"{username}:{password}".encode())


class BearerAuth(_AtOnce):
    """A token, said at once."""

    def __init__(self, token: str) -> None:
        self._said = b"Bearer " + token.encode("ascii")


class DigestAuth:
    """A name and a password, which is proved and not told: each request is asked twice.

    The strongest is chosen of what the server offers: SHA-256, SHA-512-256, MD5.
    """

    def __init__(self, username: str, password: str) -> None:
        self._login = Login(username.encode(), password.encode())

    def unasked(self, uri: URI) -> bytes | None:
        """Nothing: the server says first what is to be hashed."""
        return None

    def answer(
        self, request: ClientRequest, body: bytes, challenges: list[Challenge]
    ) -> bytes | None:
        """The proof; None where the server offers nothing that we can do."""
        chosen = choose_digest(challenges)
        if chosen is None:
            return None
        method, target = request.method.encode(), request.uri.originForm.encode()
        cnonce = secrets.token_hex(16).encode()
        return answer_digest(chosen, self._login, method, target, body, cnonce)


class NetrcAuth(_AtOnce):
    """The names and passwords of a netrc file, by host: `~/.netrc` where *path* is not given.

    Raises OSError for a file that cannot be read, netrc.NetrcParseError for one that is none.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        from netrc import netrc

        self._found = netrc(path if path is None else str(path))

    def unasked(self, uri: URI) -> bytes | None:
        """As BasicAuth, with what the file has for that host."""
        found = self._found.authenticators(uri.host)
        return None if found is None else BasicAuth(found[0], found[2] or "").unasked(uri)


class AuthAgent:
    """Asks *agent*, and says who asks: to the origin that is asked for, and to no other.

    *auth* is one of this module's, or a pair of name and password, for BasicAuth. It stands above
    an agent that follows redirects: that one knows which secrets go where. A challenge to a request
    whose body cannot be sent again is not answered: the response is then 401.
    """

    def __init__(self, agent: IAgent, auth: IAuth | tuple[str, str]) -> None:
        self._agent = agent
        self._auth: IAuth = BasicAuth(*auth) if isinstance(auth, tuple) else auth

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Readable]:
        """Ask, and answer a challenge; fires with the response to that."""
        return self._ask(as_text("method", method), uri, copied(headers), bodyProducer)

    @inlineCallbacks
    def _ask(
        self, method: str, uri: Text, headers: Headers, body: Body | None
    ) -> Generator[Any, Any, Readable]:
        origin, journey = as_uri(uri).origin, Journey.here()
        said = self._auth.unasked(as_uri(uri))
        if said is not None and not headers.hasHeader("authorization"):
            headers.setHeader(b"Authorization", said)
        response: Readable = yield journey.ask(self._agent, method, uri, headers, body)
        asked = response.request
        if response.code != 401 or asked.uri.origin != origin or not is_replayable(body):
            return response
        if asked.method != method:
            body = None  # a redirect has made it a GET
        answer = self._answer(response, body)
        if answer is None:
            return response
        response.discard()
        headers.setHeader(b"Authorization", answer)
        again: Readable = yield journey.ask(
            self._agent, asked.method, asked.uri.toText(), headers, body
        )
        again.setPreviousResponse(response)
        return again

    def _answer(self, response: Readable, body: Body | None) -> bytes | None:
        said = response.headers.getRawHeaders(b"www-authenticate") or []
        challenges = [one for field in said for one in parse_challenges(field)]
        data = body.encode() if isinstance(body, str) else body or b""
        if not isinstance(data, bytes):  # it is not here, to be hashed
            challenges, data = [one for one in challenges if not _signs_body(one)], b""
        return self._auth.answer(response.request, data, challenges)


def _signs_body(challenge: Challenge) -> bool:
    """Whether it can be answered only by who has the body. Source: RFC 7616, 3.4.3."""
    return b"auth" not in split_list(challenge.parameters.get(b"qop", b"auth"))

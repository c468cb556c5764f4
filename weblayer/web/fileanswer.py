"""A file that was found becomes an answer: in the coding that suits the client, kept or sent on."""

import os
from stat import S_ISREG
from typing import IO, Protocol

from weblayer.web.cacherules import CacheRule, said_of
from weblayer.web.compression import is_listed
from weblayer.web.errors import NotFound
from weblayer.web.filebody import open_at_once, read_now, send_file
from weblayer.web.filehead import Pairs, answer_ready, chosen_coding, file_fields, say
from weblayer.web.mime import getTypeAndEncoding
from weblayer.web.paths import Root, refusal
from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Outcome
from weblayer.web.shelf import MOST_KEPT, Found, Ready, Shelf, state_of
from weblayer.web.siblings import siblings_of
from weblayer.wire.coders import coders, pack
from weblayer.wire.coding import IDENTITY
from weblayer.wire.ranges import Span

__all__ = ["ready_for", "render_file"]

# A release replaces a file once; one that is another each time we come is nobody's page.
MOST_LOOKS = 3


class Shown(Protocol):
    """What it asks of a File."""

    path: str
    defaultType: str
    compress: bool
    contentTypes: dict[str, str]
    contentEncodings: dict[str, str]
    cacheRules: list[CacheRule]
    _root: Root
    _shelf: Shelf

    @property
    def _is_plain(self) -> bool: ...
    def openForReading(self) -> IO[bytes]: ...
    def getFileSize(self) -> int: ...


def ready_for(found: Found, request: Request) -> Ready | None:
    """The answer that is ready in the coding that suits the client; None where there is none."""
    if not found.offers:
        return None if found.offers is None else found.ready.get(IDENTITY)
    return found.ready.get(chosen_coding(found.offers, request.getHeader(b"accept-encoding")))


def render_file(node: Shown, found: Found, request: Request, looks: int = MOST_LOOKS) -> Outcome:
    """Answer with the file *found* at the path of *node*. Raises NotFound, Forbidden, Error."""
    if not node._is_plain:
        return _render_made(node, request)
    _examine(node, found, request.policy)
    ready = ready_for(found, request)
    if ready is not None:
        return answer_ready(request, ready)
    coding = chosen_coding(found.offers or (), request.getHeader(b"accept-encoding"))
    file, facts = _opened(found.siblings[coding][0] if coding in found.siblings else node.path)
    if state_of(facts)[:2] == _state_of(found, coding)[:2]:
        return _render_opened(node, found, request, coding, file, facts)
    # Another stands in its place since it was looked at, perhaps a link that leads out.
    file.close()
    node._shelf.forget(node.path)
    if looks == 1:
        raise NotFound
    found = node._shelf.look(node.path, node._root, found.tick)
    return render_file(node, found, request, looks - 1)


def _render_opened(
    node: Shown, found: Found, request: Request, coding: bytes, file: IO[bytes],
    facts: os.stat_result,
) -> Outcome:  # fmt: skip
    """Answer with an open *file*: the one that was found, or its sibling in *coding*."""
    try:
        if facts.st_size <= MOST_KEPT and (data := read_now(file, facts.st_size)) is not None:
            file.close()
            ready = _ready(node, found, facts, coding, data)
            if state_of(facts) == _state_of(found, coding):
                node._shelf.keep(node.path, coding, ready, facts.st_mtime)
            return answer_ready(request, ready)
        if coding not in found.siblings:
            coding = _own_coding(node, coding)
        return _send(request, file, facts.st_size, _fields(node, found, facts, coding))
    except BaseException:
        file.close()
        raise


def _render_made(node: Shown, request: Request) -> Outcome:
    """Answer with what a program's own openForReading gives."""
    node._root.find(node.path)  # it may have become a link out a moment ago
    try:
        file = node.openForReading()
    except (OSError, ValueError) as error:
        raise refusal(error) from error
    try:
        facts, size = os.stat(node.path), node.getFileSize()
        kind, encoding = _type_of(node)
        said = said_of(node.cacheRules, node._root.names_to(node.path))
        coding = encoding.encode("latin-1") if encoding else None
        return _send(request, file, size, file_fields(kind, facts, coding, cache=said))
    except BaseException:
        file.close()
        raise


def _send(request: Request, file: IO[bytes], size: int, fields: Pairs) -> Outcome:
    """Send what the client wants of *file*, which has *size* bytes and is closed in the end."""
    say(request, fields)
    pieces = request._pieces(size, request.defaultContentType)
    return send_file(request, file, [Span(0, size)] if pieces is None else pieces)


def _examine(node: Shown, found: Found, policy: Policy) -> None:
    """Look for the codings to choose from, once a tick; what was kept of others is forgotten."""
    if found.offers is not None and found.policy is policy:
        return
    own = _type_of(node)[1]
    siblings = {}
    if own:
        offers = [own.encode("latin-1")]
    else:
        siblings = siblings_of(node.path, found.facts, node.contentEncodings, node._root)
        offers = list(siblings)
        if _is_compressed(node, found.facts, policy):
            offers += [coding for coding in coders() if coding not in siblings]
    if siblings != found.siblings or policy is not found.policy:
        node._shelf.drop_ready(found)
    found.siblings, found.offers, found.policy = siblings, tuple(offers), policy


def _is_compressed(node: Shown, facts: os.stat_result, policy: Policy) -> bool:
    """Whether we compress the file ourselves for who accepts it."""
    if not node.compress or policy.compress is False:
        return False
    if not (policy.compressFrom or 0) <= facts.st_size <= MOST_KEPT:
        return False
    said = said_of(node.cacheRules, node._root.names_to(node.path))
    if said and b"no-transform" in said:
        return False
    return is_listed(_type_of(node)[0].encode("latin-1"), policy.compressTypes or ())


def _ready(node: Shown, found: Found, facts: os.stat_result, coding: bytes, data: bytes) -> Ready:
    """The answer of *data*, the file's or its sibling's, made ready in *coding*."""
    if coding not in found.siblings and coding != _own_coding(node, coding):
        packed = pack(coding, data)
        if len(packed) < len(data):
            return Ready(_fields(node, found, facts, coding), packed)
        coding = IDENTITY
    return Ready(_fields(node, found, facts, coding), data)


def _fields(node: Shown, found: Found, facts: os.stat_result, coding: bytes) -> Pairs:
    """The fields of the answer in *coding*; *facts* are those of the file that is sent."""
    kind, own = _type_of(node)
    if own and coding == IDENTITY:
        # Who does not undo the coding gets an archive, and is told so.
        kind = node.contentTypes.get(os.path.splitext(node.path)[1].lower(), node.defaultType)
    said = said_of(node.cacheRules, node._root.names_to(node.path))
    return file_fields(
        kind, facts, None if coding == IDENTITY else coding, bool(found.offers), said
    )


def _type_of(node: Shown) -> tuple[str, str | None]:
    name = node.path.rpartition("/")[2]
    return getTypeAndEncoding(name, node.contentTypes, node.contentEncodings, node.defaultType)


def _state_of(found: Found, coding: bytes) -> tuple[int, ...]:
    """The state that the file for *coding* was in when it was looked at: itself, or its sibling."""
    sibling = found.siblings.get(coding)
    return state_of(found.facts) if sibling is None else sibling[1]


def _own_coding(node: Shown, coding: bytes) -> bytes:
    """*coding* if the file itself lies in it, by its name; else IDENTITY."""
    own = _type_of(node)[1]
    return coding if own and own.encode("latin-1") == coding else IDENTITY


def _opened(path: str) -> tuple[IO[bytes], os.stat_result]:
    """The file, open, and what it is. Raises NotFound, Forbidden."""
    try:
        file = open_at_once(path)
    except (OSError, ValueError) as error:
        raise refusal(error) from error
    try:
        facts = os.fstat(file.fileno())
    except OSError as error:
        file.close()
        raise refusal(error) from error
    if not S_ISREG(facts.st_mode):
        file.close()
        raise NotFound
    return file, facts

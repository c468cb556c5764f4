"""Files that hold their own head: sent as they are."""

import os
from typing import IO

from weblayer.web.filebody import open_at_once, send_file
from weblayer.web.paths import absolute, refusal
from weblayer.web.registry import Registry
from weblayer.web.request import Request
from weblayer.web.resource import Outcome, Resource
from weblayer.wire.cgihead import MAX_CGI_HEAD, CGIHead, parse_cgi_head, split_cgi_head
from weblayer.wire.errors import BadMessage
from weblayer.wire.ranges import Span

__all__ = ["ASISProcessor"]


class ASISProcessor(Resource):
    """The file *path*, which begins with the fields of its answer and a blank line.

        Status: 410 Gone
        Content-Type: text/html; charset=utf-8

        <p>This page was taken back.

    Content-Type, Status or Location must be among them; the length is counted. Without a blank line
    it is a head alone. A processor of File: `site.processors[".asis"] = ASISProcessor`.
    """

    isLeaf = True

    def __init__(self, path: str | os.PathLike[str], registry: Registry | None = None) -> None:
        self.path = absolute(path)

    def render_GET(self, request: Request) -> Outcome:
        """The file. Raises NotFound, Forbidden, and ValueError for a head that is none."""
        try:
            file = open_at_once(self.path)
        except (OSError, ValueError) as error:
            raise refusal(error) from error
        try:
            head, start = self._head_of(file)
            _say(request, head)
            size = max(os.fstat(file.fileno()).st_size - start, 0)
            pieces = request._pieces(size, request.defaultContentType)
            if pieces is None:
                pieces = [Span(0, size)]
            return send_file(request, file, [_shifted(piece, start) for piece in pieces])
        except BaseException:
            file.close()
            raise

    def _head_of(self, file: IO[bytes]) -> tuple[CGIHead, int]:
        """What the file says of its answer, and where the body begins. Raises ValueError."""
        data = file.read(MAX_CGI_HEAD)
        try:
            head, body = split_cgi_head(data) or (data, b"")
            return parse_cgi_head(head), len(data) - len(body)
        except BadMessage as fault:
            raise ValueError(f"{self.path}: {fault}") from fault


def _say(request: Request, head: CGIHead) -> None:
    request.setResponseCode(head.code, head.phrase)
    for name, value in head.fields:
        if name.lower() != b"content-length":
            request.responseHeaders.addRawHeader(name, value)


def _shifted(piece: bytes | Span, by: int) -> bytes | Span:
    return Span(piece.start + by, piece.stop + by) if isinstance(piece, Span) else piece

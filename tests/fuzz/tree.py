"""A site with a page for every road that a stranger's bytes can take."""

import asyncio
import io
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.web.trees import Page, tree
from weblayer.web.errors import BadRequest, Forbidden
from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.site import Site
from weblayer.web.static import File
from weblayer.web.util import redirectTo

__all__ = ["SECRET", "folder", "site"]

# What lies beside the folder that is served, and must never leave.
SECRET = b"the secret beside the root"

NETWORKS = ["192.0.2.0/24"]  # where the client in memory comes from
BELIEVED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-ID")


def site(files: Path, log: io.StringIO) -> Site:
    """All the pages, a log, and a proxy that is believed."""
    return Site(_tree(files), logPath=log, trustedProxies=NETWORKS, proxyFields=BELIEVED)


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder `site` with a few files, with a secret beside it and a link that leads there."""
    made = tempfile.TemporaryDirectory()
    root = Path(made.name) / "site"
    (root / "in").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root.parent / "secret").write_bytes(SECRET)
    (root / ".hidden" / "secret").write_bytes(SECRET)
    (root / "out").symlink_to(root.parent / "secret")
    (root / "a.txt").write_text("hello, a file\n")
    (root / "in" / "index.html").write_text("<p>inside")
    (root / "<script>.txt").write_text("odd")
    return made


def _tree(files: Path) -> object:
    return tree(
        form=Page(_form),
        json=Page(lambda request: {"read": repr(request.json())}),
        text=Page(lambda request: {"read": request.text()}),
        echo=Page(lambda request: request.content.read()),
        stream=Page(_stream, Policy(takesBody="stream")),
        ignore=Page(lambda request: b"ignored", Policy(takesBody="ignore")),
        files=File(files, listing=True),
        go=Page(_go),
        said=Page(_said),
        page=Page(_page, Policy(compress=True, sendsID=True)),
        links=Page(_links),
        cookie=Page(lambda request: request.receivedCookies),
        later=Page(_later),
        fail=Page(_fail),
    )


def _form(request: Request) -> dict[str, object]:
    files = {
        name: [(upload.filename, upload.size) for upload in uploads]
        for name, uploads in request.files.items()
    }
    return {"args": dict(request.args), "files": files}


async def _stream(request: Request) -> str:
    return str(sum([len(piece) async for piece in request.stream()]))


def _go(request: Request) -> bytes:
    to = request.args.get("to", ["/"])[0]  # bytes that are no UTF-8 are surrogates in it
    return redirectTo("./" + quote(to, errors="surrogateescape"), request)


def _said(request: Request) -> bytes:
    """All that is said, in the head of the answer, where it may stand there."""
    for said in request.args.get("to", []):
        try:
            request.setHeader("X-Said", said)
            request.addCookie("said", said, path=said)
            request.setResponseCode(200, said)
        except ValueError as error:
            raise BadRequest(str(error)) from error
    return b"said"


def _page(request: Request) -> str:
    request.setETag("x")
    return "hello " * 500


def _links(request: Request) -> list[str]:
    return [
        request.childLink("a:b"), request.siblingLink("ü"), request.prePathURL(),
        request.rootURL("a", "b"), request.getRequestHostname(), str(request.getClientAddress()),
        request.id,
    ]  # fmt: skip


async def _later(request: Request) -> bytes:
    await asyncio.sleep(1)
    return b"a second later"


def _fail(request: Request) -> bytes:
    raise Forbidden(f"{request.path} is not for you")

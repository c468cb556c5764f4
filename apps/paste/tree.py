"""The tree of a paste bin.

/            the form, and the recent ones; POST takes a text as it is and answers its address
/new         POST takes the form
/ID          a paste as a page
/ID/raw      the same as plain text
/style/...   how it looks
"""

from pathlib import Path

from pastes import Paste, Pastes

from weblayer import BadRequest, File, NotFound, Policy, Request, Resource, Templates, redirectTo
from weblayer.web.filetext import formatFileSize

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "static"

MIB = 1024 * 1024

# What a page shows of a long paste; /raw has all of it.
SHOWN_BYTES, SHOWN_LINES = 256 * 1024, 5000

# Pages of ours run no scripts and load nothing from elsewhere, whatever is pasted into them.
SECURITY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"

templates = Templates(HERE / "templates", size=formatFileSize)


def page(request: Request, name: str, **facts: object) -> str:
    """The page *name*, made of *facts*."""
    request.setHeader("Content-Security-Policy", SECURITY)
    return templates.page(name, root=request.rootLink(), **facts)


class Bin(Resource):
    """The root: a paste is found below it by its name."""

    def __init__(self, pastes: Pastes, most: int) -> None:
        self.pastes = pastes
        self.putChild("", Front(pastes, most))
        self.putChild("new", New(pastes, most))
        style = Resource()
        style.putChild("weblayer.css", File(STATIC / "weblayer.css"))
        style.putChild("paste.css", File(HERE / "paste.css"))
        style.putChild("favicon.svg", File(STATIC / "favicon.svg"))
        self.putChild("style", style)

    def getChild(self, name: str, request: Request) -> Resource:
        if paste := self.pastes.find(name):
            return Page(paste)
        raise NotFound("There is no paste at this address. It may have been one that is gone.")


class Front(Resource):
    """The form and the recent ones; a text that is posted here is kept as it comes."""

    def __init__(self, pastes: Pastes, most: int) -> None:
        self.pastes, self.most = pastes, most
        self.policy = Policy(takesBody="stream", maxBody=most)

    def render_GET(self, request: Request) -> str:
        return page(
            request, "front.html", recent=self.pastes.recent(20), here=request.rootURL(),
            most=self.most,
        )  # fmt: skip

    async def render_POST(self, request: Request) -> str:
        with self.pastes.new("list" in request.args) as (name, file):
            async for piece in request.stream():
                file.write(piece)
            must_not_be_empty(file.tell())
        url = request.rootURL(name)
        request.setResponseCode(201)
        request.setHeader("Location", url)
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        return f"{url}\n"


class New(Resource):
    """What the form is sent to."""

    def __init__(self, pastes: Pastes, most: int) -> None:
        self.pastes = pastes
        # In a form, any byte may be written as three.
        self.policy = Policy(takesBody="spool", maxBody=3 * most)

    def render_POST(self, request: Request) -> bytes:
        text = request.args.get("text", [""])[0].replace("\r\n", "\n")  # as forms write lines
        must_not_be_empty(len(text.strip()))
        with self.pastes.new("list" in request.args) as (name, file):
            file.write(text.encode(errors="surrogateescape"))
        return redirectTo(request.siblingLink(name), request, 303)


class Page(Resource):
    """One paste."""

    def __init__(self, paste: Paste) -> None:
        self.paste = paste
        self.putChild("raw", File(paste.path, defaultType="text/plain; charset=utf-8"))

    def render_GET(self, request: Request) -> str:
        lines = self.paste.read(SHOWN_BYTES).removesuffix("\n").split("\n")
        is_long = self.paste.size > SHOWN_BYTES or len(lines) > SHOWN_LINES
        return page(
            request, "paste.html", paste=self.paste, lines=lines[:SHOWN_LINES], is_long=is_long,
            here=request.rootURL(self.paste.name),
        )  # fmt: skip


def must_not_be_empty(size: int) -> None:
    """Raises BadRequest for a paste of nothing."""
    if not size:
        raise BadRequest("There was nothing to keep: the text is empty.")

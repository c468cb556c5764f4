"""A tree with types: a type checker, and nobody else, reads this program."""

from pathlib import Path

from weblayer import (
    Data,
    File,
    NotFound,
    Policy,
    Redirect,
    Request,
    Resource,
    Site,
    reactor,
    redirectTo,
)
from weblayer.loop.address import Address


class Shop(Resource):
    policy = Policy(maxBody=100)

    def __init__(self, stock: dict[str, int]) -> None:
        self.stock = stock

    def getChild(self, name: str, request: Request) -> Resource:
        if name not in self.stock:
            raise NotFound("none")
        return Shelf(self.stock[name])


class Shelf(Resource):
    def __init__(self, n: int) -> None:
        self.n = n

    def render_GET(self, request: Request) -> dict[str, int]:
        return {"n": self.n}

    def render_POST(self, request: Request) -> bytes:
        more = int(request.args["more"][0])
        request.setHeader("x", str(more))
        for upload in request.files["photo"]:
            Path(upload.safeName).write_bytes(upload.file.read())
        return redirectTo("/", request)


root = Shop({"a": 1})
root.putChild("static", File("static", listing=True))
root.putChild("data", Data(b"x", "text/plain"))
root.putChild("old", Redirect("/new"))
port = reactor.listenTCP(8080, Site(root), interface="127.0.0.1")
host: Address = port.getHost()

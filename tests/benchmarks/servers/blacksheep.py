"""blacksheep on uvicorn, with httptools and uvloop."""

from pathlib import Path

from blacksheep import Application, Content, Request, Response, get, json, post
from blacksheep.server.rendering.jinja2 import JinjaRenderer
from blacksheep.server.responses import view
from blacksheep.sessions import SessionMiddleware
from blacksheep.sessions.cookies import CookieSessionStore
from blacksheep.settings.html import html_settings
from jinja2 import DictLoader

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HELLO_PATHS, PERSON
from tests.benchmarks.servers.page import FOLDER, NAME, VALUES
from tests.benchmarks.servers.promise import later
from tests.benchmarks.servers.uvicorn import run

HTML = CONTENT_TYPE.encode()

# Only where it is used: the other routes would pay for it.
SESSIONS = SessionMiddleware(CookieSessionStore("what nobody else knows"))


def answer(body: bytes) -> Response:
    return Response(200, content=Content(HTML, body))


async def hello() -> Response:
    return answer(HELLO)


async def deferred() -> Response:
    return answer(await later())


async def person() -> Response:
    return json(PERSON)


async def template() -> Response:
    return view("prices", VALUES)


async def enter(request: Request) -> Response:
    return await SESSIONS(request, greet)


async def greet(request: Request) -> Response:
    request.session["greeting"] = HELLO.decode()
    return answer(b"")


async def session(request: Request) -> Response:
    return await SESSIONS(request, greeting)


async def greeting(request: Request) -> Response:
    return answer(request.session["greeting"].encode())


async def echo(request: Request) -> Response:
    return answer(await request.read() or b"")


def application() -> Application:
    # It looks for names that end in `.jinja`.
    text = Path(FOLDER, NAME).read_text()
    html_settings.use(JinjaRenderer(DictLoader({"prices.jinja": text})))
    for path in HELLO_PATHS:
        get(path)(hello)
    for handler in deferred, template, enter, session:
        get(f"/{handler.__name__}")(handler)
    get("/json")(person)
    post("/echo")(echo)
    return Application()


if __name__ == "__main__":
    run(application())

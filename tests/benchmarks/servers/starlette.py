"""Starlette on uvicorn, with httptools and uvloop."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HELLO_PATHS, PERSON
from tests.benchmarks.servers.page import FOLDER, NAME, VALUES
from tests.benchmarks.servers.promise import later
from tests.benchmarks.servers.uvicorn import run

# Given as a header and not as media_type, which would add a charset that the others do not send.
HEADERS = {"content-type": CONTENT_TYPE}

PAGES = Jinja2Templates(FOLDER)

# Only where it is used: the other routes would pay for it.
SESSIONS = [Middleware(SessionMiddleware, secret_key="what nobody else knows")]


async def hello(request: Request) -> Response:
    return Response(HELLO, headers=HEADERS)


async def deferred(request: Request) -> Response:
    return Response(await later(), headers=HEADERS)


async def person(request: Request) -> Response:
    return JSONResponse(PERSON)


async def template(request: Request) -> Response:
    return PAGES.TemplateResponse(request, NAME, VALUES)


async def enter(request: Request) -> Response:
    request.session["greeting"] = HELLO.decode()
    return Response()


async def session(request: Request) -> Response:
    return Response(request.session["greeting"], headers=HEADERS)


async def echo(request: Request) -> Response:
    return Response(await request.body(), headers=HEADERS)


def application() -> Starlette:
    return Starlette(
        routes=[
            *(Route(path, hello) for path in HELLO_PATHS),
            Route("/deferred", deferred),
            Route("/json", person),
            Route("/template", template),
            Route("/enter", enter, middleware=SESSIONS),
            Route("/session", session, middleware=SESSIONS),
            Route("/echo", echo, methods=["POST"]),
        ]
    )


if __name__ == "__main__":
    run(application())

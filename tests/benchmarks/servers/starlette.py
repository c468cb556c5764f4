"""Starlette on uvicorn, with httptools and uvloop."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.benchmarks.servers import CONTENT_TYPE, HELLO
from tests.benchmarks.servers.uvicorn import run

# Given as a header and not as media_type, which would add a charset that the others do not send.
HEADERS = {"content-type": CONTENT_TYPE}


async def hello(request: Request) -> Response:
    return Response(HELLO, headers=HEADERS)


async def echo(request: Request) -> Response:
    return Response(await request.body(), headers=HEADERS)


def application() -> Starlette:
    greetings = [Route(path, hello) for path in ("/", "/one/two", "/async")]
    return Starlette(routes=[*greetings, Route("/echo", echo, methods=["POST"])])


if __name__ == "__main__":
    run(application())

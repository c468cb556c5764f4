"""Starlette's StaticFiles on uvicorn, with httptools and uvloop."""

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tests.benchmarks.servers.files import CERTIFICATE, FOLDER
from tests.benchmarks.servers.uvicorn import run

if __name__ == "__main__":
    run(Starlette(routes=[Mount("/", StaticFiles(directory=FOLDER))]), ssl_certfile=CERTIFICATE)

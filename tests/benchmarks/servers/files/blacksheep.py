"""blacksheep's files on uvicorn, with httptools and uvloop."""

from blacksheep import Application

from tests.benchmarks.servers.files import CERTIFICATE, FOLDER
from tests.benchmarks.servers.uvicorn import run


def application() -> Application:
    app = Application()
    app.serve_files(FOLDER)
    return app


if __name__ == "__main__":
    run(application(), ssl_certfile=CERTIFICATE)

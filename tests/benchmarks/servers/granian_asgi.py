"""The raw ASGI application on granian, in one worker."""

from granian.constants import Interfaces

from tests.benchmarks.servers.granian_rsgi import run

if __name__ == "__main__":
    run("tests.benchmarks.servers.asgi:app", Interfaces.ASGI)

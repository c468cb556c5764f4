"""Asking from a plain script: every call waits for its end."""

import asyncio
import subprocess
import sys

import pytest

import weblayer.sync
from tests.client.echo import Echo
from tests.client.test_sockets import standard_server
from tests.programs import ROOT
from weblayer.client.error import BadStatus
from weblayer.loop.error import ConnectionRefusedError  # noqa: A004  the field's name


@pytest.fixture
def server():
    """The address of an echo."""
    with standard_server(Echo) as address:
        yield address


@pytest.mark.parametrize("verb", ["get", "head", "post", "put", "patch", "delete"])
def test_each_verb_waits_for_its_answer(server, verb):
    """As a function, and of a session; the body is there."""
    with weblayer.sync.Session() as session:
        for one in (getattr(weblayer.sync, verb), getattr(session, verb)):
            response = one(server + "/", params={"a": "b"})
            assert (response.code, response.phrase) == (200, "OK")
            assert response.headers.getHeader("content-type") == "application/json"
            if verb == "head":
                assert response.content() == b""
            else:
                assert response.json()["method"] == verb.upper()
                assert response.text().encode() == response.content()
    assert weblayer.sync.request("GET", server + "/redirect?/x").uri == server + "/x"


def test_a_session_shares_connections_and_cookies(server):
    """As the one that is awaited."""
    with weblayer.sync.Session(headers={"X-A": "1"}) as session:
        session.get(server + "/cookie")
        first, second = (session.get(server).json() for _ in range(2))
        assert first["peer"] == second["peer"]
        assert second["headers"]["cookie"] == "crumb=1"
        assert second["headers"]["x-a"] == "1"
        assert len(session.cookieJar) == 1
    session.close()  # once more does no harm


def test_errors_are_raised(server):
    """What is raised where it is awaited is raised here."""
    with pytest.raises(BadStatus):
        weblayer.sync.get(server + "/status/500").raiseForStatus()
    with pytest.raises(ConnectionRefusedError):
        weblayer.sync.get("http://127.0.0.1:1/")


def test_nothing_waits_inside_a_loop(server):
    """It would stop everything else; the error names what to write instead."""

    async def scenario():
        with pytest.raises(RuntimeError, match="await"):
            weblayer.sync.get(server)
        with pytest.raises(RuntimeError, match="await"):
            weblayer.sync.Session()

    asyncio.run(scenario())


def test_nothing_is_left_open(server):
    """No warning of a socket or a loop that nobody closed."""
    code = f"import weblayer.sync as s; print(s.get({server!r}).code)"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", "")

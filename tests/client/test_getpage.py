"""The field's shortest way: a page as bytes, or in a file, by a Deferred."""

import io
import json

import pytest

import weblayer.client
from tests.client.echo import Echo
from tests.client.test_sockets import standard_server
from weblayer.client.error import BadStatus, BodyTooLarge, ResponseFailed
from weblayer.client.getpage import downloadPage, getPage
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ConnectError


@pytest.fixture
def asking(reactor):
    """Run a coroutine function with the address of an echo."""

    def run(scenario):
        with standard_server(Echo) as server:
            reactor.drive(scenario(server))

    return run


def test_a_page_is_a_deferred_of_its_bytes(asking):
    """With what `request` takes."""

    async def scenario(server):
        page = getPage(server + "/a", "POST", json={"b": 1}, headers={"X-C": "d"})
        assert isinstance(page, Deferred)
        told = json.loads(await page)
        assert (told["method"], told["path"], told["headers"]["x-c"]) == ("POST", "/a", "d")
        assert json.loads(told["body"]) == {"b": 1}

    asking(scenario)


def test_callbacks_are_given_the_page(asking):
    """As programs of the field have it."""

    async def scenario(server):
        told = []
        await getPage(server + "/a").addCallback(json.loads).addCallback(told.append)
        assert told[0]["path"] == "/a"

    asking(scenario)


@pytest.mark.parametrize("ask", [getPage, lambda url, **asked: downloadPage(url, io.BytesIO())])
def test_an_error_of_the_server_is_a_failure(ask, asking):
    """And so is a server that is not there."""

    async def scenario(server):
        with pytest.raises(BadStatus, match="404"):
            await ask(server + "/status/404")
        with pytest.raises(ConnectError):
            await ask("http://127.0.0.1:1/")

    asking(scenario)


def test_a_page_has_a_bound(asking):
    """More than it is a failure."""

    async def scenario(server):
        with pytest.raises(BodyTooLarge):
            await getPage(server + "/a", maxSize=10)

    asking(scenario)


def test_a_page_is_saved(asking, tmp_path):
    """Under a path, in place of what was there, or in a file that stays open."""

    async def scenario(server):
        path, opened = tmp_path / "page.json", io.BytesIO()
        path.write_text("old")
        await downloadPage(server + "/a", path)
        await downloadPage(server + "/a", opened)
        assert json.loads(path.read_bytes())["path"] == "/a"
        assert json.loads(opened.getvalue())["path"] == "/a"
        assert list(tmp_path.iterdir()) == [path]

    asking(scenario)


def test_what_is_not_whole_replaces_nothing(asking, tmp_path, monkeypatch):
    """The old page stays, and nothing of the new one."""

    async def scenario(server):
        path = tmp_path / "page.json"
        path.write_text("old")
        with pytest.raises(BadStatus):
            await downloadPage(server + "/status/500", path)
        monkeypatch.setattr(Echo, "do_GET", cut_short)
        with pytest.raises(ResponseFailed):
            await downloadPage(server + "/a", path)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    asking(scenario)


def cut_short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.close_connection = True


def test_they_stand_beside_the_verbs():
    """`from weblayer.client import getPage`."""
    assert (weblayer.client.getPage, weblayer.client.downloadPage) == (getPage, downloadPage)

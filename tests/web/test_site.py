"""The site: the factory of connections, and what they share."""

import re
import time

import pytest

from tests.web.trees import Page
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.request import Request
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.testing import Conversation, ask
from weblayer.wire.dates import parse_date

hello = Page(lambda request: b"hello")


@pytest.mark.parametrize("wrong", [None, b"bytes", Resource, object()])
def test_a_site_needs_a_resource(wrong):
    """The mistake is told where it is made."""
    with pytest.raises(TypeError, match="resource must be"):
        Site(wrong)


def test_every_answer_says_when_and_who():
    """Date is now, and Server names the program without its version."""
    answer = ask(hello)
    assert abs(parse_date(answer.getHeader("date").encode()) - time.time()) < 5
    assert answer.getHeader("server") == "weblayer"
    assert not re.search(rb"\d\.\d", answer.getHeader("server").encode())


def test_the_server_may_have_another_name():
    """serverName is what Server says."""
    site = Site(hello)
    site.serverName = b"mine"
    assert ask(site).getHeader("server") == "mine"


def test_the_requests_may_be_the_programs_own():
    """requestFactory makes them, with their own defaults and methods."""

    class Mine(Request):
        defaultContentType = "text/plain"

        def shout(self):
            return self.path.upper()

    site = Site(Page(lambda request: request.shout()), Mine)
    answer = ask(site, "GET", "/loud")
    assert (answer.text(), answer.getHeader("content-type")) == (
        "/LOUD",
        "text/plain; charset=utf-8",
    )


def test_a_request_knows_its_site():
    """What a program hangs on its site is there for every resource."""
    site = Site(Page(lambda request: request.site.greeting))
    site.greeting = "good day"
    assert ask(site).text() == "good day"


def test_the_timeout_is_the_sites():
    """A connection may be silent for as long as the site says, by its clock."""
    clock = Clock()
    peer = MemoryPeer(Site(hello, reactor=clock, timeout=5))
    clock.pump([1] * 5)
    peer.pump()
    assert not peer.isClosed
    clock.pump([1] * 2)
    peer.pump()
    assert peer.isClosed


def test_one_site_serves_many_connections():
    """They share the tree and nothing else."""
    site = Site(Page(lambda request: request.uri))
    first, second = Conversation(site), Conversation(site)
    first.ask("GET", "/1")
    second.ask("GET", "/2")
    first.close()
    second.ask("GET", "/3")
    assert [answer.text() for answer in second.answers] == ["/2", "/3"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"limits": {"maxHead": 9000}}, TypeError),
        ({"deadlines": 3}, TypeError),
        ({"timeout": "30"}, ValueError),
        ({"timeout": None}, ValueError),
        ({"timeout": -1}, ValueError),
    ],
)
def test_a_wrong_setting_is_told_where_it_is_made(options, error):
    """By its name; else each connection would fail, or none would end."""
    with pytest.raises(error, match=f"{next(iter(options))} must be"):
        Site(Resource(), **options)

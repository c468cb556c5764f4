"""Samples of our pages, executed: nothing they name is invented, and what they serve is asked."""

import shlex
from base64 import b64encode
from pathlib import Path

import weblayer
from tests.web import bodies
from weblayer.loop.reactor import Reactor
from weblayer.web.testing import Conversation

# Longer than any sample waits; it passes at once.
AN_HOUR = 3600


class Stage(Reactor):
    """A reactor that notes which sites would be served, and serves none."""

    def __init__(self):
        super().__init__()
        self.sites = []

    def listenTCP(self, port, factory, **options):
        assert port == 8080
        self.sites.append(factory)

    def run(self, installSignalHandlers=True):
        assert self.sites, "it runs, and serves nothing"


def execute(sample, monkeypatch):
    """Run a sample's text; its names, and the site that it serves (None without one)."""
    stage = Stage()
    monkeypatch.setattr(weblayer, "reactor", stage)
    names = {"__name__": "__main__"}
    exec(compile(sample, "<sample>", "exec", dont_inherit=True), names)
    return names, stage.sites[-1] if stage.sites else None


def answer(tree, method, target, headers=None, body=b""):
    """What a site or a resource answers in the end, however long it takes."""
    with Conversation(tree) as conversation:
        conversation.ask(method, target, headers, body)
        conversation.advance(AN_HOUR)
        conversation.waitFor(lambda: conversation.isWhole)  # what threads and processes are at
        return conversation.last


def curl(site, command):
    """What a command of curl would print, as far as our pages use it.

    curl [-u USER:PASSWORD] [-X METHOD] [-d DATA | -F NAME=VALUE | -F NAME=@FILE ...] URL
    """
    *options, url = shlex.split(command)[1:]
    pairs = list(zip(options[::2], options[1::2], strict=True))
    given = dict(pairs)
    assert set(given) <= {"-u", "-X", "-d", "-F"}
    host, slash, path = url.partition("/")
    assert host == "localhost:8080"
    headers, body = {}, given.get("-d", "").encode()
    if "-d" in given:
        headers = bodies.URLENCODED
    elif "-F" in given:
        headers = bodies.MULTIPART
        body = bodies.form(*(part(value) for option, value in pairs if option == "-F"))
    method = given.get("-X", "POST" if headers else "GET")
    if "-u" in given:
        user = b64encode(given["-u"].encode()).decode()
        headers = {**headers, "Authorization": f"Basic {user}"}
    return answer(site, method, slash + path, headers, body).text()


def part(argument):
    """The part that curl makes of an argument of -F."""
    name, _, value = argument.partition("=")
    if not value.startswith("@"):
        return bodies.field(name, value.encode())
    path = Path(value[1:])
    return bodies.file(name, path.name, path.read_bytes())

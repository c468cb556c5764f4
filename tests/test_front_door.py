"""The front door: every name behind it is there, and nothing is loaded before it is touched."""

import ast
import os
import subprocess
import sys
from importlib import import_module
from inspect import getsource

import pytest

import weblayer
from tests.programs import ROOT

NAMES = sorted(set(weblayer.__all__) - {"__version__", "reactor"})


def promised():
    """The names that a type checker is told of, each with the module it comes from."""
    tree = ast.parse(getsource(weblayer))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname: (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def loaded_by(code, **variables):
    """The modules that a fresh interpreter has once it has run *code*."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, cwd=ROOT, check=True, env={**os.environ, **variables},
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name):
    """A name of the front door is the one of the module where a type checker finds it."""
    module, original = promised()[name]
    assert original == name
    assert getattr(weblayer, name) is getattr(import_module(module), name)
    assert name in import_module(module).__all__


def test_type_checkers_and_python_see_the_same_names():
    """What is promised is what is loaded, no more and no less."""
    assert sorted(promised()) == NAMES
    assert set(dir(weblayer)) == set(weblayer.__all__)


def test_the_reactor_is_made_once():
    """The reactor behind the door is the one that all of the program shares."""
    from weblayer.loop.reactor import theReactor

    assert weblayer.reactor is theReactor()


def test_importing_weblayer_loads_nothing():
    """Who only asks for the version pays for no event loop, and for no room of ours."""
    loaded = loaded_by("import weblayer; weblayer.__version__")
    assert "weblayer" in loaded
    assert "asyncio" not in loaded
    assert [name for name in loaded if name.startswith("weblayer.")] == []


def test_a_name_loads_only_what_it_needs():
    """A program of promises and timers carries no web."""
    loaded = loaded_by("from weblayer import Deferred, deferLater, reactor")
    assert "weblayer.loop.task" in loaded
    assert [name for name in loaded if name.startswith(("weblayer.web", "weblayer.wire"))] == []


HELLO = """
from weblayer import Resource, Site, reactor
import _socket
class Hello(Resource):
    isLeaf = True
    def render_GET(self, request):
        return "Hello, web!"
port = reactor.listenTCP(0, Site(Hello()), interface="127.0.0.1")
peer = _socket.socket()
peer.connect(("127.0.0.1", port.getHost().port))
peer.send(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
def arrived():
    reactor.loop.remove_reader(peer.fileno())
    reactor.stop()
reactor.loop.add_reader(peer.fileno(), arrived)
reactor.run()
assert peer.recv(15) == b"HTTP/1.1 200 OK"
peer.close()
"""

# What few programs need, and takes a fifth of a millisecond or more to import, some of it several.
SELDOM = set(
    "weblayer.loop.adopt weblayer.loop.connectors weblayer.loop.endpoints weblayer.loop.eyeballs"
    " weblayer.loop.process weblayer.loop.securing weblayer.loop.spawn weblayer.loop.ssl"
    " weblayer.loop.stdio weblayer.loop.threadpool weblayer.loop.tls weblayer.loop.udp"
    " weblayer.web.compression weblayer.web.session weblayer.web.setcookie weblayer.web.template"
    " weblayer.wire.accept weblayer.wire.cachecontrol weblayer.wire.disposition weblayer.wire.link"
    " weblayer.wire.mediatype weblayer.wire.parameters"
    " calendar click email.message encodings.idna hashlib html http.client http.cookies ipaddress"
    " itsdangerous jinja2 json logging.handlers mimetypes pathlib random tempfile"
    " urllib.parse".split()
)

# Of ours: each costs 0.2 ms, of the 70 from the start of a hello to its first answer.
MOST_MODULES = 68


@pytest.fixture(scope="module")
def serving():
    """The modules that a server of one page has loaded when it has answered."""
    return set(loaded_by(HELLO)) - set(loaded_by("import asyncio, httptools"))


def test_a_server_starts_without_what_it_does_not_use(serving):
    """Who serves pages waits for no threads, no processes and no encryption to be loaded."""
    assert "weblayer.web.channel" in serving
    assert SELDOM & serving == set()


def test_a_server_starts_with_few_modules(serving):
    """What is loaded before the first answer grows by a decision, not by itself."""
    assert len([name for name in serving if name.startswith("weblayer")]) <= MOST_MODULES


REFUSED = """
from weblayer.commands.main import main
try:
    main(["web", "--path", "no/such/folder"])
except SystemExit as end:
    assert end.code
else:
    raise AssertionError
"""


def test_a_folder_is_served_without_what_few_folders_need():
    """No passwords, no client and no templates are loaded for the plain command."""
    rooms = ("weblayer.cred", "weblayer.client", "jinja2")
    assert [name for name in loaded_by(REFUSED) if name.startswith(rooms)] == []


def test_no_import_makes_a_loop():
    """A loop is made when something is to run, and only then is it seen that it cannot be."""
    names = ", ".join(NAMES)
    loaded_by(f"from weblayer import {names}, reactor", WEBLAYER_LOOP="no such loop")


def test_an_unknown_name_is_told_what_there_is():
    """A typing error is answered with the names that exist."""
    with pytest.raises(AttributeError, match=r"weblayer has no 'Resorce'; it has .*Resource"):
        weblayer.Resorce  # noqa: B018  the look-up is the test
    with pytest.raises(ImportError):
        from weblayer import Resorce  # noqa: F401

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
import socket
port = reactor.listenTCP(0, Site(Resource()), interface="127.0.0.1")
peer = socket.create_connection(("127.0.0.1", port.getHost().port))
peer.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
reactor.loop.add_reader(peer, reactor.stop)
reactor.run()
assert peer.recv(9) == b"HTTP/1.1 "
peer.close()
"""

# Of the modules that take a millisecond or more to import, those that few programs need.
SELDOM = set(
    "weblayer.loop.endpoints weblayer.loop.process weblayer.loop.securing weblayer.loop.spawn"
    " weblayer.loop.stdio weblayer.loop.threadpool tempfile email.message http.client click".split()
)


def test_a_server_starts_without_what_it_does_not_use():
    """Who serves pages waits for no threads, no processes and no encryption to be loaded."""
    loaded = loaded_by(HELLO)
    assert "weblayer.web.channel" in loaded
    assert SELDOM & set(loaded) == set()


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

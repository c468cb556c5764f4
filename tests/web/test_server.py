"""The roof under which the field's programs look for the server."""

from importlib import import_module

import pytest

from weblayer.web import server


@pytest.mark.parametrize(
    ("name", "home"),
    [("NOT_DONE_YET", "request"), ("Request", "request"), ("Session", "session"), ("Site", "site")],
)
def test_the_names_are_those_of_their_modules(name, home):
    """`from weblayer.web.server import Site` is the one Site."""
    assert getattr(server, name) is getattr(import_module(f"weblayer.web.{home}"), name)

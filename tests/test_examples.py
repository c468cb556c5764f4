"""Every example runs as its docstring says, answers over a real socket, and stops politely."""

import http.client
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.programs import LIMIT, ROOT, Program, ask

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def hello(port):
    assert ask(port, "/")[1] == ask(port, "/any/path/below")[1] == b"Hello, web!\n"
    assert ask(port, "/", "HEAD")[0].getheader("content-length") == "12"
    assert ask(port, "/", "DELETE")[0].getheader("allow") == "GET, HEAD, OPTIONS"


def static_site(port):
    response, body = ask(port, "/")
    assert body == (ROOT / "static/index.html").read_bytes()
    again, nothing = ask(
        port, "/", headers={"If-Modified-Since": response.getheader("last-modified")}
    )
    assert (again.status, nothing) == (304, b"")


def static_dispatch(port):
    assert b"planets" in ask(port, "/")[1]
    assert b"mars" in ask(port, "/planets/")[1]
    assert ask(port, "/planets/mars")[1] == b"Red, and cold.\n"
    assert ask(port, "/planets/pluto")[0].status == 404


def dynamic_page(port):
    assert b"<h1>" in ask(port, "/")[1]
    assert b"Good to see &lt;Ada&gt;." in ask(port, "/?name=%3CAda%3E")[1]


def dynamic_dispatch(port):
    assert ask(port, "/2024")[1] == b'{"year": 2024, "leap": true}'
    assert b"November 2026" in ask(port, "/2026/11")[1]
    response, body = ask(port, "/2026/13")
    assert response.status == 404
    assert b"months 1 to 12" in body


def redirect(port):
    response, _ = ask(port, "/old")
    assert (response.status, response.getheader("location")) == (302, "/coffee")
    response, _ = ask(port, ask(port, "/")[0].getheader("location"))
    assert ask(port, response.getheader("location"))[1].startswith(b"Have some ")


def form_post(port):
    assert b"<form" in ask(port, "/")[1]
    assert b"Hello, Zo\xc3\xab!" in ask(port, "/", "POST", urlencode({"name": "Zoë"}), FORM)[1]
    assert ask(port, "/", "POST", urlencode({"name": "a" * 2000}), FORM)[0].status == 413


def delayed(port):
    assert ask(port, "/deferred")[1] == b"At last!\n"
    assert ask(port, "/byhand")[1] == b"Wait... at last!\n"


def async_def(port):
    assert ask(port, "/Ada/Grace")[1] == b'["Ada says hello", "Grace says hello"]'


def streaming(port):
    assert ask(port, "/countdown")[1] == b"3\n2\n1\nLift-off!\n"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    connection.request("GET", "/numbers")
    endless = connection.getresponse()
    assert b"".join(endless.readline() for _ in range(1000)).split()[-1] == b"999"
    endless.close()
    connection.close()


ANSWERS = [
    hello, static_site, static_dispatch, dynamic_page, dynamic_dispatch, redirect, form_post,
    delayed, async_def, streaming,
]  # fmt: skip


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: answers.__name__)
def test_an_example_does_what_it_says(answers):
    """It prints its URL, answers, and ends at SIGTERM with nothing to complain of."""
    with Program(f"examples/{answers.__name__}.py", 0) as program:
        answers(program.port())
        assert program.stop() == (0, "", "")


def test_every_example_is_run():
    """There is no example that this module does not ask."""
    assert {path.stem for path in EXAMPLES} == {answers.__name__ for answers in ANSWERS}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_one_idea(path: Path):
    """At most forty lines, which come in by the front door and say how to run them."""
    text = path.read_text()
    assert len(text.splitlines()) <= 40
    assert f"Run `python examples/{path.name}`" in text
    assert "from weblayer import" in text
    assert "from weblayer." not in text

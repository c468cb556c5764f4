"""The paste bin: its tree in memory, and the program over a real socket."""

import http.client
import re
import signal
import sys
from urllib.parse import urlencode, urljoin

import pytest

from tests.programs import LIMIT, ROOT, Program, ask
from weblayer.web.testing import Conversation
from weblayer.web.testing import ask as ask_tree

sys.path.append(str(ROOT / "apps/paste"))  # where Python finds its modules when it is run

from pastes import Pastes
from tree import MIB, Bin

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HTML = {"Accept": "text/html"}
ADDRESS = re.compile(r"http://weblayer\.test/([a-km-np-z2-9]{16})\n")


@pytest.fixture
def tree(tmp_path):
    """The tree over an empty folder, in `tree.folder`."""
    tree = Bin(Pastes(tmp_path, most=3), MIB)
    tree.folder = tmp_path
    return tree


def kept(tree, body, target="/"):
    """The path of a paste that was sent as curl does."""
    answer = ask_tree(tree, "POST", target, FORM, body)
    assert answer.code == 201
    return "/" + ADDRESS.fullmatch(answer.text())[1]


def files(tree):
    """How many files there are."""
    return sum(path.is_file() for path in tree.folder.rglob("*"))


def test_what_is_sent_comes_back_byte_for_byte(tree):
    """The answer to a POST is an address, and /raw there is what was sent."""
    body = bytes(range(256)) * 1000
    path = kept(tree, body)
    answer = ask_tree(tree, "GET", path + "/raw")
    assert answer.body == body
    assert answer.getHeader("content-type") == "text/plain; charset=utf-8"
    assert answer.getHeader("x-content-type-options") == "nosniff"
    assert ask_tree(tree, "GET", path).code == 200


def test_a_page_shows_the_text_and_runs_none_of_it(tree):
    """Every character is escaped, and the policy allows no script besides."""
    page = ask_tree(tree, "GET", kept(tree, b"<script>alert('&amp;')</script>", "/?list"))
    front = ask_tree(tree, "GET", "/")
    for answer in (page, front):
        assert "<script" not in answer.text()
        assert "&lt;script&gt;" in answer.text()
        assert answer.getHeader("content-security-policy").startswith("default-src 'none'")
    assert "&amp;amp;" in page.text()


def test_the_form_leads_to_the_page(tree):
    """With lines as everyone writes them, and 303 so that loading again sends nothing twice."""
    body = urlencode({"text": "one\r\ntwo Zoë"}).encode()
    answer = ask_tree(tree, "POST", "/new", FORM, body)
    assert answer.code == 303
    raw = ask_tree(tree, "GET", urljoin("/new", answer.getHeader("location")) + "/raw")
    assert raw.text() == "one\ntwo Zoë"


@pytest.mark.parametrize(
    ("target", "body"), [("/", b""), ("/new", b""), ("/new", b"text=+%0D%0A"), ("/new", b"list=1")]
)
def test_nothing_is_not_kept(tree, target, body):
    """An empty text is refused in words."""
    answer = ask_tree(tree, "POST", target, FORM | {"Content-Length": str(len(body))}, body)
    assert answer.code == 400
    assert "nothing to keep" in answer.text()
    assert files(tree) == 0


def test_too_much_is_refused_before_it_is_sent(tree):
    """By its announced length alone."""
    answer = ask_tree(tree, "POST", "/", {"Content-Length": str(MIB + 1)})
    assert answer.code == 413
    assert files(tree) == 0


def test_too_much_without_a_length_is_refused_on_the_way(tree):
    """And what had come of it is gone."""
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    head = b"POST / HTTP/1.1\r\nHost: weblayer.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Conversation(tree) as conversation:
        conversation.send(head + chunk * 16)
        assert files(tree) == 1
        conversation.send(chunk, "POST")
        assert conversation.code == 413
    assert files(tree) == 0


def test_an_upload_that_breaks_off_leaves_nothing(tree):
    """Half a paste is none."""
    with Conversation(tree) as conversation:
        conversation.ask("POST", "/", {"Content-Length": "100"}, b"half of it")
        assert files(tree) == 1
        conversation.reset()
    assert files(tree) == 0


def test_only_what_was_to_be_listed_is_listed(tree):
    """The others are found by their address alone, which cannot be guessed."""
    secret, public = kept(tree, b"secret"), kept(tree, b"\n  public\nmore", "/?list")
    front = ask_tree(tree, "GET", "/").text()
    assert secret not in front
    assert f'<a href=".{public}">public</a>' in front
    assert ask_tree(tree, "GET", secret).code == 200


def test_the_oldest_go_when_there_are_too_many(tree):
    """Here, more than three."""
    paths = [kept(tree, b"%d" % number) for number in range(4)]
    assert [ask_tree(tree, "GET", path).code for path in paths] == [404, 200, 200, 200]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/..%2f..%2fetc%2fpasswd", "/hidden", "/aaaaaaaaaaaaaaaa", "/%00", "/new/x"],
)
def test_there_is_nothing_elsewhere(tree, path):
    """And a person is told so on a page."""
    answer = ask_tree(tree, "GET", path, HTML)
    assert answer.code == 404
    assert answer.getHeader("content-type") == "text/html; charset=utf-8"


def test_a_long_paste_shows_its_beginning(tree):
    """And says so; the plain text has all of it."""
    path = kept(tree, b"line\n" * 6000)
    page = ask_tree(tree, "GET", path).text()
    assert 'id="L5000"' in page
    assert 'id="L5001"' not in page
    assert "This is the beginning" in page


@pytest.mark.parametrize("name", ["weblayer.css", "paste.css", "favicon.svg"])
def test_all_that_a_page_needs_is_served(tree, name):
    """From its own address, as its policy demands."""
    assert ask_tree(tree, "GET", f"/style/{name}").code == 200
    assert f"./style/{name}" in ask_tree(tree, "GET", "/").text()


def test_the_program_keeps_pastes_over_a_restart(tmp_path):
    """Over a real socket: it says where it is, serves, stops politely, and forgets nothing."""
    with Program("apps/paste", "--port", 0, "--folder", tmp_path) as program:
        port = program.port()
        response, body = ask(port, "/", "POST", b"kept\n" * 50_000)
        assert response.status == 201
        path = "/" + body.decode().strip().rpartition("/")[2]
        assert body.decode().startswith(f"http://127.0.0.1:{port}/")
        assert program.stop(signal.SIGINT) == (0, "", "")
    (tmp_path / "coming/of-a-crash").touch()
    with Program("apps/paste", "--port", 0, "--folder", tmp_path) as program:
        port = program.port()
        assert ask(port, f"{path}/raw")[1] == b"kept\n" * 50_000
        assert ask(port, "/", headers=HTML)[0].status == 200
        assert program.stop() == (0, "", "")
    assert not (tmp_path / "coming/of-a-crash").exists()


def test_the_program_waits_to_be_told_to_send(tmp_path):
    """What is too large is refused before a client who asks first has sent a byte of it."""
    with Program("apps/paste", "--port", 0, "--folder", tmp_path) as program:
        connection = http.client.HTTPConnection("127.0.0.1", program.port(), timeout=LIMIT)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(2 * MIB))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 413
        assert b"1.0 MB" in response.read()
        connection.close()


def test_a_taken_port_is_told_in_a_sentence(tmp_path):
    """And not in a traceback."""
    with Program("apps/paste", "--port", 0, "--folder", tmp_path) as first:
        second = Program("apps/paste", "--port", first.port(), "--folder", tmp_path / "other")
        with second:
            code, _, complaint = second.end()
        assert code == 1
        assert complaint.startswith("paste: cannot listen on 127.0.0.1:")
        assert len(complaint.splitlines()) == 1

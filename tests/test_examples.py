"""Every example does what its docstring says, over a real socket, and stops politely."""

import http.client
import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256, sha384
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.certificates import OPENSSL, needs_openssl
from tests.programs import LIMIT, ROOT, Program, ask
from tests.terminals import Command, Socket, act, commands, transcript
from tests.web import bodies
from tests.web.logins import basic

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


def signed_link(port):
    hour, once = re.findall(r'href="([^"]+)"', ask(port, "/")[1].decode())
    assert [ask(port, url)[0].status for url in (hour, hour, once, once)] == [200, 200, 200, 410]
    assert ask(port, hour)[1] == (ROOT / "examples/hello.py").read_bytes()
    assert ask(port, hour.replace("hello", "upload"))[0].status == 403
    assert ask(port, "/files/hello.py")[0].status == 403


def templates(port):
    assert b'<a href="%3CBob%3E">&lt;Bob&gt;</a>' in ask(port, "/")[1]
    assert ask(port, "/%3CBob%3E")[1] == b"Was here.\n"
    response, _ = ask(port, "/", "POST", urlencode({"name": "Zoë"}), FORM)
    assert (response.status, response.getheader("location")) == (303, "./")
    assert "Zoë" in ask(port, "/")[1].decode()
    response, body = ask(port, "/nobody/here")
    assert (response.status, b"There is nothing" in body) == (404, True)
    assert b'<a href="../">' in body


def upload(port):
    assert b"multipart/form-data" in ask(port, "/")[1]
    film = bytes(range(256)) * 10_000
    body = bodies.form(bodies.file("file", "a.txt", b"abc"), bodies.file("file", "b.mp4", film))
    lines = ask(port, "/", "POST", body, bodies.MULTIPART)[1].decode().splitlines()
    assert lines == [
        f"{sha256(b'abc').hexdigest()}  a.txt (3 bytes)",
        f"{sha256(film).hexdigest()}  b.mp4 (2560000 bytes)",
    ]
    assert ask(port, "/", "POST", body[:-9], bodies.MULTIPART)[0].status == 400
    assert ask(port, "/", "POST", "name=a", FORM)[0].status == 415


def assets(port):
    page = ask(port, "/")[1].decode()
    style = re.search(r'href="\./(static/weblayer-[0-9a-f]{12}\.css)"', page)[1]
    response, body = ask(port, f"/{style}")
    assert body == (ROOT / "static/weblayer.css").read_bytes()
    assert "immutable" in response.getheader("cache-control")
    assert f"sha384-{b64encode(sha384(body).digest()).decode()}" in page


def extended_site(port):
    assert b"<title>Many parts" in ask(port, "/")[1]
    assert ask(port, "/home")[1] == ask(port, "/")[1]
    response, body = ask(port, "/cgi-bin/date/and/more")
    assert (response.status, body.splitlines()[1]) == (200, b"You asked for /and/more")
    assert ask(port, "/cgi-bin/")[0].status == 404
    assert ask(port, "/static/")[1] == (ROOT / "static/index.html").read_bytes()
    assert ask(port, "/sort", "POST", b"b\na\n")[1] == b"a\nb\n"
    if shutil.which("perl"):
        assert ask(port, "/greet?name=you")[1] == b"Hello, you!\n"


def sessions(port):
    response, first = ask(port, "/")
    cookie = {"Cookie": response.getheader("set-cookie").partition(";")[0]}
    assert first.startswith(b"Visit 1, ")
    assert ask(port, "/", headers=cookie)[1].startswith(b"Visit 2, ")
    response, _ = ask(port, "/leave", headers=cookie)
    assert "Max-Age=0" in response.getheader("set-cookie")
    assert re.match(rb"Visit 1, .* 1 have left", ask(port, "/", headers=cookie)[1])


def login_form(port):
    jar = http.cookiejar.CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    browser.addheaders = [("Accept", "text/html")]

    def load(path, **fields):
        body = urlencode(fields).encode() if fields else None
        with browser.open(f"http://127.0.0.1:{port}{path}", body, LIMIT) as response:
            page = response.read().decode()
        return response.url, page, re.search(r'name="csrf" value="(.+?)"', page)[1]

    address, page, token = load("/")
    assert "Log in" in page
    target = address.removeprefix(f"http://127.0.0.1:{port}")
    _, page, token = load(target, username="ada", password="lovelace", csrf=token)
    assert "Log out, ada" in page
    assert "<li>&lt;Hello&gt;</li>" in load("/", note="<Hello>", csrf=token)[1]
    with pytest.raises(HTTPError, match="403"):
        load("/", note="forged")
    assert "Log in" in load("/logout", csrf=load("/logout")[2])[1]


def basic_auth(port):
    assert b"private/" in ask(port, "/")[1]
    response, _ = ask(port, "/private/")
    assert (response.status, response.getheader("www-authenticate")[:6]) == (401, "Basic ")
    assert ask(port, "/private/", headers=basic("ada", "lovelace"))[0].status == 200


def digest_auth(port):
    assert ask(port, "/")[1] == b"Nothing yet.\n"
    assert ask(port, "/", "PUT", b"new")[0].status == 401
    if shutil.which("curl"):
        url = f"http://127.0.0.1:{port}/"
        put = ["curl", "-s", "--digest", "-T", "-", url, "-o", "-", "-w", "%{http_code}"]
        for user, code in ("bob:builder", b"403"), ("ada:lovelace", b"200"):
            done = subprocess.run([*put, "-u", user], input=b"new", capture_output=True, check=True)
            assert done.stdout.endswith(code)
        assert ask(port, "/")[1] == b"ada: new"


def user_folders(port):
    for user in ("ada:lovelace", "bob:builder"):
        name, _, password = user.partition(":")
        found = ask(port, "/welcome.txt", headers=basic(name, password))[1]
        assert found == f"This is {name}'s.\n".encode()
    assert ask(port, "/welcome.txt")[0].status == 401


def database_login(port):
    login = basic("ada", "lovelace")
    assert ask(port, "/", headers=login)[1] == b"Number 7, $scrypt$\n"
    assert ask(port, "/", headers=login)[1] == b"Number 7, $scrypt$\n"
    assert ask(port, "/")[0].status == 401


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
    upload, templates, signed_link, assets, extended_site, sessions, login_form, basic_auth,
    digest_auth, user_folders, database_login, delayed, async_def, streaming,
]  # fmt: skip


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: answers.__name__)
def test_a_web_example_does_what_it_says(answers):
    """It comes in by the front door, prints its URL, answers, and ends politely at SIGTERM."""
    assert "from weblayer." not in (ROOT / f"examples/{answers.__name__}.py").read_text()
    with example(answers.__name__) as program:
        answers(program.port())
        assert program.stop() == (0, "", "")


def test_one_portal_stands_behind_two_protocols(dial):
    """Lines and pages know the same user, and each has what is theirs."""
    with example("login_server") as server:
        page = server.port()
        command, _ = address(server)
        act(dial(command), transcript("login_server").lines)
        knows = dial(command)
        for line in ("ada lovelace", "Anybody?"):
            knows.say(line)
        assert [knows.hear(), knows.hear()] == ["Hello, ada.", "Anybody?"]
        with closing(Socket(command)) as guesses:  # a program may not end when it is hung up on
            guesses.say("ada")
            assert guesses.hear() == ""
        assert ask(page, "/", headers=basic("ada", "lovelace"))[1] == b"Hello, ada."
        assert ask(page, "/")[0].status == 401
        assert server.stop() == (0, "", "")


# Beyond the web: servers, each by a stranger who does as it prints, and by its own client.


@contextmanager
def example(name, *arguments, **variables):
    """A running example; one of a server's gets a free port."""
    with Program(ROOT / "examples" / f"{name}.py", *(arguments or [0]), **variables) as program:
        yield program


def address(program):
    """The command that a server prints, and the port in it."""
    command = program.lines("127.0.0.1")[-1].strip()
    return command, int(re.search(r"127\.0\.0\.1[ :](\d+)$", command)[1])


@pytest.fixture(params=[Command, Socket])
def dial(request):
    """A function that begins a conversation by a command; all are ended after the test."""
    if request.param is Command and not shutil.which("nc"):
        pytest.skip("the nc program is not installed")
    with ExitStack() as stack:
        yield lambda command: stack.enter_context(closing(request.param(command)))


# Says what man-db says, and with what it was called.
LS = "LS(1)                            User Commands                           LS(1)"
MAN = f"""#!/bin/sh
[ "$2" = no-such-page ] && echo "No manual entry for $2" >&2 && exit 16
echo "{LS}"
echo "$# $1 $2 $MANWIDTH $HOME."
"""


@pytest.fixture
def manual(tmp_path, monkeypatch):
    """A `man` of ours, first in the PATH."""
    program = tmp_path / "bin/man"
    program.parent.mkdir()
    program.write_text(MAN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.fixture
def nobody():
    """A TCP port that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


PAIRS = ["echo", "quote", "chat", "manual", "udp_echo"]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_server_does_as_it_shows(pair, dial, manual):
    """The command that it prints leads to what its docstring shows; SIGTERM ends it."""
    with example(f"{pair}_server") as server:
        command, _ = address(server)
        act(dial(command), transcript(f"{pair}_server").lines)
        assert server.stop() == (0, "", "")


def run(name, *arguments, typed="", folder=ROOT):
    """What a program prints, once it has ended with nothing to complain of."""
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / f"examples/{name}.py", *map(str, arguments)],
        input=typed.encode(), capture_output=True, timeout=LIMIT, cwd=folder, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


def assert_pair(pair):
    """Its server and its client, each in a process, do as the client's docstring shows."""
    shown = transcript(f"{pair}_client")
    with example(f"{pair}_server") as server:
        _, port = address(server)
        assert shown.fits(run(f"{pair}_client", port, *shown.arguments[1:], typed=shown.typed))
        assert server.stop(signal.SIGINT) == (0, "", "")


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_understands_each_other(pair, manual):
    """A server and its own client; Ctrl-C ends the server as SIGTERM does."""
    assert_pair(pair)


def test_the_manual_is_the_machine_s():
    """Where there is a manual, the page of `ls` begins as shown."""
    if subprocess.run(["/bin/sh", "-c", "man -w ls"], capture_output=True, check=False).returncode:
        pytest.skip("the machine has no manual page of ls")
    assert_pair("manual")


def echo_server(dial, command):
    caller = dial(command)
    for line in ("Hello", "", "Zoë"):
        caller.say(line)
        assert caller.hear() == line


def quote_server(dial, command):
    wise = ["Carpe diem.", "Look before you leap."]
    heard = []
    for quote in wise:
        caller = dial(command)
        caller.say(quote)
        heard.append(caller.hear())
    assert heard == ["An apple a day keeps the doctor away.", wise[0]]


def chat_server(dial, command):
    ada, zoe = dial(command), dial(command)
    assert ada.hear() == zoe.hear() == "What is your name?"
    ada.say("Ada")
    assert ada.hear() == "Ada: is here."
    for wrong in ("Ada", "", "two words"):
        zoe.say(wrong)
        assert zoe.hear() == "Letters and digits, please, and not another's."
    zoe.say("Zoë")
    assert ada.hear() == zoe.hear() == "Zoë: is here."
    zoe.say("clear\x1b[2J\rthe screen")
    assert ada.hear() == zoe.hear() == "Zoë: clear[2Jthe screen"
    ada.close()
    assert zoe.hear() == "Ada: has left."


def manual_server(dial, command):
    reader = dial(command)
    for line in ("ls", "ls; date", "--help", "../../etc/passwd", "printf"):
        reader.say(line)
    assert [reader.hear() for _ in range(7)] == [
        *(LS, "2 -- ls 80 ."),
        *["That is not the name of a page."] * 3,
        *(LS, "2 -- printf 80 ."),
    ]


SPOKEN = [echo_server, quote_server, chat_server, manual_server]


@pytest.mark.parametrize("speak", SPOKEN, ids=lambda speak: speak.__name__)
def test_a_server_speaks_with_anybody(speak, dial, manual):
    """With several at once, and with one who does not do as is shown."""
    with example(speak.__name__) as server:
        command, _ = address(server)
        speak(dial, command)
        assert server.stop() == (0, "", "")


# Encrypted half way.


def new_certificate(folder):
    """Make local.pem in a folder, as the docstring of the server says."""
    (made,) = commands("tls_echo_server")
    subprocess.run(made, shell=True, check=True, cwd=folder, capture_output=True)


@pytest.fixture
def encrypted(tmp_path):
    """The server with STLS, and a certificate: the command it prints, and its port."""
    new_certificate(tmp_path)
    with example("tls_echo_server", "local.pem", 0, cwd=tmp_path) as server:
        yield address(server)
        assert server.stop() == (0, "", "")


@needs_openssl
def test_starttls_with_openssl(encrypted, tmp_path):
    """What openssl makes of the command that is printed is what the docstring shows."""
    with closing(Command(encrypted[0], tmp_path)) as terminal:
        act(terminal, transcript("tls_echo_server").lines)


@needs_openssl
def test_starttls_with_its_own_client(encrypted, tmp_path):
    """The client does as it shows with a server that it can trust."""
    shown = transcript("tls_echo_client")
    assert run("tls_echo_client", *shown.arguments, encrypted[1], folder=tmp_path) == shown.said


@needs_openssl
def test_a_secret_is_told_to_nobody_else(encrypted, tmp_path):
    """A client that trusts another certificate ends, with nothing said, and says why."""
    other = tmp_path / "other"
    other.mkdir()
    new_certificate(other)
    said = run("tls_echo_client", "local.pem", encrypted[1], folder=other)
    assert said.startswith("The end: the certificate of localhost is refused: ")


@needs_openssl
def test_nothing_slips_in_before_starttls(encrypted, tmp_path):
    """What somebody on the way puts behind STLS is no part of the encrypted conversation."""
    import ssl

    context = ssl.create_default_context(cafile=tmp_path / "local.pem")
    with socket.create_connection(("127.0.0.1", encrypted[1]), LIMIT) as plain:
        assert plain.recv(100) == b"+OK Say STLS.\r\n"
        plain.sendall(b"STLS\r\nforged\r\nforged, and ")
        assert plain.recv(100) == b"+OK\r\n"
        with context.wrap_socket(plain, server_hostname="localhost") as secret:
            secret.sendall(b"true\r\n")
            assert secret.recv(100) == b"true\r\n"


# Anywhere: for each kind of place the words of the server, of its client, and of a stranger.

PLACES = {
    "tcp": ("tcp:0:interface=127.0.0.1", "tcp:127.0.0.1:{port}", "nc 127.0.0.1 {port}"),
    "unix": ("unix:shout.sock", "unix:shout.sock", "nc -U shout.sock"),
    "ssl": (
        "ssl:0:privateKey=local.pem",
        "tls:localhost:{port}:trustRoots=local.pem",
        "openssl s_client -quiet -verify_return_error -CAfile local.pem -connect 127.0.0.1:{port}",
    ),
}


@pytest.fixture(params=PLACES)
def shouting(request, tmp_path):
    """A server in one of the places: how its client and a stranger come to it."""
    where, client, stranger = PLACES[request.param]
    if request.param == "ssl":
        if OPENSSL is None:
            pytest.skip("the openssl program is not installed")
        new_certificate(tmp_path)
    with example("shout_server", where, cwd=tmp_path) as server:
        port = re.search(r"port=(\d+)|$", server.lines("Address(")[-1])[1]
        yield client.format(port=port), stranger.format(port=port)
        assert server.stop() == (0, "", "")


def test_a_server_anywhere_and_its_client(shouting, tmp_path):
    """The client does as it shows, wherever the server is."""
    shown = transcript("shout_client")
    said = run("shout_client", shouting[0], *shown.arguments[1:], folder=tmp_path)
    assert said == shown.said


def test_a_server_anywhere_and_a_stranger(shouting, tmp_path):
    """The protocol is the same over each kind of connection."""
    if not shutil.which(shouting[1].split()[0]):
        pytest.skip("the nc program is not installed")
    with closing(Command(shouting[1], tmp_path)) as terminal:
        act(terminal, ["> Is anybody there?", "IS ANYBODY THERE?"])


def test_a_server_says_where_it_is():
    """As its docstring shows; the port is another here."""
    (shown,) = transcript("shout_server").lines
    with example("shout_server", "tcp:0:interface=127.0.0.1") as server:
        (line,) = server.lines("Address(")
        assert re.sub(r"port=\d+", "port=8000", line) == shown + "\n"


# Programs that end by themselves.


def test_headlines_are_asked_for_at_once():
    """In the order asked, with what went wrong in its place."""
    assert run("headlines") == transcript("headlines").said


def test_geese_run_beside_the_loop():
    """What one thread does is in order, and the loop was never blocked."""
    said, shown = run("geese"), transcript("geese").said
    # How many dots there are before a line depends on how busy the machine is.
    assert re.sub(r"^\.*", "", said, flags=re.MULTILINE) == re.sub(
        r"^\.*", "", shown, flags=re.MULTILINE
    )
    assert said.startswith(".")
    assert said.count(".") >= 5


def test_a_looping_call_keeps_the_beat():
    """A call that takes longer than a beat has the next one left out, not late."""
    assert run("looping_call", 0.2) == transcript("looping_call").said


# Clients whose server is not there, or says nothing.


def test_a_client_says_that_nobody_is_there(nobody):
    """In its own words, or with the exit code 1 and ours in the log."""
    assert run("quote_client", nobody) == (
        f"No quotes today: nobody listens on 127.0.0.1:{nobody}\n"
    )
    with example("echo_client", nobody) as client:
        code, said, complained = client.end()
        assert (code, said) == (1, "")
        assert f"nobody listens on 127.0.0.1:{nobody}" in complained


def test_a_datagram_that_nobody_takes_is_told_of():
    """The port is taken, by a socket that receives from one address alone."""
    with socket.socket(type=socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.connect(("127.0.0.1", 9))
        assert run("udp_echo_client", deaf.getsockname()[1]) == "No answer: nobody is there\n"


def test_a_client_comes_again_until_it_is_told_to_stop():
    """Though nobody listens at first, and the connection is lost later; as its docstring shows."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(LIMIT)
        port = listening.getsockname()[1]
        with example("reconnecting_client", port) as client:
            seen = client.lines("again in about")
            listening.listen()
            for _ in range(2):
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(connection.recv(100))
                    seen += client.lines("It says")
                seen += client.lines("It is gone")
            assert client.stop() == (0, "", "")
    # A second attempt may have failed before the server listened.
    once = [line.replace(str(port), "8000") for line in seen if "about 1.4 s" not in line]
    assert "".join(once).startswith(transcript("reconnecting_client").said)


@pytest.mark.parametrize("name", ["echo", "quote", "chat", "manual", "reconnecting"])
def test_a_client_that_waits_can_be_stopped(name):
    """By Ctrl-C, while its server keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LIMIT)
        with example(f"{name}_client", listening.getsockname()[1]) as client:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                code, _, complained = client.stop(signal.SIGINT)
                assert (code, complained) == (0, "")


@pytest.mark.parametrize(("name", "begun"), [("looping_call", "beat 1"), ("geese", "duck!")])
def test_a_program_at_work_can_be_stopped(name, begun):
    """By SIGTERM, with calls, threads and timers under way."""
    with example(name, 1) as program:
        program.lines(begun)
        code, _, complained = program.stop()
        assert (code, complained) == (0, "")


# Clients of the web, each with a server among the examples.

SHOWN = {
    "print_resource": "hello", "print_metadata": "hello", "fetch_many": "hello",
    "post_data": "form_post",
}  # fmt: skip


@pytest.fixture
def served():
    """A function that serves an example, and gives its URL; all are ended after the test."""
    with ExitStack() as stack:
        yield lambda name: f"http://localhost:{stack.enter_context(example(name)).port()}/"


@pytest.mark.parametrize("name", SHOWN)
def test_a_client_of_the_web_does_as_it_shows(served, name):
    """With the server that its docstring names; the port is another here."""
    uri, shown = served(SHOWN[name]), transcript(name)
    said = run(name, uri, *shown.arguments[1:])
    assert said.replace(uri, shown.arguments[0]) == shown.said


def test_a_service_may_be_stood_in_for():
    """By a tree in memory; what is answered is what would have been."""
    assert run("stand_in") == transcript("stand_in").said


def test_a_proxy_passes_on_what_it_is_asked(served):
    """Once it is named; and says so."""
    said = run("through_proxy", served("hello"), served("forward_proxy"))
    assert said == transcript("through_proxy").said


def test_who_logs_in_is_known_the_next_time(served, tmp_path):
    """The form is filled in once; then the cookies are enough."""
    uri, shown = served("login_form"), transcript("log_in")
    arguments = [uri, *shown.arguments[1:]]
    said = run("log_in", *arguments, folder=tmp_path)
    assert said.replace(uri, shown.arguments[0]) == shown.said
    assert run("log_in", *arguments, folder=tmp_path) == shown.said.splitlines(True)[1]


def test_files_are_sent(served, tmp_path):
    """The server has got what is on the disk."""
    (tmp_path / "a.bin").write_bytes(bytes(100_000))
    said = run("send_files", served("upload"), "a.bin", folder=tmp_path)
    assert said == f"{sha256(bytes(100_000)).hexdigest()}  a.bin (100000 bytes)\n"


def test_a_page_is_downloaded(served, tmp_path):
    """As it is on the server, and to its last byte."""
    page = (ROOT / "static/index.html").read_bytes()
    said = run("download", served("static_site"), "page.html", folder=tmp_path)
    assert (tmp_path / "page.html").read_bytes() == page
    assert said.endswith(f"{len(page)} of {len(page)} bytes\npage.html is here.\n")


def test_the_git_server_takes_and_gives(tmp_path):
    """What is pushed to it is cloned from it."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")

    def git(*args):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        env = {"PATH": os.defpath, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", *who, *map(str, args)], cwd=tmp_path, env=env, check=True)

    git("init", "-q", "--bare", "served/a.git")
    git("init", "-q", "work")
    git("-C", "work", "commit", "-q", "--allow-empty", "-m", "one")
    with example("git_server", 0, tmp_path / "served") as program:
        url = f"http://127.0.0.1:{program.port()}/a.git"
        git("-C", "work", "push", "-q", url, "HEAD:refs/heads/main")
        git("clone", "-q", "-b", "main", url, "copy")
        assert program.stop() == (0, "", "")
    git("-C", "copy", "log", "--exit-code", "main")


# All of them.

RUN_ABOVE = {
    *(answers.__name__ for answers in ANSWERS),
    *(f"{pair}_{side}" for pair in [*PAIRS, "tls_echo", "shout"] for side in ("server", "client")),
    *("login_server", "headlines", "geese", "looping_call", "reconnecting_client"),
    *(*SHOWN, "send_files", "download", "git_server"),
    *("stand_in", "through_proxy", "forward_proxy", "log_in"),
}


def test_every_example_is_run():
    """There is no example that this module does not run."""
    assert {path.stem for path in EXAMPLES} == RUN_ABOVE


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_one_idea(path: Path):
    """At most forty lines, which say how to run them."""
    text = path.read_text()
    assert len(text.splitlines()) <= 40
    assert f"Run `python examples/{path.name}" in text

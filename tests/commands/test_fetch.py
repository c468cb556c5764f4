"""`weblayer fetch`: what is asked, what is printed or written, and what a script learns of it."""

import fcntl
import hashlib
import os
import pty
import shutil
import socket
import struct
import subprocess
import sys
import termios
from http.server import BaseHTTPRequestHandler

import pytest
from click.testing import CliRunner

from tests.client.echo import Echo
from tests.client.test_sockets import standard_server
from tests.programs import ROOT
from weblayer.commands.main import main

DATA = bytes(range(256)) * 4000
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"


class Files(BaseHTTPRequestHandler):
    """One file, by parts too.

    `/cut` breaks off, `/whole` knows no parts, `/unframed` does not say how long it is.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        start, asked = 0, self.headers.get("Range", "")
        fresh = self.headers.get("If-Range", MODIFIED) == MODIFIED
        if asked and fresh and self.path != "/whole":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(DATA):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(DATA)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Last-Modified", MODIFIED)
        if self.path == "/unframed":
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        self.wfile.write(DATA[start : start + 300_000] if self.path == "/cut" else DATA[start:])
        self.close_connection |= self.path == "/cut"

    def log_message(self, *_):
        pass


@pytest.fixture
def echo():
    with standard_server(Echo) as address:
        yield address


@pytest.fixture
def files():
    with standard_server(Files) as address:
        yield address


def fetch(*arguments, code=0, **options):
    """What the program prints; it must end with *code*."""
    done = CliRunner().invoke(main, ["fetch", *map(str, arguments)], **options)
    assert done.exit_code == code, done.output
    return done


def asked(*arguments):
    """What the server saw."""
    import json

    return json.loads(fetch(*arguments).stdout)


def test_what_is_answered_is_printed(echo):
    """Nothing else is; a URL may lack its scheme."""
    assert asked(echo.removeprefix("http://") + "/a")["path"] == "/a"
    assert fetch(echo).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "method", "body", "kind"),
    [
        ([], "GET", "", None),
        (["-X", "DELETE"], "DELETE", "", None),
        (["-d", "a=1", "-d", "b=x y"], "POST", "a=1&b=x+y", "application/x-www-form-urlencoded"),
        (["-j", '{"a": 1}'], "POST", '{"a": 1}', "application/json"),
        (["-X", "PATCH", "-j", "[]"], "PATCH", "[]", "application/json"),
    ],
)
def test_how_it_is_asked(echo, arguments, method, body, kind):
    """By the options, which may be put together."""
    found = asked(echo, *arguments)
    assert (found["method"], found["body"]) == (method, body)
    assert found["headers"].get("content-type") == kind


def test_fields_queries_and_passwords(echo):
    """Go where they belong."""
    found = asked(echo + "/?z", "-H", "X-A: 1", "-q", "a=b c", "-u", "me:secret")
    assert found["path"] == "/?z&a=b+c"
    assert found["headers"]["x-a"] == "1"
    assert found["headers"]["authorization"] == "Basic bWU6c2VjcmV0"
    typed = fetch(echo, "-u", "me", input="secret\n")
    assert "Basic bWU6c2VjcmV0" in typed.stdout
    assert "secret" not in typed.stderr


def test_files_are_sent(echo, tmp_path):
    """As they are, or in a form."""
    file = tmp_path / "a.txt"
    file.write_text("of the disk")
    assert asked(echo, "-T", file)["method"] == "PUT"
    assert asked(echo, "-T", file)["body"] == "of the disk"
    found = asked(echo, "-F", f"doc=@{file}", "-F", "note=hello")
    assert 'name="doc"; filename="a.txt"' in found["body"]
    assert 'name="note"\r\n\r\nhello' in found["body"]


def test_json_may_be_in_a_file(echo, tmp_path):
    """As it is there."""
    file = tmp_path / "a.json"
    file.write_text('{"Zoë":\n 1}', "utf-8")
    assert asked(echo, "-j", f"@{file}")["body"] == '{"Zoë":\n 1}'


def test_what_comes_in_is_sent(echo):
    """By PUT, or as JSON: for a pipe."""
    import json

    found = json.loads(fetch("-T", "-", echo, input="of a pipe").stdout)
    assert (found["method"], found["body"]) == ("PUT", "of a pipe")
    assert json.loads(fetch("-j", "@-", echo, input="[1]").stdout)["body"] == "[1]"


def test_heads_are_shown(echo):
    """By -I alone, by -i with the body."""
    head = fetch("-I", echo).stdout
    assert head.startswith("HTTP/1.1 200 OK\n")
    assert "Content-Type: application/json\n" in head
    assert head.endswith("\n\n")
    both = fetch("-i", echo).stdout
    assert both.startswith("HTTP/1.1 200 OK\n")
    assert both.endswith("}")


def test_the_exchange_is_told(echo):
    """Of each step, on the error channel; secrets are not."""
    done = fetch("-v", "-u", "me:secret", echo + "/redirect?/b")
    lines = done.stderr.splitlines()
    assert [one for one in lines if "HTTP/1.1" in one] == [
        "> GET /redirect?/b HTTP/1.1", "< HTTP/1.1 302 Found",
        "> GET /b HTTP/1.1", "< HTTP/1.1 200 OK",
    ]  # fmt: skip
    assert "> Authorization: Basic ***" in lines
    assert "bWU6" not in done.stderr


@pytest.mark.parametrize("arguments", [["-d", "a=é"], ["-j", '"é"'], ["-F", "a=b"], []])
def test_what_is_told_of_the_request_is_what_was_sent(echo, arguments):
    """Each of its fields, as the server has seen it."""
    import json

    done = fetch("-v", *arguments, echo)
    lines = [one[2:].partition(": ") for one in done.stderr.splitlines() if one[:2] == "> "][1:]
    seen = json.loads(done.stdout)["headers"]
    assert {name.lower(): value for name, _, value in lines} == seen


def test_a_redirect_may_be_looked_at(echo):
    """It is followed, unless that is not wanted."""
    assert asked(echo + "/redirect?/b")["path"] == "/b"
    assert asked("--no-redirects", echo + "/redirect?/b")["path"] == "/redirect?/b"


def test_cookies_are_kept_in_a_file(echo, tmp_path):
    """For the next time."""
    jar = tmp_path / "jar"
    fetch("--cookies", jar, echo + "/cookie")
    assert asked("--cookies", jar, echo)["headers"]["cookie"] == "crumb=1"
    jar.write_text("no cookies")
    assert "no file of cookies" in fetch("--cookies", jar, echo, code=1).stderr


@pytest.mark.parametrize(("path", "code"), [("/status/404", 4), ("/status/500", 5)])
def test_the_status_is_the_exit_code(echo, tmp_path, path, code):
    """The page is printed, but no file is overwritten with it."""
    assert path in fetch(echo + path, code=code).stdout
    file = tmp_path / "out"
    file.write_text("before")
    said = fetch(echo + path, "-o", file, code=code)
    assert (said.stdout, file.read_text()) == ("", "before")
    assert "the server answered" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["http://127.0.0.1:1/"], 6, "nobody listens on 127.0.0.1:1"),
        (["ftp://a/"], 2, "must begin with http: or https:"),
        (["{}", "-H", "nonsense"], 2, "lacks a colon"),
        (["{}", "-H", "a b: c"], 2, "must be a token"),
        (["{}", "-d", "nonsense"], 2, "must be NAME=VALUE"),
        (["{}", "-j", "nonsense"], 2, "--json"),
        (["{}", "-d", "a=b", "-j", "1"], 2, "one of"),
        (["{}", "-c"], 2, "--output"),
        (["{}", "--checksum", "crc:1"], 2, "sha256"),
        (["{}", "-t", "0"], 2, "more than 0"),
        (["{}", "-O"], 2, "give --output"),
        (["{}/..", "-O"], 2, "give --output"),
        (["{}/a%2Fb", "-O"], 2, "give --output"),
        (["{}/a", "-O", "-o", "b"], 2, "one of --output and --remote-name"),
        (["{}", "-j", "@/no/such/file"], 1, "/no/such/file: No such file"),
        (["{}", "-T", "/no/such/file"], 1, "/no/such/file: No such file"),
        (["{}", "-F", "a=@/no/such/file"], 1, "/no/such/file: No such file"),
        (["{}", "-o", "/no/such/file"], 1, "Give another --output"),
        (["{}", "-x", "http://127.0.0.1:1"], 6, "the proxy http://127.0.0.1:1/ cannot be reached"),
        (["{}", "-x", "socks5://a"], 2, "proxy must be"),
        (["{}/redirect?/redirect", "-v"], 9, "another redirect, after 20"),
    ],
)
def test_what_went_wrong_is_told(echo, arguments, code, told):
    """In a line that a person can act on, and a code that a script can."""
    done = fetch(*[one.format(echo) for one in arguments], code=code)
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["-v"]])
def test_who_keeps_silent_is_not_waited_for(arguments):
    """Longer than was said; its exit code is one of its own."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        done = fetch(address, "-t", 0.2, *arguments, code=8)
    assert "all of the request took more than 0.2 seconds" in done.stderr


def test_a_file_is_written(files, tmp_path):
    """With the time that it has on the server; its sum is looked at."""
    file, digest = tmp_path / "out", hashlib.sha256(DATA).hexdigest()
    done = fetch(files, "-o", file, "--checksum", f"sha256:{digest}")
    assert done.output == ""
    assert file.read_bytes() == DATA
    assert file.stat().st_mtime == 784111777
    wrong = fetch(files, "-o", file, "--checksum", "md5:00", code=1)
    assert hashlib.md5(DATA).hexdigest() in wrong.stderr


def test_a_file_is_named_as_it_is_there(files, tmp_path, monkeypatch):
    """In the folder that one is in; the query is no part of the name."""
    monkeypatch.chdir(tmp_path)
    assert fetch(files + "/a/Zo%C3%AB.bin?b/c", "-O").output == ""
    assert (tmp_path / "Zoë.bin").read_bytes() == DATA


def test_a_download_goes_on_where_it_broke_off(files, tmp_path):
    """What is there is not sent again, and counts for the sum; what is complete is left."""
    file, digest = tmp_path / "out", hashlib.sha512(DATA).hexdigest()
    assert fetch(files + "/cut", "-o", file, code=9).stderr.startswith("Error: ")
    assert file.read_bytes() == DATA[:300_000]
    done = fetch(files, "-v", "-c", "-o", file, "--checksum", f"SHA512:{digest}")
    assert "> Range: bytes=300000-" in done.stderr
    assert file.read_bytes() == DATA
    again = fetch(files, "-c", "-o", file, "--checksum", f"sha512:{digest}")
    assert "complete already" in again.stderr


@pytest.mark.parametrize("path", ["/", "/whole"])
def test_what_cannot_go_on_begins_anew(files, tmp_path, path):
    """A file of another time, or a server that knows no parts: it comes whole."""
    file = tmp_path / "out"
    file.write_bytes(b"something else")
    if path == "/whole":
        os.utime(file, (784111777, 784111777))
    fetch(files + path, "-c", "-o", file)
    assert file.read_bytes() == DATA


def program(*arguments, term="xterm", **options):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "weblayer", "fetch", *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "TERM": term, "PYTHONIOENCODING": "utf-8"}, **options,
    )  # fmt: skip


def test_who_reads_may_stop(files):
    """As `head` does: no complaint."""
    with program(files, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.read(3) == DATA[:3]
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 0


def on_terminal(*arguments, columns=80, term="xterm"):
    """What a person sees."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    with program(*arguments, term=term, stdout=theirs, stderr=theirs, stdin=theirs) as running:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(mine, 65536):
                seen += piece
        except OSError:  # Linux says so when the last writer has gone
            pass
        finally:
            os.close(mine)
        return running.wait(), seen.decode(errors="replace")


def test_a_person_sees_how_far_it_is(files, tmp_path):
    """A bar to its end, with what has come."""
    code, seen = on_terminal(files, "-o", tmp_path / "out")
    assert code == 0
    assert "100%" in seen
    assert "1.0 MB" in seen
    assert (tmp_path / "out").read_bytes() == DATA


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_the_line_fits_the_terminal(files, tmp_path, columns):
    """However long a name is: one line, written over again and again."""
    code, seen = on_terminal(files, "-o", tmp_path / ("name" * 20), columns=columns)
    assert code == 0
    lines = seen.removesuffix("\r\n").split("\r")
    assert all(len(line.removesuffix("\x1b[K")) < columns for line in lines)
    assert "\n" not in "".join(lines)
    assert "name" in lines[-1]


def test_a_terminal_that_cannot_write_over_a_line_is_left_alone(files, tmp_path):
    """As that of an editor."""
    assert on_terminal(files, "-o", tmp_path / "out", term="dumb") == (0, "")


def test_how_long_it_will_be_need_not_be_known(files, tmp_path):
    """Then the line tells how much is there."""
    code, seen = on_terminal(files + "/unframed", "-o", tmp_path / "out")
    assert (code, "%" in seen) == (0, False)
    assert "1.0 MB" in seen
    assert (tmp_path / "out").read_bytes() == DATA


def test_a_terminal_is_spared(files):
    """What is no text would change how it shows everything after."""
    code, seen = on_terminal(files)
    assert code == 1
    assert "--output" in seen


CURL = shutil.which("curl")


@pytest.mark.skipif(CURL is None, reason="the curl program is not installed")
@pytest.mark.parametrize(
    "arguments", [[], ["-d", "a=1"], ["-u", "me:secret"], ["-H", "X-A: 1"], ["-X", "DELETE"]]
)
def test_curl_asks_the_same(echo, arguments):
    """Its options of the same names mean the same, but for what each says of itself."""
    import json

    theirs = json.loads(
        subprocess.run(
            [CURL, "-s", *arguments, echo + "/a?b"], capture_output=True, check=True
        ).stdout
    )
    ours = asked(*arguments, echo + "/a?b")
    for found in (theirs, ours):
        del found["peer"]
        for name in ("user-agent", "accept-encoding"):
            found["headers"].pop(name, None)
    assert ours == theirs

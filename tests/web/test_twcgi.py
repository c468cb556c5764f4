"""CGI: what a program is told, what it may answer, and how it ends."""

import asyncio
import os
import sys
from gzip import decompress as gunzip

import pytest

from tests.web.scripts import answer, asking, is_running
from tests.web.trees import Page, tree
from weblayer.web.errors import NotFound
from weblayer.web.policy import Policy
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.static import Data, File
from weblayer.web.turnstile import Turnstile
from weblayer.web.twcgi import CGIDirectory, CGIScript, FilteredScript

pytestmark = pytest.mark.usefixtures("nothing_left")

HEAD = "echo Content-Type: text/plain; echo; "
ENVIRONMENT = HEAD + "exec env"
ECHO = HEAD + "exec cat"
WAIT = HEAD + "echo $$; exec sleep 1000"

# What the shell adds.
SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


def told(text):
    """The variables that `env` has printed, without the shell's own."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs if name not in SHELL}


# What a program is told.


def test_the_environment_is_that_of_the_standard_and_nothing_else(program, monkeypatch):
    """Source: RFC 3875, 4.1. Nothing of the server's own environment is in it."""
    monkeypatch.setenv("SECRET", "x")
    path = program(ENVIRONMENT)
    root = tree(cgi=CGIScript(path, env={"EXTRA": "1"}, documentRoot="/srv"))
    found = answer(root, "GET", "/cgi/a%20b/%C3%A9/?q=1&r", {"User-Agent": "me", "X-A": "é"})
    assert told(found.body.decode("latin-1").replace("Ã©", "é")) == {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_SOFTWARE": "weblayer",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "weblayer.test",
        "SERVER_PORT": "80",
        "REQUEST_METHOD": "GET",
        "REQUEST_SCHEME": "http",
        "REQUEST_URI": "/cgi/a%20b/%C3%A9/?q=1&r",
        "SCRIPT_NAME": "/cgi",
        "SCRIPT_FILENAME": str(path),
        "PATH_INFO": "/a b/é/",
        "PATH_TRANSLATED": "/srv/a b/é/",
        "DOCUMENT_ROOT": "/srv",
        "QUERY_STRING": "q=1&r",
        "REMOTE_ADDR": "192.0.2.1",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HTTP_HOST": "weblayer.test",
        "HTTP_USER_AGENT": "me",
        "HTTP_X_A": "é",
        "EXTRA": "1",
    }


def test_fields_that_would_mislead_are_withheld(program):
    """Proxy would be HTTP_PROXY, and X_Real_IP could not be told from X-Real-IP."""
    fields = {"Proxy": "http://evil/", "X_Real_IP": "1", "Authorization": "Basic x", "TE": "x"}
    variables = told(answer(CGIScript(program(ENVIRONMENT)), headers=fields).text())
    assert {n for n in variables if n.startswith("HTTP_")} == {"HTTP_HOST"}


def test_a_password_is_passed_on_where_that_is_asked_for(program):
    """For programs that check it themselves."""
    script = CGIScript(program(ENVIRONMENT), passAuthorization=True)
    found = answer(script, headers={"Authorization": "Basic x", "Cookie": "a=1"})
    assert told(found.text())["HTTP_AUTHORIZATION"] == "Basic x"


def test_the_user_is_who_was_let_in(program):
    """REMOTE_USER is whom the tree knows, whatever the client says."""

    class Guarded(CGIScript):
        def render(self, request):
            request.avatarId = "ann"
            return super().render(request)

    found = told(answer(Guarded(program(ENVIRONMENT)), headers={"Authorization": "Basic x"}).text())
    assert (found["REMOTE_USER"], found["AUTH_TYPE"]) == ("ann", "Basic")


def test_the_port_is_the_one_that_the_client_sees(program):
    """Programs make URLs of it."""
    script = CGIScript(program(ENVIRONMENT))
    for host, port in [("a:8080", "8080"), ("[::1]:81", "81"), ("[::1]", "80")]:
        assert told(answer(script, headers={"Host": host}).text())["SERVER_PORT"] == port


def test_behind_a_proxy_it_is_told_of_the_client(program):
    """As a proxy of ours tells it."""
    site = Site(CGIScript(program(ENVIRONMENT)), trustedProxies=["192.0.2.1"])
    fields = {"X-Forwarded-For": "2001:db8::1", "X-Forwarded-Proto": "https"}
    found = told(answer(site, headers=fields).text())
    names = ("REMOTE_ADDR", "HTTPS", "REQUEST_SCHEME", "SERVER_PORT")
    assert [found[name] for name in names] == ["2001:db8::1", "on", "https", "443"]


@pytest.mark.parametrize("path", ["..", ".", "a/..", "%2e%2e/x", "a%2Fb", "a%5Cb", "a%00b"])
def test_a_path_that_would_mislead_a_program_is_not_there(program, path):
    """Programs glue PATH_INFO to a path of theirs."""
    assert answer(tree(cgi=CGIScript(program(ENVIRONMENT))), target=f"/cgi/{path}").code == 404


def test_words_of_the_query_are_no_options(program):
    """The command line is no place for what a stranger sends (CVE-2012-1823)."""
    assert answer(CGIScript(program(HEAD + 'echo "$#"')), target="/?-s").text() == "0\n"


def test_it_runs_in_its_own_folder(program, tmp_path):
    """Source: RFC 3875, 7.2."""
    assert answer(CGIScript(program(HEAD + "pwd -P"))).text() == f"{tmp_path.resolve()}\n"


def test_a_body_is_its_input(program):
    """With its length and type."""
    text = HEAD + 'echo "$CONTENT_LENGTH $CONTENT_TYPE"; exec cat'
    found = answer(CGIScript(program(text)), "POST", "/", {"Content-Type": "a/b"}, b"abc")
    assert found.body == b"3 a/b\nabc"


def test_a_body_in_chunks_is_measured_first(program):
    """A program must be told its length (4.1.2), so it is kept until that is known."""
    body = b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    script = CGIScript(program(HEAD + 'echo "$CONTENT_LENGTH"; exec cat'))
    found = answer(script, "POST", "/", {"Transfer-Encoding": "chunked"}, body)
    assert found.body == b"4\nabcd"


@pytest.mark.parametrize("chunked", [False, True])
def test_how_long_a_body_may_be_is_the_policys(program, chunked):
    """Of any node above it."""
    root = tree(cgi=CGIScript(program(ECHO)))
    root.policy = Policy(maxBody=3)
    fields = {"Transfer-Encoding": "chunked"} if chunked else {}
    body = b"4\r\nabcd\r\n0\r\n\r\n" if chunked else b"abcd"
    assert answer(root, "POST", "/cgi", fields, body).code == 413


def test_a_program_need_not_read_its_body(program):
    """It is answered all the same."""
    found = answer(CGIScript(program(HEAD + "echo done")), "POST", "/", {}, b"x" * 1000_000)
    assert found.text() == "done\n"


# What it answers.


def test_status_and_fields(program):
    """The code and its phrase, and several lines of one name."""
    text = "printf 'Status: 402 Pay me\\r\\nSet-Cookie: a=1\\r\\nset-cookie: b=2\\r\\n\\r\\nx'"
    found = answer(CGIScript(program(text)))
    assert (found.code, found.phrase, found.text()) == (402, "Pay me", "x")
    assert found.headers.getRawHeaders("set-cookie") == ["a=1", "b=2"]


def test_a_body_without_a_type_is_no_page(program):
    """A guess of HTML would be a way in for strangers."""
    found = answer(CGIScript(program("printf 'Status: 200\\n\\n<script>'")))
    assert found.getHeader("content-type") == "text/plain"


def test_a_head_request_has_no_body(program):
    """The program is told the method, and what it writes all the same is dropped."""
    found = answer(CGIScript(program(HEAD + 'echo "$REQUEST_METHOD"')), "HEAD")
    assert (found.code, found.body) == (200, b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_is_the_programs(program, method):
    """What it takes is its own to say."""
    assert (
        answer(CGIScript(program(HEAD + 'echo "$REQUEST_METHOD"')), method).text() == f"{method}\n"
    )


@pytest.mark.parametrize("coding", ["", "Content-Encoding: br\\n"])
def test_its_answer_is_compressed_as_any_other(program, coding):
    """Where the policy says so, and it has not done that itself."""
    text = f"printf 'Content-Type: text/plain\\n{coding}\\n'; exec head -c 9000 /dev/zero"
    root = tree(cgi=CGIScript(program(text)))
    root.policy = Policy(compress=True)
    found = answer(root, target="/cgi", headers={"Accept-Encoding": "gzip"})
    assert found.getHeader("content-encoding") == ("br" if coding else "gzip")
    assert (found.body if coding else gunzip(found.body)) == bytes(9000)


@pytest.mark.parametrize("length", [2, 4])
def test_a_wrong_length_breaks_the_answer_off(program, length):
    """What is longer or shorter than announced is never taken for whole."""
    text = f"printf 'Content-Type: a/b\\nContent-Length: {length}\\n\\nabc'"
    with asking(CGIScript(program(text))) as conversation:
        conversation.waitFor(lambda: conversation.isClosed)
        assert not conversation.isWhole


def test_a_crash_breaks_the_answer_off(program, caplog):
    """Half a page is not taken for a page."""
    found = answer(CGIScript(program(HEAD + "echo half; kill -9 $$")))
    assert not found.isWhole
    assert "been ended by signal 9" in caplog.text


def test_an_exit_code_does_not(program):
    """Shell scripts end with that of their last command, whatever it was."""
    found = answer(CGIScript(program(HEAD + "echo whole; exit 1")))
    assert (found.isWhole, found.text()) == (True, "whole\n")


@pytest.mark.parametrize(
    "text", ["echo hello", "", "echo; echo hello", "yes 'A: b'", "exit 1", "kill -9 $$"]
)
def test_what_is_no_answer_is_a_502(program, text, caplog):
    """The log has what the program said of it, and the client has not."""
    found = answer(CGIScript(program("printf 'a \\033[1m secret\\n' >&2;" + text)))
    assert found.code == 502
    assert "secret" not in found.text()
    assert "says:\n    a \\x1b[1m secret" in caplog.text


def test_a_program_that_cannot_be_run_is_an_error_of_ours(tmp_path):
    """Its interpreter is missing, and the client is told no more than that it went wrong."""
    path = tmp_path / "script"
    path.write_text("#!/nonexistent\n")
    path.chmod(0o755)
    assert answer(CGIScript(path)).code == 500


# Local redirects.


class Later(Resource):
    """Finds its children later."""

    async def getChild(self, name, request):
        if name == "none":
            raise NotFound
        return Page(lambda request: f"{request.method} {request.path} {name} {request.query}")


def redirecting(program, location):
    text = f"printf 'Location: {location}\\n\\n'"
    return tree(cgi=CGIScript(program(text)), later=Later(), data=Data(b"data", "a/b"))


@pytest.mark.parametrize(
    ("location", "code", "text"),
    [
        ("/data", 200, "data"),
        ("/later/a?b=c", 200, "GET /later/a a b=c"),
        ("/later/none", 404, None),
        ("/nothing", 404, None),
    ],
)
def test_a_local_redirect_is_walked(program, location, code, text):
    """The client never hears of it, and a POST becomes a GET. Source: RFC 3875, 6.2.2."""
    found = answer(redirecting(program, location), "POST", "/cgi", {}, b"abc")
    assert (found.code, found.getHeader("location")) == (code, None)
    assert text is None or found.text() == text


def test_a_local_redirect_of_a_head_stays_one(program):
    """It has no body either."""
    found = answer(redirecting(program, "/data"), "HEAD", "/cgi")
    assert (found.code, found.getHeader("content-length"), found.body) == (200, "4", b"")


def test_a_local_redirect_in_a_circle_ends(program):
    """After ten turns."""
    assert answer(redirecting(program, "/cgi"), target="/cgi").code == 500


def test_a_local_redirect_keeps_the_requests_name(program):
    """The log knows the answer by it."""
    root = redirecting(program, "/data")
    root.policy = Policy(sendsID=True)
    assert len(answer(root, target="/cgi").getHeader("x-request-id")) == 20


def test_the_log_has_what_was_asked_for(program, tmp_path):
    """And not where a program sent it."""
    log = tmp_path / "log"
    site = Site(redirecting(program, "/data"), logPath=log)
    assert answer(site, target="/cgi").text() == "data"
    assert '"GET /cgi HTTP/1.1" 200' in log.read_text()


def test_another_redirect_is_the_clients(program):
    """A 302 to wherever the program says."""
    found = answer(CGIScript(program("printf 'Location: http://other/\\n\\n'")))
    assert (found.code, found.getHeader("location")) == (302, "http://other/")
    assert found.getHeader("content-length") == "0"


# How it ends.


STUBBORN = f"{HEAD} echo $$; while :; do sleep 0.1; done"


@pytest.mark.parametrize("text", [WAIT, f"trap '' TERM; {STUBBORN}"])
def test_it_ends_when_the_client_leaves(program, tmp_path, text):
    """With all that it has started: asked first, and then made to."""
    with asking(CGIScript(program(f"sleep 1001 & echo $! >child; {text}"))) as conversation:
        conversation.waitFor(lambda: b"200 OK" in conversation.received and conversation.body)
        pid, child = int(conversation.body), int((tmp_path / "child").read_text())
        assert is_running(pid)
        assert is_running(child)
        conversation.lose()
        conversation.advance(0.9)
        conversation.waitFor(lambda: not is_running(pid))
        conversation.waitFor(lambda: not is_running(child))


def test_it_ends_though_it_has_closed_its_output_instead(program):
    """Asked to end, it stops talking, and goes on."""
    script = program(f"trap 'exec >&- 2>&-; >closed' TERM; {STUBBORN}")
    with asking(CGIScript(script)) as conversation:
        conversation.waitFor(lambda: b"200 OK" in conversation.received and conversation.body)
        pid = int(conversation.body)
        conversation.lose()
        conversation.waitFor(script.with_name("closed").exists)
        conversation.advance(0)
        assert is_running(pid)
        conversation.advance(0.5)
        conversation.waitFor(lambda: not is_running(pid))


def test_it_ends_when_the_client_leaves_before_its_answer(program):
    """A client that has ended its side has left, for all that a program can know."""
    script = program("echo $$ >pid; exec sleep 1000")
    with asking(CGIScript(script)) as conversation:
        pids = script.with_name("pid")
        conversation.waitFor(lambda: pids.exists() and pids.read_text())
        conversation.lose()
        conversation.waitFor(lambda: not is_running(int(pids.read_text())))


def test_it_ends_when_the_client_leaves_in_the_midst_of_its_body(program):
    """Before the program has said anything."""
    script = program("echo $$ >pid; exec cat")
    with asking(CGIScript(script), "POST", "/", {"Content-Length": "100"}, b"abc") as conversation:
        pids = script.with_name("pid")
        conversation.waitFor(lambda: pids.exists() and pids.read_text())
        conversation.lose()
        conversation.waitFor(lambda: not is_running(int(pids.read_text())))


def test_a_silent_program_is_a_504(program, caplog):
    """And is ended."""
    with asking(CGIScript(program("exec sleep 1000"), timeout=10)) as conversation:
        conversation.advance(9.9)
        assert not conversation.received
        conversation.advance(0.1)
        assert conversation.code == 504
    assert "was silent for 10 seconds" in caplog.text


def test_a_program_that_falls_silent_breaks_off(program):
    """Its answer is not taken for whole."""
    with asking(CGIScript(program(WAIT), timeout=10)) as conversation:
        conversation.waitFor(lambda: b"200 OK" in conversation.received)
        conversation.advance(10)
        conversation.waitFor(lambda: conversation.isClosed)
        assert not conversation.isWhole


def test_a_program_may_take_any_time_while_it_is_heard(program):
    """The deadline is for silence, and a client that sends slowly is not the program's."""
    script = CGIScript(program(ECHO), timeout=5)
    with asking(script, "POST", "/", {"Content-Length": "3"}) as conversation:
        for byte in (b"a", b"b", b"c"):
            conversation.advance(8)
            conversation.send(byte)
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == b"abc"


def test_the_policys_deadline_holds_for_programs_too(program, tmp_path):
    """However much it says meanwhile, and it is ended."""
    root = tree(cgi=CGIScript(program("echo $$ >pid; exec sleep 1000")))
    root.policy = Policy(deadline=5)
    pids = tmp_path / "pid"
    with asking(root, "GET", "/cgi") as conversation:
        conversation.waitFor(lambda: pids.exists() and pids.read_text())
        conversation.advance(6)
        assert conversation.code == 503
        conversation.advance(4)
        conversation.waitFor(lambda: not is_running(int(pids.read_text())))


def test_a_program_that_works_on_is_given_a_moment(program):
    """The client has its answer meanwhile."""
    script = program(HEAD + "echo $$; exec >&- 2>&-; >closed; sleep 1000")
    with asking(CGIScript(script)) as conversation:
        conversation.waitFor(script.with_name("closed").exists)
        conversation.advance(1)
        assert conversation.isWhole
        pid = int(conversation.body)
        conversation.advance(2.9)
        assert is_running(pid)
        conversation.advance(0.1)
        conversation.waitFor(lambda: not is_running(pid))


def test_a_stream_begins_before_its_body(program):
    """A client that waits for the head of a stream has it, though nothing else has come."""
    script = program(HEAD + ">written; exec sleep 1000")
    with asking(CGIScript(script)) as conversation:
        conversation.waitFor(script.with_name("written").exists)
        conversation.advance(0)
        assert not conversation.received  # it waits for a moment, to go out with a body
        conversation.advance(0.1)
        assert conversation.code == 200


# How much it may have.


def test_a_client_that_does_not_read_holds_the_program_back(program):
    """What it writes stays with it: a gigabyte costs us nothing."""
    script = CGIScript(program(HEAD + "exec head -c 20000000 /dev/zero"))
    with asking(script) as conversation:
        conversation.stopReading()
        with pytest.raises(TimeoutError):
            conversation.waitFor(lambda: conversation.waiting > 1000_000, 0.3)
        conversation.startReading()
        conversation.waitFor(lambda: conversation.isWhole)
        assert len(conversation.body) == 20000000


def test_a_program_that_does_not_read_holds_the_client_back(program):
    """What is sent stays with the client."""
    script = CGIScript(program("exec sleep 1000"))
    script.policy = Policy(maxBody=10**9).over(script.policy)
    with asking(script, "POST", "/", {"Content-Length": "20000000"}) as conversation:
        for _ in range(20):
            conversation.send(bytes(100_000))
        conversation.waitFor(lambda: not conversation.isRead)


def test_beyond_the_last_place_there_is_a_503(program):
    """It says when to come again."""
    turnstile = Turnstile(1, 0)
    script = CGIScript(program(ECHO), turnstile=turnstile)
    asyncio.run(turnstile.enter())
    found = answer(script)
    assert (found.code, found.getHeader("retry-after")) == (503, "5")
    turnstile.leave()
    assert answer(script).code == answer(script).code == 200  # each gives its place back


def test_who_stands_in_line_has_the_next_place(program):
    """And one who leaves the line loses nothing for the others."""
    turnstile = Turnstile(1, 2)
    script = CGIScript(program(ECHO), turnstile=turnstile)
    asyncio.run(turnstile.enter())
    with asking(script) as gone, asking(script) as next_one:
        assert answer(script).code == 503
        gone.lose()
        gone.advance(10)
        next_one.advance(30)
        assert not next_one.received
        turnstile.leave()
        next_one.waitFor(lambda: next_one.isWhole)
        assert next_one.code == 200


def test_the_line_moves_or_is_given_up(program):
    """Nobody stands in it for ever."""
    turnstile = Turnstile(1, 1, seconds=20)
    asyncio.run(turnstile.enter())
    with asking(CGIScript(program(ECHO), turnstile=turnstile)) as conversation:
        conversation.advance(20)
        assert conversation.code == 503


@pytest.mark.parametrize(("most", "waiting"), [(0, 1), (1, -1)])
def test_a_turnstile_must_turn(most, waiting):
    """Nobody would ever come through."""
    with pytest.raises(ValueError, match="must be"):
        Turnstile(most, waiting)


# Which programs.


def test_a_directory_of_programs(program, tmp_path):
    """Those in it, and in folders below; each is told where it is."""
    (tmp_path / "below").mkdir()
    program(HEAD + 'echo "$SCRIPT_NAME $PATH_INFO $EXTRA"', "below/script")
    root = tree(cgi=CGIDirectory(tmp_path, env={"EXTRA": "1"}))
    found = answer(root, target="/cgi/below/script/x")
    assert found.text() == "/cgi/below/script /x 1\n"


def test_what_is_no_program_is_refused(program, tmp_path):
    """Nothing of the folder is ever shown: neither its names nor its sources."""
    folder = tmp_path / "cgi"
    folder.mkdir()
    for name in ("cgi/script", "cgi/.hidden", "outside"):
        program(ECHO, name)
    program(ECHO, "cgi/plain", 0o644)
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "inside").symlink_to("script")
    os.mkfifo(folder / "fifo")
    root = tree(cgi=CGIDirectory(folder))
    codes = {
        name: answer(root, target=f"/cgi/{name}").code
        for name in "script inside plain .hidden link fifo none .. %2e%2e %2foutside".split()
    }
    assert codes.pop("script") == codes.pop("inside") == 200
    assert codes.pop("plain") == 403
    codes["the folder itself"] = answer(root, target="/cgi/").code
    assert set(codes.values()) == {404}


def test_a_script_that_is_not_there(tmp_path):
    """Or is a folder."""
    assert answer(CGIScript(tmp_path / "none")).code == answer(CGIScript(tmp_path)).code == 404


def test_settings_are_checked_at_once(tmp_path):
    """Not when the first visitor comes."""
    with pytest.raises(ValueError, match="timeout must be seconds, more than 0, not 0"):
        CGIDirectory(tmp_path, timeout=0)


class Python(FilteredScript):
    filter = sys.executable


def test_a_script_and_the_program_that_reads_it(tmp_path):
    """The script need not be executable."""
    path = tmp_path / "page.py"
    path.write_text(
        "import os\nprint('Content-Type: a/b\\n')\nprint(os.environ['REDIRECT_STATUS'])"
    )
    assert answer(Python(path)).text() == "200\n"
    assert answer(Python(tmp_path / "none.py")).code == 404


def test_a_filter_is_looked_up_in_the_path(program, tmp_path):
    """That of `env`, where it has one."""

    class Filtered(FilteredScript):
        filter = "ours"

    program(HEAD + 'exec cat "$1"', "ours")
    (tmp_path / "page").write_text("text")
    path = f"{tmp_path}:/bin:/usr/bin"
    assert answer(Filtered(tmp_path / "page", env={"PATH": path})).text() == "text"


def test_a_program_may_be_told_more(program):
    """By overriding what runs it, as programs of the field do."""

    class Told(CGIScript):
        def runProcess(self, env, request, qargs=()):
            return super().runProcess({**env, "MORE": "1"}, request, ["a", "b"])

    assert answer(Told(program(HEAD + 'echo "$MORE $*"'))).text() == "1 a b\n"


def test_as_a_processor_of_files(tmp_path):
    """A folder serves its files, and runs those of one extension."""
    (tmp_path / "page.py").write_text("print('Content-Type: a/b\\n\\nrun', end='')")
    (tmp_path / "page.txt").write_text("shown")
    folder = File(tmp_path)
    folder.processors[".py"] = Python
    assert answer(folder, target="/page.py").text() == "run"
    assert answer(folder, target="/page.py/info").text() == "run"
    assert answer(folder, target="/page.txt").text() == "shown"

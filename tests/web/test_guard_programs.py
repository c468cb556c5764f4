"""Logging in with real programs: what they make of our challenges, over real sockets."""

# ruff: noqa: F811 - a fixture that is imported is a parameter all the same

import shutil
import subprocess
import sys

import pytest

from tests.reactors import reactor  # noqa: F401  a fixture
from tests.web.logins import guarded
from tests.web.trees import Page
from weblayer.cred.checkers import HtdigestFile, HtpasswdFile
from weblayer.cred.digest import ALGORITHMS
from weblayer.loop.threads import deferToThread
from weblayer.web.guard import BasicCredentialFactory, CommonRealm, DigestCredentialFactory
from weblayer.web.policy import Policy
from weblayer.web.site import Site

LIMIT = 20  # seconds after which a program is taken to hang

# curl 7.88 takes SHA-512-256 for another hash, and signs an empty body for auth-int.
CURLS = [algorithm for algorithm in ALGORITHMS if not algorithm.startswith("SHA-512")]

URLLIB = """
import sys, urllib.request as r
passwords = r.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, sys.argv[1], "ada", sys.argv[2])
opener = r.build_opener(getattr(r, sys.argv[3])(passwords))
print(opener.open(sys.argv[1]).read().decode() * 2, end="")
"""

page = Page(lambda request: f"{request.method} {len(request.content.read())}\n")
page.policy = Policy(maxBody=10**8)


def needs(program):
    missing = shutil.which(program) is None
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


class Server:
    """A guarded page, and programs that ask for it."""

    def __init__(self, reactor, guard):
        self._reactor, self._guard = reactor, guard

    def run(self, *commands):
        """What each command says, `URL` in it being where we are."""
        said = []
        self._reactor.drive(self._run(Site(self._guard), commands, said))
        return said

    async def _run(self, site, commands, said):
        port = self._reactor.listenTCP(0, site, interface="127.0.0.1")
        url = f"http://127.0.0.1:{port.getHost().port}/"
        for command in commands:
            words = [str(word).replace("URL", url) for word in command]
            done = await deferToThread(
                subprocess.run, words, capture_output=True, timeout=LIMIT, text=True, check=False
            )
            said.append(done.stdout)
        await port.stopListening()


@pytest.fixture
def serve(reactor):
    def serve(*factories, checkers=()):
        guard = guarded(*checkers, realm=CommonRealm(page), factories=factories, failureDelay=0.01)
        return Server(reactor, guard)

    return serve


def curl(*options, password="lovelace"):
    return ["curl", "-s", "-u", f"ada:{password}", *options, "URL"]


CODE = ["-o", "/dev/null", "-w", "%{http_code}"]


@needs("curl")
def test_curl_logs_in_by_basic(serve):
    """A wrong password is told."""
    server = serve(BasicCredentialFactory("home"))
    wrong = curl(*CODE, password="x")
    assert server.run(curl(), wrong, curl("--anyauth")) == ["GET 0\n", "401", "GET 0\n"]


@needs("curl")
@pytest.mark.parametrize("algorithm", CURLS)
def test_curl_logs_in_by_digest(serve, algorithm):
    """By each algorithm that it knows, twice on one connection, and with a body."""
    server = serve(DigestCredentialFactory(algorithm, "home"))
    asked = server.run(
        curl("--digest", "URL"), curl("--digest", "-d", "hello"), curl("--anyauth"),
        curl("--digest", *CODE, password="x"),
    )  # fmt: skip
    assert asked == ["GET 0\n" * 2, "POST 5\n", "GET 0\n", "401"]


@needs("curl")
def test_curl_is_offered_what_it_can_do(serve):
    """Of all that we know, and both qualities, it takes what it has right."""
    digest = DigestCredentialFactory(ALGORITHMS, "home", qop=("auth", "auth-int"))
    server = serve(digest, BasicCredentialFactory("home"))
    posted = curl("--anyauth", "-d", "hello")
    assert server.run(curl("--digest"), posted) == ["GET 0\n", "POST 5\n"]


@needs("curl")
@pytest.mark.parametrize("kind", [BasicCredentialFactory, None])
def test_curl_uploads_nothing_before_it_is_let_in(serve, tmp_path, kind):
    """It asks first, and is told 401; whoever is let in sends all of it."""
    file = tmp_path / "big"
    file.write_bytes(bytes(10**7))
    server = serve(kind("home") if kind else DigestCredentialFactory("SHA-256", "home"))
    told = ["-T", file, "-o", "/dev/null", "-w", "%{http_code} %{size_upload}"]
    refused, taken = server.run(["curl", "-s", *told, "URL"], curl("--anyauth", *told))
    assert (refused, taken) == ("401 0", "200 10000000")


@needs("wget")
def test_wget_logs_in(serve):
    """By the best that it is offered."""
    digest = DigestCredentialFactory(["SHA-256", "MD5"], "home")
    server = serve(BasicCredentialFactory("home"), digest)
    command = ["wget", "-q", "-O-", "--user", "ada", "--password", "lovelace", "URL"]
    assert server.run(command) == ["GET 0\n"]


@pytest.mark.parametrize("kind", ["HTTPBasicAuthHandler", "HTTPDigestAuthHandler"])
def test_pythons_own_client_logs_in(serve, kind):
    """With MD5, the only Digest that it knows in Python 3.11."""
    factories = {
        "HTTPBasicAuthHandler": BasicCredentialFactory("home"),
        "HTTPDigestAuthHandler": DigestCredentialFactory("MD5", "home"),
    }
    server = serve(factories[kind])
    command = [sys.executable, "-c", URLLIB, "URL", "lovelace", kind]
    assert server.run(command) == ["GET 0\n" * 2]


@pytest.mark.parametrize("name", ["httpx", "requests"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_other_clients_log_in_by_digest(serve, name, algorithm):
    """Those of Python that people use."""
    pytest.importorskip(name)
    kinds = {"httpx": ("Client", "DigestAuth"), "requests": ("Session", "auth.HTTPDigestAuth")}
    session, auth = (f"{name}.{kind}" for kind in kinds[name])
    program = f"""
import sys, {name}
session = {session}()
session.auth = {auth}("ada", "lovelace")
print(session.get(sys.argv[1]).text + session.get(sys.argv[1]).text, end="")
"""
    server = serve(DigestCredentialFactory(algorithm, "home"))
    assert server.run([sys.executable, "-c", program, "URL"]) == ["GET 0\n" * 2]


@needs("htpasswd")
@needs("curl")
@pytest.mark.parametrize("option", ["-s", "-m", "-B", "-2", "-5"])
def test_files_of_htpasswd_let_people_in(serve, tmp_path, option):
    """In each of its schemes that is a hash worth the name."""
    if option == "-B":
        pytest.importorskip("bcrypt")
    file = tmp_path / "users"
    made = subprocess.run(
        ["htpasswd", "-cb", option, file, "ada", "lovelace"], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"this htpasswd knows no {option}")
    server = serve(BasicCredentialFactory("home"), checkers=[HtpasswdFile(file)])
    assert server.run(curl(), curl(*CODE, password="x")) == ["GET 0\n", "401"]


@needs("htdigest")
@needs("curl")
def test_files_of_htdigest_let_people_in(serve, tmp_path):
    """With no password in them."""
    file = tmp_path / "users"
    twice = b"lovelace\nlovelace\n"
    subprocess.run(["htdigest", "-c", file, "home", "ada"], input=twice, check=True,
                   capture_output=True)  # fmt: skip
    server = serve(DigestCredentialFactory("MD5", "home"), checkers=[HtdigestFile(file)])
    assert server.run(curl("--digest")) == ["GET 0\n"]


def test_our_own_program_logs_in(serve):
    """By the best that it is offered, with a body, which is signed where nothing less will do."""
    program = [sys.executable, "-m", "weblayer", "fetch", "-u", "ada:lovelace", "--digest"]
    signing = DigestCredentialFactory(ALGORITHMS, "home", qop=["auth-int"], userhash=True)
    server = serve(BasicCredentialFactory("home"), signing)
    assert server.run([*program, "-d", "a=b", "URL"]) == ["POST 3\n"]

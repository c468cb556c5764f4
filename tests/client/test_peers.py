"""Beside programs that others have written: curl does the same, nginx and Twisted agree."""

import shutil
import subprocess
import time

import pytest

from tests.client.test_sockets import NGINX, AtSocket, listens
from tests.programs import Program
from weblayer.client.agent import Agent
from weblayer.client.auth import DigestAuth
from weblayer.client.session import Session
from weblayer.client.stores import MemoryStore

CURL = shutil.which("curl")

CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/errors; {user}
events {{}}
http {{
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  log_format short "$uri $status";
  access_log {folder}/access.log short;
  server {{
    listen unix:{folder}/sock;
    location = /to/301 {{ return 301 /seen; }}
    location = /to/302 {{ return 302 /seen; }}
    location = /to/303 {{ return 303 /seen; }}
    location = /to/307 {{ return 307 /seen; }}
    location = /to/308 {{ return 308 /seen; }}
    location = /seen {{ return 200 "$request_method $http_content_length"; }}
    location = /secret {{
      auth_basic "realm"; auth_basic_user_file {folder}/passwords; root {folder}; }}
    location = /page {{ root {folder}; expires 60; }}
  }}
}}
"""

GUARD = """
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor
from twisted.web.guard import DigestCredentialFactory, HTTPAuthSessionWrapper
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site
from zope.interface import implementer

class Inside(Resource):
    isLeaf = True
    def render_GET(self, request): return b"in"
    def render_PUT(self, request): return request.content.read()

@implementer(IRealm)
class Realm:
    def requestAvatar(self, avatarId, mind, *interfaces): return IResource, Inside(), lambda: None

known = InMemoryUsernamePasswordDatabaseDontUse(alice=b"secret")
guard = HTTPAuthSessionWrapper(Portal(Realm(), [known]), [DigestCredentialFactory(b"md5", b"r")])
port = reactor.listenTCP(0, Site(guard), interface="127.0.0.1")
print(f"http://127.0.0.1:{port.getHost().port}/")
reactor.run()
"""


@pytest.fixture
def nginx(tmp_path):
    """The folder of an nginx that listens on `sock` there."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    (tmp_path / "page").write_text("a page")
    (tmp_path / "secret").write_text("a secret")
    (tmp_path / "passwords").write_text("alice:{PLAIN}secret\n")
    # Root's nginx would become nobody, who cannot read a folder of root's.
    user = "user root;" if tmp_path.stat().st_uid == 0 else ""
    (tmp_path / "conf").write_text(CONFIGURATION.format(folder=tmp_path, user=user))
    command = [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 30
            while not listens(tmp_path / "sock"):
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.01)
            yield tmp_path
        finally:
            process.terminate()


def session_at(reactor, folder, **options):
    agent = Agent.usingEndpointFactory(reactor, AtSocket(reactor, str(folder / "sock")))
    return Session(reactor, agent=agent, pool=agent.pool, **options)


def log_of(folder, count):
    """What nginx has been asked, and how it answered; waits for *count* lines of it.

    It writes a line when the answer is out, by when we may have read that.
    """
    end = time.monotonic() + 30
    while len(lines := (folder / "access.log").read_text().splitlines()) < count:
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    return lines


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_redirects_lead_where_curl_goes(reactor, nginx):
    """With the same method and the same body, for those whose method curl chooses itself."""
    how = {"GET": [], "HEAD": ["-I"], "POST": ["--data", "abc"], "PUT": ["-T", nginx / "body"]}
    (nginx / "body").write_text("abc")
    curl = [CURL, "-s", "-L", "--unix-socket", nginx / "sock", "-w", " %{http_code}"]
    asked = [(code, method) for code in (301, 302, 303, 307, 308) for method in how]
    ours, theirs = {}, {}

    async def scenario():
        async with session_at(reactor, nginx) as session:
            for code, method in asked:
                data = b"abc" if method in ("POST", "PUT") else None
                url = f"http://a.example/to/{code}"
                response = await session.request(method, url, data=data)
                ours[code, method] = f"{await response.text()} {response.code}"

    reactor.drive(scenario())
    for code, method in asked:
        command = [*curl, *how[method], f"http://a.example/to/{code}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        # Of HEAD curl writes the heads.
        theirs[code, method] = said[-4:] if method == "HEAD" else said
    assert ours == theirs


def test_nginx_lets_us_in(reactor, nginx):
    """By Basic, and not without."""
    codes = []

    async def scenario():
        async with session_at(reactor, nginx) as session:
            for auth in (None, ("alice", "wrong"), ("alice", "secret")):
                response = await session.get("http://a.example/secret", auth=auth)
                codes.append(response.code)
                await response.content()

    reactor.drive(scenario())
    assert codes == [401, 401, 200]


def test_nginx_says_what_is_still_good(reactor, nginx):
    """By the validators that it gave: a page goes over the wire once."""
    how = []

    async def scenario():
        async with session_at(reactor, nginx, cache=MemoryStore()) as session:
            for wish in ("max-age=60", "max-age=60", "no-cache", "max-age=60"):
                headers = {"Cache-Control": wish}
                response = await session.get("http://a.example/page", headers=headers)
                assert await response.text() == "a page"
                how.append(response.headers.getHeader("cache-status"))

    reactor.drive(scenario())
    assert how == [None, "weblayer; hit", "weblayer; fwd=stale; fwd-status=304", "weblayer; hit"]
    assert log_of(nginx, 2) == ["/page 200", "/page 304"]


def test_twisted_s_guard_lets_us_in(reactor, tmp_path):
    """By Digest, with a file as the body, which is sent again."""
    pytest.importorskip("twisted.web", reason="Twisted is not installed")
    (tmp_path / "guard.py").write_text(GUARD)
    (tmp_path / "body").write_bytes(b"abc" * 100_000)

    async def scenario(port):
        url = f"http://127.0.0.1:{port}/"
        async with Session(reactor, proxy="") as session:
            auth = DigestAuth("alice", "secret")
            assert await (await session.get(url, auth=auth)).text() == "in"
            with (tmp_path / "body").open("rb") as file:
                response = await session.put(url, auth=auth, data=file)
            assert await response.content() == b"abc" * 100_000
            assert (await session.get(url, auth=DigestAuth("alice", "wrong"))).code == 401
            assert (await session.get(url)).code == 401

    with Program(tmp_path / "guard.py", PYTHONWARNINGS="") as program:
        reactor.drive(scenario(program.port()))

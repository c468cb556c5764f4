"""What was answered once is answered again, without the servers; and what the file tells."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.client.bodies import StringProducer
from weblayer.client.error import NotRecorded
from weblayer.client.record import RecorderAgent, ReplayAgent
from weblayer.client.session import Session
from weblayer.loop.testing import failureResultOf, successResultOf
from weblayer.loop.timers import Clock
from weblayer.web.resource import Resource
from weblayer.web.testing import TreeAgent
from weblayer.wire.headers import Headers

HERE = "http://a.example"


class Everything(Resource):
    """Answers by the path: a redirect, a cookie, an error, bytes; else it tells how often."""

    isLeaf = True
    asked = 0

    def render(self, request):
        self.asked += 1
        if request.path == "/redirect":
            request.redirect("/text")
        if request.path == "/login":
            request.addCookie("session", "secret-cookie")
        if request.path == "/404":
            request.setResponseCode(404)
        if request.path == "/bytes":
            request.setHeader("Content-Type", "application/octet-stream")
            return bytes(range(256))
        return f"{request.method} {self.asked} {request.content.read().decode()} Zoë"


@pytest.fixture
def tape(tmp_path):
    """A file for exchanges."""
    return tmp_path / "tape.har"


def scenario(agent, *steps):
    """What a session on *agent* is answered, step by step: code and body."""

    async def going():
        async with Session(agent=agent) as session:
            found = []
            for method, path, body in steps:
                response = await session.request(method, HERE + path, data=body)
                found.append((response.code, await response.content()))
            return found

    return asyncio.run(going())


STEPS = [
    ("GET", "/", None), ("GET", "/", None), ("GET", "/bytes", None), ("GET", "/redirect", None),
    ("POST", "/", b"one"), ("POST", "/", b"two"), ("HEAD", "/", None), ("GET", "/404", None),
    ("GET", "/login", None), ("POST", "/", {"password": "hunter2"}),
]  # fmt: skip


def recorded(tape, *steps, tree=None, **options):
    """What was answered while *tape* was written."""
    return scenario(RecorderAgent(TreeAgent(tree or Everything()), tape, **options), *steps)


def test_what_was_recorded_is_answered_again(tape):
    """All of it, in the same order; nothing is left then."""
    once = recorded(tape, *STEPS)
    replay = ReplayAgent(tape)
    assert scenario(replay, *STEPS) == once
    assert replay.unasked == []


def test_the_same_question_is_answered_in_the_order_of_the_record(tape):
    """Whatever is asked between; one that was told twice is told twice."""
    first, second, other = recorded(tape, STEPS[0], STEPS[1], STEPS[4])
    assert scenario(ReplayAgent(tape), STEPS[4], STEPS[0], STEPS[1]) == [other, first, second]


@pytest.mark.parametrize(
    ("asking", "told"),
    [
        (("GET", "/missing", None), "GET http://a.example/missing was not recorded in"),
        (("PUT", "/", b"one"), "which has: GET http://a.example/, POST http://a.example/ with a"),
        (("POST", "/", b"three"), "with a body of SHA-256 8b5b9db0c13d… was not recorded"),
    ],
)
def test_what_was_not_recorded_is_a_clear_error(tape, asking, told):
    """It tells what was asked, and what could have been."""
    recorded(tape, STEPS[0], STEPS[4])
    with pytest.raises(NotRecorded, match=r"tape\.har") as raised:
        scenario(ReplayAgent(tape), asking)
    assert told in str(raised.value)


def test_what_is_asked_too_often_is_an_error_too(tape):
    """And what nobody asked for can be looked at."""
    recorded(tape, STEPS[0], STEPS[2])
    replay = ReplayAgent(tape)
    with pytest.raises(NotRecorded, match=r"was recorded once in .* asked for more often"):
        scenario(replay, STEPS[0], STEPS[0])
    assert replay.unasked == ["GET http://a.example/bytes"]


def test_secrets_do_not_get_into_the_file(tape):
    """Neither passwords nor cookies, sent or set, nor the body of a form; unless that is wanted."""

    async def going(**options):
        agent = RecorderAgent(TreeAgent(Everything()), tape, **options)
        async with Session(agent=agent, auth=("me", "secret-password")) as session:
            await session.get(HERE + "/login")
            await session.post(HERE + "/", data={"password": "hunter2"})
        return tape.read_text("utf-8")

    spared = asyncio.run(going())
    for secret in ("secret-cookie", "bWU6c2VjcmV0", "hunter2"):
        assert secret not in spared.replace("POST 2 password=hunter2", "")  # the echo's answer
    whole = asyncio.run(going(keepsSecrets=True))
    assert whole.count("secret-cookie") == 2
    assert whole.count("bWU6c2VjcmV0") == 2


def test_the_file_is_an_archive_at_any_time(tape):
    """JSON that browsers can open, with text as text; also while more is to come."""
    recorder = RecorderAgent(TreeAgent(Everything()), tape)
    assert json.loads(tape.read_text("utf-8"))["log"]["entries"] == []
    scenario(recorder, STEPS[0], STEPS[2])
    log = json.loads(tape.read_text("utf-8"))["log"]
    assert log["version"] == "1.2"
    page, data = (one["response"]["content"] for one in log["entries"])
    assert page == {"size": 11, "mimeType": "text/html; charset=utf-8", "text": "GET 1  Zoë"}
    assert data["encoding"] == "base64"
    for entry in log["entries"]:
        assert set(entry) == {
            "startedDateTime", "time", "request", "response", "cache", "timings",
        }  # fmt: skip


BROWSER = {
    "log": {
        "version": "1.2",
        "entries": [
            {
                "request": {
                    "method": "POST", "url": "https://a.example/x#there", "bodySize": 3,
                    "headers": [{"name": ":method", "value": "POST"}],
                    "postData": {"mimeType": "text/plain", "text": "a=1"},
                },
                "response": {
                    "status": 200, "statusText": "",
                    "headers": [
                        {"name": "content-encoding", "value": "br"},
                        {"name": "content-length", "value": "999"},
                        {"name": "set-cookie", "value": "a=1\nb=2"},
                    ],
                    "content": {"mimeType": "text/html; charset=iso-8859-1", "text": "Zoë"},
                },
            },
            {
                "request": {"method": "GET", "url": "data:,x", "headers": []},
                "response": {"status": 0, "statusText": "", "headers": [], "content": {}},
            },
        ],
    }
}  # fmt: skip


def test_what_a_browser_exports_is_answered_from(tape):
    """Its bodies are decoded, though its fields say how they came; what it did not finish is not
    there."""
    tape.write_text(json.dumps(BROWSER), "utf-8")
    replay = ReplayAgent(tape)
    assert replay.unasked == ["POST https://a.example/x"]
    response = successResultOf(replay.request("POST", "https://a.example/x#here", None, b"a=1"))
    assert response.headers.getRawHeaders("set-cookie") == ["a=1", "b=2"]
    assert not response.headers.hasHeader("content-encoding")
    assert response.length == 3
    assert asyncio.run(response.content()) == "Zoë".encode("latin-1")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"log": {"entries": [{}]}}'])
def test_another_file_is_refused(tape, text):
    """By its name."""
    tape.write_text(text)
    with pytest.raises(ValueError, match=r"tape\.har is no HTTP Archive"):
        ReplayAgent(tape)
    with pytest.raises(FileNotFoundError):
        ReplayAgent(tape.with_name("none"))


def test_a_body_that_is_produced_is_not_looked_at(tape):
    """A form with files has another boundary each time."""
    clock = Clock()
    with TreeAgent(Everything(), clock) as agent:
        asking = RecorderAgent(agent, tape).request("POST", HERE, None, b"a form")
        clock.advance(0)
        successResultOf(asking)
    replay = ReplayAgent(tape)
    assert successResultOf(replay.request("POST", HERE, None, StringProducer(b"x"))).code == 200


def test_what_fails_is_not_recorded(tape):
    """It fails as it does without a recorder."""
    clock = Clock()
    agent = TreeAgent(Everything(), clock)
    agent.close()
    failureResultOf(RecorderAgent(agent, tape).request("GET", HERE))
    assert ReplayAgent(tape).unasked == []


def test_a_session_closes_what_is_recorded_from(tape):
    """Nothing is left when it has ended."""
    clock = Clock()
    recorder = RecorderAgent(TreeAgent(Everything(), clock), tape)
    session = Session(clock, agent=recorder)
    asking = recorder.request("GET", HERE)
    clock.advance(0)
    successResultOf(asking)
    assert recorder.pool.getNumbers() == (1, 1, 0)
    session.close()
    clock.advance(0)
    assert recorder.pool.getNumbers() == (0, 0, 0)
    assert clock.getDelayedCalls() == []


KINDS = ["", "text/plain", "application/json; charset=hex", "image/png", "nonsense;;;"]
KINDS += [f"text/x; charset={name}" for name in ("utf-16", "utf-7", "idna", "no-such")]


@given(body=st.binary() | st.text().map(str.encode), kind=st.sampled_from(KINDS))
def test_every_body_comes_back(tmp_path_factory, body, kind):
    """Byte for byte, whatever it is said to be."""

    class Answer(Resource):
        isLeaf = True

        def render_GET(self, request):
            request.setHeader("Content-Type", kind)
            return body

    tape, clock = tmp_path_factory.mktemp("tape") / "tape.har", Clock()
    with TreeAgent(Answer(), clock) as agent:
        asking = RecorderAgent(agent, tape).request("GET", HERE, Headers())
        clock.advance(0)
        assert successResultOf(asking)._whole() == body
    assert successResultOf(ReplayAgent(tape).request("GET", HERE))._whole() == body

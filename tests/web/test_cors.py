"""Which pages of other sites may read an answer: Fetch, 3.3 and 4.9."""

import pytest

from tests.web.trees import Page, tree
from weblayer.web.cors import CORS
from weblayer.web.errors import Unauthorized
from weblayer.web.testing import Conversation, ask
from weblayer.web.wrapper import Wrapper

OURS, THEIRS = "https://app.test", "https://evil.test"
PAGE = Page(lambda request: "read me")
RULE = CORS(PAGE, [OURS, "http://localhost:8080"])


class Guard(Wrapper):
    """Lets nobody in."""

    def enter(self, request):
        raise Unauthorized(['Basic realm="a"'])


def told(node, method="GET", origin=OURS, **fields):
    """What a page of *origin* is told: the fields of CORS, and Vary."""
    headers = {} if origin is None else {"Origin": origin}
    headers |= {f"Access-Control-Request-{name}": value for name, value in fields.items()}
    answer = ask(node, method, "/", headers)
    names = ["vary", *(f"access-control-{name}" for name in NAMES)]
    short = [name.removeprefix("access-control-") for name in names]
    found = zip(short, map(answer.getHeader, names), strict=True)
    return answer.code, {name: value for name, value in found if value is not None}


NAMES = [
    "allow-origin", "allow-credentials", "expose-headers", "allow-methods", "allow-headers",
    "max-age", "allow-private-network",
]  # fmt: skip


def test_a_page_of_ours_may_read():
    """It is named, and a cache keeps the answer for it alone."""
    assert told(RULE) == (200, {"vary": "Origin", "allow-origin": OURS})


@pytest.mark.parametrize("origin", [None, THEIRS, "null", "", f"{OURS}, {THEIRS}", OURS + ":8443"])
def test_another_is_told_nothing(origin):
    """It gets its answer, as ever; a cache must not give it to ours (Fetch, 3.3.7)."""
    assert told(RULE, origin=origin) == (200, {"vary": "Origin"})


@pytest.mark.parametrize("origin", [None, THEIRS, "null"])
def test_any_page_may_read_what_is_for_all(origin):
    """The answer is one for all, and for a cache."""
    assert told(CORS(PAGE, "*"), origin=origin) == (200, {"allow-origin": "*"})


def test_cookies_and_fields_are_for_those_who_are_named():
    """A script sends the one and reads the other only when it is told so."""
    node = CORS(PAGE, [OURS], credentials=True, exposed=["X-Total", "ETag"])
    said = {"allow-credentials": "true", "expose-headers": "X-Total, ETag"}
    assert told(node) == (200, {"vary": "Origin", "allow-origin": OURS, **said})
    assert told(node, origin=THEIRS) == (200, {"vary": "Origin"})


def test_an_error_may_be_read_as_well():
    """Else a script could not tell what went wrong; its page differs by Accept, too."""
    said = {"vary": "Accept, Origin", "allow-origin": OURS}
    assert told(CORS(tree(), [OURS])) == (404, said)
    assert told(CORS(Guard(PAGE), [OURS])) == (401, said)


def preflight(node, origin=OURS, method="PUT", **fields):
    return told(node, "OPTIONS", origin, Method=method, **fields)


SAID = {
    "vary": "Origin",
    "allow-origin": OURS,
    "allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "allow-headers": "Authorization, Content-Type",
    "max-age": "600",
}


@pytest.mark.parametrize("node", [RULE, CORS(Guard(PAGE), [OURS]), CORS(tree(), [OURS])])
def test_a_preflight_is_answered_before_all_that_stands_behind(node):
    """It carries no password, and its path is nobody's affair."""
    assert preflight(node) == (204, SAID)


def test_a_preflight_is_told_the_rule_and_judges_itself():
    """Whatever it asks for: so the browser's console says what is missing."""
    node = CORS(PAGE, [OURS], methods=["PURGE"], headers=["X-A", "X-B"], maxAge=0)
    rule = {"allow-methods": "PURGE", "allow-headers": "X-A, X-B", "max-age": "0"}
    assert preflight(node, method="TRACE", Headers="x-c") == (204, SAID | rule)
    nothing = SAID | {"allow-methods": ""}
    del nothing["allow-headers"]
    assert preflight(CORS(PAGE, [OURS], methods=[], headers=[])) == (204, nothing)


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("x-a,authorization", "x-a, authorization"),
        ("x-a , , x-b", "x-a, x-b"),
        ("x-a, b c, d:e, (f)", "x-a"),
        (None, None),
    ],
)
def test_any_field_is_said_back(asked, allowed):
    """A star would leave out Authorization, and mean nothing beside cookies."""
    fields = {} if asked is None else {"Headers": asked}
    code, said = preflight(CORS(PAGE, "*", headers="*"), **fields)
    assert (code, said.get("allow-headers")) == (204, allowed)
    assert said["vary"] == "Access-Control-Request-Headers"
    assert preflight(CORS(PAGE, [OURS], headers=["*"], credentials=True))[1]["vary"] == (
        "Access-Control-Request-Headers, Origin"
    )


@pytest.mark.parametrize("origin", [THEIRS, "null"])
def test_a_preflight_of_another_is_refused(origin):
    """403, with nothing that lets a browser go on."""
    assert preflight(RULE, origin) == (403, {"vary": "Accept, Origin"})


@pytest.mark.parametrize("fields", [{"origin": OURS}, {"origin": None, "Method": "PUT"}])
def test_another_question_about_methods_is_the_trees(fields):
    """OPTIONS without an origin, or without a method that is to be sent, is no preflight."""
    answer = []
    told(
        CORS(Page(lambda request: answer.append(request.method) or b""), [OURS]),
        "OPTIONS",
        **fields,
    )
    assert answer == ["OPTIONS"]


def test_what_a_page_has_said_itself_stays():
    """A page that all may read, among those of which this is not so."""

    def open_to_all(request):
        request.setHeader("Access-Control-Allow-Origin", "*")
        return b""

    node = CORS(Page(open_to_all), [OURS], credentials=True)
    assert told(node, origin=THEIRS) == (200, {"vary": "Origin", "allow-origin": "*"})
    assert told(node) == (200, {"vary": "Origin", "allow-origin": "*"})


@pytest.mark.parametrize(
    ("before", "after"),
    [("Accept", "Accept, Origin"), ("origin", "origin"), ("*", "*"), ("A, Origin", "A, Origin")],
)
def test_what_an_answer_differs_by_is_said_once(before, after):
    """Beside what the page has said of it."""

    def differs(request):
        request.setHeader("Vary", before)
        return b""

    assert told(CORS(Page(differs), [OURS]))[1]["vary"] == after


def test_of_two_the_outer_one_decides():
    """It is the one that answers the preflights."""
    node = CORS(CORS(PAGE, "*", maxAge=7), [OURS])
    assert preflight(node) == (204, SAID)
    assert told(node) == (200, {"vary": "Origin", "allow-origin": OURS})


def test_a_stream_stays_one():
    """Its first piece goes out when it is written, with the fields before it."""

    def stream(request):
        request.write(b"first")
        return request.notifyFinish()

    conversation = Conversation(CORS(Page(stream), "*"))
    conversation.ask("GET", "/")
    assert conversation.received.endswith(b"first\r\n")
    assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in conversation.received


@pytest.mark.parametrize(
    ("origins", "options", "error", "match"),
    [
        ("https://app.test", {}, TypeError, 'a list of origins, or "\\*"'),
        (["https://app.test/"], {}, ValueError, "an origin is"),
        ("*", {"credentials": True}, ValueError, "credentials=True"),
        (["*"], {"credentials": True}, ValueError, "credentials=True"),
        ([OURS, "null"], {"credentials": True}, ValueError, "credentials=True"),
        ([OURS], {"credentials": True, "exposed": ["*"]}, ValueError, "credentials=True"),
        ([OURS], {"credentials": True, "methods": "*"}, ValueError, "credentials=True"),
        ([OURS], {"methods": "GET"}, TypeError, "methods must be a list"),
        ([OURS], {"headers": ["X A"]}, ValueError, "headers may hold"),
        ([OURS], {"exposed": ["a\r\nb"]}, ValueError, "exposed may hold"),
        ([OURS], {"maxAge": -1}, ValueError, "maxAge must be"),
        ([OURS], {"maxAge": 1.5}, ValueError, "maxAge must be"),
    ],
)
def test_a_rule_that_cannot_hold_is_told_at_once(origins, options, error, match):
    """Above all one that would let any page read what its visitor may."""
    with pytest.raises(error, match=match):
        CORS(PAGE, origins, **options)

"""The head of a response, as a program says it: helpers for what is easily written wrong."""

import pytest

from tests.web.trees import Page
from weblayer.web.testing import Conversation, ask


def answer_to(say):
    """The answer of a page that does something to its request and gives nothing."""
    return ask(Page(lambda request: say(request) or b"page"))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"maxAge": 60}, "max-age=60"),
        ({"public": True, "maxAge": 31536000, "immutable": True},
         "public, immutable, max-age=31536000"),
        ({"noStore": True}, "no-store"),
        ({"private": True, "noCache": True, "mustRevalidate": True},
         "private, no-cache, must-revalidate"),
        ({"sharedMaxAge": 5, "staleWhileRevalidate": 6, "staleIfError": 7, "noTransform": True},
         "no-transform, s-maxage=5, stale-while-revalidate=6, stale-if-error=7"),
    ],
)  # fmt: skip
def test_caches_are_told_what_they_may_do(said, field):
    """In words and seconds, the last that was said."""

    def page(request):
        request.setCacheControl(noStore=True)
        request.setCacheControl(**said)

    assert answer_to(page).headers.getRawHeaders("cache-control") == [field]


@pytest.mark.parametrize("said", [{"public": True, "private": True}, {"maxAge": -1}])
def test_caches_are_told_no_nonsense(said, caplog):
    """What contradicts itself is the program's error."""
    assert answer_to(lambda request: request.setCacheControl(**said)).code == 500
    assert "ValueError" in caplog.text


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ((), "attachment"),
        (("attachment", "a.pdf"), 'attachment; filename="a.pdf"'),
        (("inline", "a.pdf"), 'inline; filename="a.pdf"'),
        (("attachment", "€ 5.pdf"),
         "attachment; filename=\"_ 5.pdf\"; filename*=UTF-8''%E2%82%AC%205.pdf"),
        (("attachment", "../../etc/x\r\nSet-Cookie: a"),
         'attachment; filename=".._.._etc_x__Set-Cookie: a"'),
    ],
)  # fmt: skip
def test_a_body_is_saved_under_a_name(said, field):
    """Whatever a name holds, for readers old and new, and never a path or another field."""
    answer = answer_to(lambda request: request.setDisposition(*said))
    assert (answer.getHeader("content-disposition"), answer.code) == (field, 200)
    assert answer.getHeader("set-cookie") is None


def test_links_are_added():
    """Each is a line of its own; what is not ASCII is sent so that it arrives."""

    def page(request):
        request.addLink("/style.css", "preload", {"as": "style"})
        request.addLink("?page=2", "next", {"title": "zwölf"})

    assert answer_to(page).headers.getRawHeaders("link") == [
        "</style.css>; rel=preload; as=style",
        "<?page=2>; rel=next; title*=UTF-8''zw%C3%B6lf",
    ]


SPLITTING = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\0b"]


@pytest.mark.parametrize("evil", SPLITTING)
@pytest.mark.parametrize(
    "say",
    [
        lambda request, evil: request.setHeader("X-A", evil),
        lambda request, evil: request.setHeader(evil, "a"),
        lambda request, evil: request.responseHeaders.addRawHeader("X-A", evil),
        lambda request, evil: request.responseHeaders.setRawHeaders("X-A", ["a", evil]),
        lambda request, evil: request.setResponseCode(200, evil),
        lambda request, evil: request.redirect(evil),
        lambda request, evil: request.addCookie("a", evil),
        lambda request, evil: request.addCookie(evil, "a"),
        lambda request, evil: request.removeCookie(evil),
        lambda request, evil: request.setETag(evil),
        lambda request, evil: request.setDisposition(evil),
        lambda request, evil: request.addLink(evil, "next"),
        lambda request, evil: request.addLink("/", evil),
        lambda request, evil: request.addLink("/", "next", {"title": evil}),
    ],
)
def test_no_response_is_split(say, evil, caplog):
    """Nothing that a program passes on becomes another field, or another response."""
    answer = answer_to(lambda request: say(request, evil))
    assert (answer.code, answer.getHeader("x-evil"), len(answer.answers)) == (500, None, 1)
    assert "ValueError" in caplog.text


def test_names_keep_their_case_on_the_wire():
    """As the program wrote them, matched in any."""

    def page(request):
        request.setHeader("x-Odd-CASE", "1")
        request.setHeader("X-ODD-case", "2")

    answer = answer_to(page)
    assert b"\r\nX-ODD-case: 2\r\n" in answer.received
    assert answer.headers.getRawHeaders("x-odd-case") == ["2"]


@pytest.mark.parametrize("name", ["Date", "server"])
def test_a_field_that_every_answer_has_can_be_said_otherwise(name):
    """Once, and for that answer alone: a proxy passes on what another server said."""

    def render(request):
        if request.uri == "/own":
            request.setHeader(name, "Sun, 06 Nov 1994 08:49:37 GMT")
        return b""

    with Conversation(Page(render)) as conversation:
        for target in ("/own", "/"):
            conversation.ask("GET", target)
        first, second = conversation.answers
    assert first.headers.getRawHeaders(name) == ["Sun, 06 Nov 1994 08:49:37 GMT"]
    assert len(second.headers.getRawHeaders(name)) == 1
    assert second.getHeader("date") != "Sun, 06 Nov 1994 08:49:37 GMT"
    assert {"Date", "Server"} <= {n.title() for n, _ in first.headers.getAllRawHeaders()}


def test_an_answer_that_fails_takes_nothing_from_the_next(caplog):
    """What the page said of itself is not said of the error's."""

    def render(request):
        request.setHeader("Date", "then")
        request.setHeader("Content-Length", "many")
        return b""

    answer = ask(Page(render), "GET", "/")
    assert (answer.code, answer.getHeader("date") != "then") == (500, True)
    assert answer.getHeader("date")

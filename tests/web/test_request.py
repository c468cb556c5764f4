"""What a request tells of what came, and takes for what goes back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, errors_of, raw
from weblayer.loop.address import IPv4Address
from weblayer.web.request import CACHED
from weblayer.web.resource import Resource
from weblayer.web.testing import Conversation, ask
from weblayer.web.util import Redirect, redirectTo

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def seen(look, method="GET", target="/", headers=None, body=b""):
    """What *look* makes of a request, when it is rendered."""
    found = []
    ask(Page(lambda request: found.append(look(request)) or b""), method, target, headers, body)
    return found[0]


# What came


def test_the_request_line_is_told_as_it_was_sent():
    """Target, path and query are not decoded; the method and the version are text."""
    line = seen(lambda r: (r.method, r.uri, r.path, r.query, r.clientproto), "PUT", "/a%20b?c=%20d")
    assert line == ("PUT", "/a%20b?c=%20d", "/a%20b", "c=%20d", "HTTP/1.1")


def test_args_are_the_values_of_the_query():
    """Names and values are decoded; a name may have several values, in the order sent."""
    args = seen(lambda r: r.args, target="/?q=1&name=a%20b+c&q=%C3%A9&empty=&bare")
    assert args == {"q": ["1", "é"], "name": ["a b c"], "empty": [""], "bare": [""]}


def test_args_answer_in_the_type_asked():
    """A look-up by bytes gives bytes, so that older programs go on."""
    args = seen(lambda r: r.args, target="/?q=%C3%A9&raw=%ff")
    assert (args["q"], args[b"q"], args.get(b"q")) == (["é"], ["é".encode()], ["é".encode()])
    assert (args[b"raw"], args.get(b"none"), args.get("none", 7)) == ([b"\xff"], None, 7)
    assert (b"q" in args, b"none" in args, "q" in args) == (True, False, True)
    with pytest.raises(KeyError):
        args[b"none"]


@pytest.mark.parametrize("name", ["none", b"none"])
def test_a_field_that_is_missing_is_the_clients_mistake(name, caplog):
    """Where the program does not catch the KeyError: 400, with the field's name."""
    answer = ask(Page(lambda request: request.args[name][0]), "GET", "/?q=1")
    assert (answer.code, errors_of(caplog)) == (400, [])
    assert "'none'" in answer.text()


def test_a_form_is_added_to_the_query():
    """The fields of an urlencoded body come behind those of the query; the body stays to read."""
    args, body = seen(lambda r: (r.args, r.content.read()), "POST", "/?a=1", FORM, b"a=2&b=%26+")
    assert (args, body) == ({"a": ["1", "2"], "b": ["& "]}, b"a=2&b=%26+")


def test_another_body_is_no_form():
    """Only a body that says so is read as a form."""
    assert seen(lambda r: r.args, "POST", "/?a=1", {"Content-Type": "text/plain"}, b"a=2") == {
        "a": ["1"]
    }


@pytest.mark.parametrize("target", ["/", "/?" + "&" * 2000])
def test_a_form_of_too_many_fields_is_400(target, caplog):
    """More fields than an honest form has are the client's fault, and nobody's traceback."""
    body = b"&" * 2000 if target == "/" else b""
    page = Page(lambda request: len(request.args) and b"")
    assert ask(page, "POST", target, FORM, body).code == 400
    assert not caplog.records


@pytest.mark.parametrize(
    ("body", "code"),
    [(b'{"a": [1]}', 200), (b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 10**5, 400)],
)
def test_a_body_is_read_as_json(body, code):
    """json() is what the body says; what says nothing is the client's 400."""
    answer = ask(Page(lambda request: {"seen": request.json()}), "POST", body=body)
    assert answer.code == code
    assert (answer.text() == '{"seen": {"a": [1]}}') == (code == 200)


def test_content_is_the_body_as_a_file():
    """It stands at its beginning, and is empty without a body."""
    assert seen(lambda r: (r.content.tell(), r.content.read()), "POST", body=b"abc") == (0, b"abc")
    assert seen(lambda r: r.content.read()) == b""


def test_a_header_is_told_in_the_type_asked():
    """Names match without regard to case; values are latin-1; None without one."""
    look = lambda r: (r.getHeader("x-a"), r.getHeader(b"X-A"), r.getHeader("x-b"))  # noqa: E731
    assert seen(look, headers={"X-A": "é"}) == ("é", "é".encode("latin-1"), None)


def test_lines_of_one_name_are_joined():
    """With commas, and those of Cookie with semicolons, in either look-up."""
    found = []
    page = Page(
        lambda r: found.extend([r.getHeader("x"), r.getHeader(b"cookie"), r.getAllHeaders()]) or b""
    )
    Conversation(page).send(raw("GET / HTTP/1.1", "X: 1", "Cookie: a=1", "x:  2 ", "cookie: b=2"))
    assert found == [
        "1, 2", b"a=1; b=2", {"host": "weblayer.test", "x": "1, 2", "cookie": "a=1; b=2"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "host", "name"),
    [
        ("/", "a.test:8080", "a.test"),
        ("/", "[::1]:80", "[::1]"),
        ("/", "[::1]", "[::1]"),
        ("http://other.test:1/x", "a.test", "other.test"),
    ],
)
def test_the_host_is_told_without_its_port(target, host, name):
    """The name that was asked for; an absolute target replaces Host."""
    assert seen(lambda r: r.getRequestHostname(), "GET", target, {"Host": host}) == name


def test_the_addresses_are_told():
    """Who asked, which address of ours, and that nothing is encrypted."""
    client, own, secure = seen(lambda r: (r.getClientAddress(), r.getHost(), r.isSecure()))
    assert isinstance(client, IPv4Address)
    assert (client.host, own.port, secure) == ("192.0.2.1", 80, False)


@pytest.mark.parametrize(
    ("said", "user", "password"),
    [
        (None, "", ""),
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
        ("bASIC dGVzdDoxMjPCow==", "test", "123£"),
        ("Basic !", "", ""),
        ("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "", ""),
    ],
)
def test_who_says_a_name_is_heard_and_not_believed(said, user, password):
    """What Basic authentication says may be read where there is no guard, too."""
    found = seen(
        lambda request: (request.getUser(), request.getPassword(), request.avatarId),
        headers=said and {"Authorization": said},
    )
    assert found == (user, password, None)


def test_a_program_may_put_attributes_on_a_request():
    """What is set in getChild is there in render."""

    class Marks(Resource):
        def getChild(self, name, request):
            request.user = name
            return Page(lambda request: request.user)

    assert ask(Marks(), "GET", "/ann").text() == "ann"


# What goes back


def answered(act):
    """The answer of a page that does *act* to its request first."""
    return ask(Page(lambda request: act(request) or b""))


def test_the_code_and_its_phrase_are_set():
    """A code has its registered phrase, or the one that was given."""
    assert answered(lambda r: r.setResponseCode(201)).last.phrase == "Created"
    assert answered(lambda r: r.setResponseCode(299, "Very Fine")).last.phrase == "Very Fine"
    assert answered(lambda r: r.setResponseCode(299)).code == 299


@pytest.mark.parametrize("code", [100, 199, 600, "200", None, True, 200.0])
def test_a_code_must_be_a_final_one(code):
    """What would be no answer is a ValueError that names the parameter."""
    with pytest.raises(ValueError, match="code"):
        seen_error(lambda request: request.setResponseCode(code))


def seen_error(act):
    """Raise here what *act* raises of a request."""
    errors = []

    def page(request):
        try:
            act(request)
        except Exception as error:
            errors.append(error)
        return b""

    assert ask(Page(page)).code == 200
    if errors:
        raise errors[0]


INJECTED = "x\r\nSet-Cookie: stolen=1"


@pytest.mark.parametrize(
    "act",
    [
        lambda r, text: r.setHeader("X", text),
        lambda r, text: r.setHeader(text, "x"),
        lambda r, text: r.responseHeaders.addRawHeader("X", text),
        lambda r, text: r.setResponseCode(200, text),
        lambda r, text: r.redirect(text),
        lambda r, text: redirectTo(text, r),
        lambda r, text: r.addCookie(text, "v"),
        lambda r, text: r.addCookie("n", text),
        lambda r, text: r.addCookie("n", "v", domain=text),
        lambda r, text: r.addCookie("n", "v", path=text),
        lambda r, text: r.addCookie("n", "v", expires=text),
    ],
)
@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize("text", [INJECTED, "a\nb", "a\rb", "a\0b"])
def test_nothing_that_ends_a_field_is_ever_set(act, kind, text):
    """CR, LF and NUL are refused in every name, value, phrase, cookie and redirect."""
    with pytest.raises(ValueError):  # each says it in its own words
        seen_error(lambda request: act(request, kind(text)))


@given(st.text() | st.binary())
def test_a_header_is_sent_as_it_was_set_or_refused(value):
    """Whatever the value: the answer has this one field of its name, or the value was refused."""

    def page(request):
        try:
            request.setHeader("X-Value", value)
        except ValueError:
            return b"refused"
        return b"set"

    answer = ask(Page(page))
    kept = answer.getHeader("x-value")
    sent = value if isinstance(value, str) else value.decode("latin-1")
    assert answer.isWhole
    assert kept == (None if answer.body == b"refused" else sent.strip(" \t"))


def test_a_redirect_is_302_and_says_where():
    """The page has a link, escaped; a Redirect answers so for its place in the tree."""
    answer = ask(Redirect("/new?a=1&b='\"><script>"))
    assert (answer.code, answer.getHeader("location")) == (302, "/new?a=1&b='\"><script>")
    assert "<script>" not in answer.text()
    assert ask(Redirect(b"/new"), "POST").getHeader("location") == "/new"


def test_a_redirect_is_percent_encoded_by_the_program():
    """A URL with other characters is refused, for browsers differ on what it would mean."""
    with pytest.raises(ValueError, match="percent-encoded"):
        seen_error(lambda request: redirectTo("/é", request))


CHANGED = datetime(2024, 5, 6, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("declared", [False, True])
def test_what_the_client_has_is_not_sent_again(declared):
    """CACHED, 304, and neither a body nor a word of one; a length that was told is the whole's."""

    def page(request):
        if declared:
            request.setHeader("Content-Length", "1234")
        return b"" if request.setLastModified(CHANGED) is CACHED else b"x" * 1234

    date = "Mon, 06 May 2024 00:00:00 GMT"
    conversation = ask(Page(page), "GET", "/", {"If-Modified-Since": date})
    assert (conversation.code, conversation.getHeader("last-modified")) == (304, date)
    assert conversation.getHeader("content-length") == ("1234" if declared else None)
    assert conversation.getHeader("content-type") is None
    assert conversation.isWhole


def test_a_change_is_never_answered_by_not_modified():
    """A POST gets its answer, whatever the client has."""
    page = Page(lambda r: b"" if r.setLastModified(CHANGED) is CACHED else b"done")
    answer = ask(page, "POST", "/", {"If-Modified-Since": "Mon, 06 May 2024 00:00:00 GMT"})
    assert (answer.code, answer.body) == (200, b"done")

"""Forms, JSON and text: what a render is given of a body that came whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.bodies import BOUNDARY, MULTIPART, URLENCODED, field, file, form
from tests.web.trees import Page, raw
from tests.wire.recordings import RECORDED
from weblayer.web.policy import Policy
from weblayer.web.resource import Resource
from weblayer.web.testing import Conversation, ask

MB = 1024 * 1024


def told(request):
    """All that a form says, as JSON."""
    uploads = {
        name: [(u.filename, u.contentType, u.file.read().decode("latin-1")) for u in found]
        for name, found in request.files.items()
    }
    return json.dumps([request.args, uploads])


def reading_of(body, headers=MULTIPART, target="/", policy=None):
    answer = ask(Page(told, policy), "POST", target, headers, body)
    return json.loads(answer.text()) if answer.code == 200 else answer.code


# Fields and files


def test_fields_are_args_and_files_are_files():
    """Each under its field's name, in the order sent, the query's arguments first."""
    body = form(
        field("a", b"1"), file("f", "x.txt", b"ex"), field("a", "zwölf".encode()),
        file("f", "y.bin", b"\x00\xff", "application/octet-stream"), field("b", b""),
    )  # fmt: skip
    assert reading_of(body, target="/?a=0&q=%20") == [
        {"a": ["0", "1", "zwölf"], "q": [" "], "b": [""]},
        {"f": [["x.txt", "text/plain", "ex"], ["y.bin", "application/octet-stream", "\0ÿ"]]},
    ]


@given(
    contents=st.lists(st.binary(max_size=60) | st.just(b"\r\n------a+for"), max_size=5),
    cut=st.integers(1, 200),
)
def test_a_form_says_the_same_however_it_is_cut(contents, cut):
    """Fields and files are what was sent, by length or in chunks, whatever the pieces."""
    body = form(*[file(f"n{i}", "f", c) for i, c in enumerate(contents)], field("end", b"."))
    pieces = [body[i : i + cut] for i in range(0, len(body), cut)]
    seen = []

    def page(request):
        seen.append({name: found[0].file.read() for name, found in request.files.items()})
        return request.args["end"][0]

    with Conversation(Page(page)) as conversation:
        kind = f"Content-Type: {MULTIPART['Content-Type']}"
        conversation.send(raw("POST / HTTP/1.1", kind, f"Content-Length: {len(body)}"), "POST")
        for piece in pieces:
            conversation.send(piece)
        conversation.send(raw("POST / HTTP/1.1", kind, "Transfer-Encoding: chunked"), "POST")
        for piece in [*pieces, b""]:
            conversation.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        assert [answer.text() for answer in conversation.answers] == [".", "."]
    assert seen == [{f"n{i}": content for i, content in enumerate(contents)}] * 2


@pytest.mark.parametrize("client", RECORDED)
def test_what_real_clients_send(client):
    """A form of each client gives its fields, and its files with their contents."""
    body = RECORDED[client]
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--").decode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    args, files = reading_of(body, kind)
    assert list(args.values()) == [["a b&c"], ["grün"]]
    uploads = {name: content for name, _, content in files["up"]}
    assert (len(uploads), uploads["bytes.bin"]) == (7, "\0\r\n--ÿ")
    assert "none" not in files  # where Chromium sent a file that nobody chose


def test_names_answer_in_the_type_asked():
    """args[b"a"] is bytes as sent, also where they are no UTF-8."""
    page = Page(lambda request: request.args[b"a"][0])
    assert ask(page, "POST", "/", MULTIPART, form(field("a", b"\xff"))).body == b"\xff"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "multipart/mixed; boundary=b"}])
def test_other_bodies_have_no_fields_and_no_files(headers):
    """Only what says that it is a form is one."""
    assert reading_of(form(field("a", b"1")), headers) == [{}, {}]
    assert reading_of(b"", {}) == [{}, {}]


@pytest.mark.parametrize(
    "kind", ["Multipart/Form-Data;Boundary=b", 'MULTIPART/FORM-DATA; boundary="b"']
)
def test_a_form_says_so_in_any_case(kind):
    """Types and the names of their parameters do not know capitals (RFC 9110, 8.3.1)."""
    body = form(field("a", b"1")).replace(BOUNDARY.encode(), b"b")
    assert reading_of(body, {"content-type": kind}) == [{"a": ["1"]}, {}]


def test_an_urlencoded_form_has_no_files():
    """Its fields are args, and asking for files is no mistake."""
    assert reading_of(b"a=1&a=%E2%98%83", URLENCODED) == [{"a": ["1", "☃"]}, {}]


@pytest.mark.parametrize("name", ["none", b"none"])
def test_a_file_that_is_missing_is_the_clients_mistake(name, caplog):
    """As a field is: 400 with its name, in a form and where there is none."""
    for headers, body in ((MULTIPART, form(field("none", b"1"))), ({}, b"")):
        answer = ask(
            Page(lambda request: request.files[name][0].filename), "POST", "/", headers, body
        )
        assert (answer.code, caplog.records) == (400, [])
        assert "a file 'none'" in answer.text()


def test_files_are_found_by_a_name_of_bytes():
    """As older programs ask."""
    body = form(file("f", "x", b"y"))
    answer = ask(
        Page(lambda request: request.files[b"f"][0].filename), "POST", "/", MULTIPART, body
    )
    assert answer.text() == "x"


def test_the_body_of_a_form_is_content_too():
    """A render may read it by itself: nothing is taken from it."""
    body = form(file("f", "x", b"x" * 1000))

    def page(request):
        first = request.files["f"][0].file.read(10)
        return first + request.content.read()

    assert ask(Page(page), "POST", "/", MULTIPART, body).body == b"x" * 10 + body


def test_what_is_asked_on_the_way_is_asked_again_of_the_whole():
    """A getChild sees the query alone, is told so, and hides nothing from the render."""
    seen = []

    class Gate(Resource):
        def getChild(self, name, request):
            seen.append(dict(request.args))
            with pytest.raises(RuntimeError, match="not come yet"):
                request.files  # noqa: B018  # asking is the test
            return Page(told)

    body = form(field("a", b"2"), file("f", "x", b"y"))
    answer = ask(Gate(), "POST", "/x?a=1", MULTIPART, body)
    assert seen == [{"a": ["1"]}]
    assert json.loads(answer.text()) == [{"a": ["1", "2"]}, {"f": [["x", "text/plain", "y"]]}]


# What is no form

BROKEN = [
    form(field("a", b"1"))[:-4],
    form(field("a", b"1"))[:20],
    form(b"No-Disposition: here\r\n\r\n1"),
    form(b"Content-Disposition: form-data\r\n\r\n1"),
    b"a=1",
    b" ",
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_form_is_400(body):
    """Asking for what it says is answered with a 400, in args as in files."""
    for asked in (lambda r: r.args and b"", lambda r: r.files and b""):
        answer = ask(Page(asked), "POST", "/", {**MULTIPART, "Accept": "application/json"}, body)
        assert answer.code == 400
        assert answer.getHeader("content-type") == "application/problem+json"


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_form_is_content_all_the_same(body):
    """A render that does not ask for the form is not troubled by it."""
    page = Page(lambda request: request.content.read())
    assert ask(page, "POST", "/", MULTIPART, body).body == body


@pytest.mark.parametrize("parameters", ["", "; boundary=", f"; boundary={BOUNDARY}; boundary=b"])
def test_a_form_without_a_good_boundary_is_400(parameters):
    """Where two readers could disagree there is no form."""
    assert reading_of(form(), {"Content-Type": f"multipart/form-data{parameters}"}) == 400


# Limits


@pytest.mark.parametrize("count", [3, 4])
def test_the_number_of_fields_is_limited(count):
    """maxFields holds for both kinds of form, and for fields and files together."""
    policy = Policy(maxFields=3)
    parts = [field("a", b"1"), *[file("f", "x", b"")] * (count - 1)]
    code = 400 if count > 3 else 200
    assert ask(Page(told, policy), "POST", "/", MULTIPART, form(*parts)).code == code
    assert (
        ask(Page(told, policy), "POST", "/", URLENCODED, b"&".join([b"a=1"] * count)).code == code
    )


@pytest.mark.parametrize("size", [10, 11])
def test_the_bytes_of_fields_are_limited(size):
    """maxFieldBytes bounds what a form may hold of the memory; files are not held there."""
    policy = Policy(maxFieldBytes=10)
    code = 413 if size > 10 else 200
    large = file("f", "x", b"x" * 100)
    split = form(field("a", b"x" * 5), large, field("b", b"x" * (size - 5)))
    assert ask(Page(told, policy), "POST", "/", MULTIPART, split).code == code
    plain = b"a=" + b"x" * (size - 2)
    assert ask(Page(told, policy), "POST", "/", URLENCODED, plain).code == code


def test_a_limit_raised_for_files_is_not_raised_for_fields():
    """What takes uploads of a gigabyte does not take a field of five megabytes into memory."""
    policy = Policy(maxBody=10 * MB)
    assert reading_of(form(field("a", b"x" * 5 * MB)), policy=policy) == 413
    assert reading_of(b"a=" + b"x" * 5 * MB, URLENCODED, policy=policy) == 413
    assert reading_of(form(file("a", "x", b"x" * 5 * MB)), policy=policy)[0] == {}


# Text and JSON


def text(body, kind="text/plain"):
    answer = ask(Page(lambda r: r.text()), "POST", "/", {"Content-Type": kind}, body)
    return answer.text() if answer.code == 200 else answer.code


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("text/plain", "Zoë".encode(), "Zoë"),
        ("text/plain; charset=utf-8", "Zoë".encode(), "Zoë"),
        ('text/plain; charset="ISO-8859-1"', "Zoë".encode("latin-1"), "Zoë"),
        ("text/plain;charset=Windows-1252", b"\x80", "€"),
        ("text/plain;charset=Shift_JIS", "雪".encode("shift_jis"), "雪"),
        ("no type", b"x", "x"),
        ("text/plain", b"", ""),
        ("text/plain", b"\xff", 400),
        ("text/plain; charset=us-ascii", "ë".encode(), 400),
        ("text/plain; charset=x-none", b"x", 415),
        ("text/plain; charset=base64", b"x", 415),
        ("text/plain; charset=punycode", b"x", 415),
        ("text/plain; charset=unicode_escape", b"x", 415),
        ('text/plain; charset="\xe9"', b"x", 415),
    ],
)
def test_text_is_read_in_its_charset(kind, body, said):
    """As declared, else UTF-8; what is wrong in it is the client's fault, and told so."""
    assert text(body, kind) == said


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nul", b"\xff", b"NaN", b"[Infinity]", b"[" * 100_000, b"1" * 5000, b"1 2"],
)
def test_what_is_no_json_is_400(body):
    """Whatever is wrong with it, and however deep."""
    page = Page(lambda request: [request.json()])
    answer = ask(page, "POST", "/", {"Accept": "application/json"}, body)
    assert (answer.code, json.loads(answer.text())["status"]) == (400, 400)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_json_is_what_was_sent(value):
    """A value goes there and comes back."""
    page = Page(lambda request: [request.json()])
    assert json.loads(ask(page, "POST", body=json.dumps(value).encode()).text()) == [value]

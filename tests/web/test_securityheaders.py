"""What browsers are told to keep a page from."""

import pytest

from tests.web.trees import Page, tree
from tests.web.visitors import visit
from weblayer.web.errors import Forbidden
from weblayer.web.request import CACHED
from weblayer.web.securityheaders import CSP, SecurityHeaders

PAGE = Page(lambda request: "a page")
SAID = [
    "content-security-policy", "content-security-policy-report-only", "strict-transport-security",
    "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy",
    "cross-origin-opener-policy", "cross-origin-resource-policy",
]  # fmt: skip


def told(node, target="/", **options):
    """What is said, of all that can be."""
    answer = visit(node, target, **options)
    return {name: value for name in SAID if (value := answer.getHeader(name)) is not None}


def test_by_default_a_page_may_what_most_do():
    """Each of these takes something away that a usual site never does."""
    assert told(SecurityHeaders(PAGE)) == {
        "content-security-policy": (
            "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
            "frame-ancestors 'self'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": (
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
        ),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


def test_to_come_encrypted_is_said_where_it_is():
    """In the clear anybody could have said it (RFC 6797, 7.2)."""
    assert "strict-transport-security" not in told(SecurityHeaders(PAGE))
    assert told(SecurityHeaders(PAGE), secure=True)["strict-transport-security"] == (
        "max-age=31536000"
    )
    node = SecurityHeaders(PAGE, hsts="max-age=0")
    assert told(node, secure=True)["strict-transport-security"] == "max-age=0"


@pytest.mark.parametrize("answer", [lambda r: iter(["a"]), lambda r: 1 / 0, lambda r: no(r)])
def test_all_answers_say_it(answer):
    """Streams and errors too, of which most are found in scanners' reports."""
    assert len(told(SecurityHeaders(Page(answer)))) == 7
    assert len(told(SecurityHeaders(tree()), "/missing")) == 7


def no(request):
    raise Forbidden


def test_none_leaves_a_field_out():
    """All but that nothing is guessed."""
    nothing = dict.fromkeys(["csp", "hsts", "referrer", "permissions", "opener", "resources"])
    assert told(SecurityHeaders(PAGE, **nothing), secure=True) == {
        "x-content-type-options": "nosniff"
    }


@pytest.mark.parametrize(
    ("ancestors", "frames"),
    [("'none'", "DENY"), ("'self'", "SAMEORIGIN"), ("https://a.test", None), (None, None)],
)
def test_older_browsers_are_told_of_frames_what_they_understand(ancestors, frames):
    """X-Frame-Options follows frame-ancestors."""
    rest = {name: value for name, value in CSP.items() if name != "frame-ancestors"}
    csp = rest if ancestors is None else {**rest, "frame-ancestors": ancestors}
    assert told(SecurityHeaders(PAGE, csp=csp)).get("x-frame-options") == frames


def test_what_breaks_a_rule_may_only_be_told():
    """A policy is tried out, and nothing breaks by it."""
    said = told(SecurityHeaders(PAGE, csp={"default-src": "'none'"}, reportOnly=True))
    assert said["content-security-policy-report-only"] == "default-src 'none'"
    assert "content-security-policy" not in said


def test_what_a_page_has_set_itself_stays():
    """It knows better what it needs."""

    def own(request):
        request.setHeader("Content-Security-Policy", "sandbox")
        request.setHeader("X-Frame-Options", "DENY")
        return b""

    said = told(SecurityHeaders(Page(own)))
    assert (said["content-security-policy"], said["x-frame-options"]) == ("sandbox", "DENY")
    assert said["referrer-policy"]


def test_deeper_in_the_tree_another_takes_its_place():
    """As a whole: what it leaves out is not said."""
    inner = SecurityHeaders(PAGE, csp={"default-src": "a.test"}, opener=None)
    node = SecurityHeaders(tree(a=inner, b=PAGE))
    assert told(node, "/a")["content-security-policy"] == "default-src a.test"
    assert "cross-origin-opener-policy" not in told(node, "/a")
    assert "cross-origin-opener-policy" in told(node, "/b")


# The nonce


def script(request):
    return f'<script nonce="{request.cspNonce}{request.cspNonce}">'


def test_a_nonce_is_said_where_it_was_asked_for():
    """The page and its field have the same, and the next page has another."""
    seen = set()
    for _ in range(3):
        answer = visit(SecurityHeaders(Page(script)))
        nonce = answer.text()[15:47]
        assert answer.text() == f'<script nonce="{nonce}{nonce}">'
        said = f"script-src 'self' 'nonce-{nonce}';"
        assert said in answer.getHeader("content-security-policy")
        seen.add(nonce)
    assert len(seen) == 3


def test_a_nonce_alone_is_no_fault():
    """A template may ask for it where nothing says what it is for."""
    assert visit(Page(script)).code == 200


def test_a_copy_that_is_still_good_keeps_its_nonce():
    """The field of a 304 would take the place of that which the copy came with (RFC 9111, 3.2)."""

    def page(request):
        if request.setETag("v1") is CACHED:
            return b""
        return script(request)

    said = told(SecurityHeaders(Page(page)), if_none_match='"v1"')
    assert "content-security-policy" not in said
    assert said["referrer-policy"]
    node = SecurityHeaders(Page(page), csp={"default-src": "'self'"})
    assert told(node, if_none_match='"v1"')["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"csp": {"script-src": "a; b"}}, "a directive is"),
        ({"hsts": "max-age=1\r\nX: y"}, "Strict-Transport-Security"),
        ({"referrer": "\0"}, "Referrer-Policy"),
    ],
)
def test_what_cannot_be_said_is_told_at_once(options, match):
    """Not with the first answer."""
    with pytest.raises(ValueError, match=match):
        SecurityHeaders(PAGE, **options)


def test_a_policy_in_one_line_is_told():
    """Its directives are a dict, so that one of them can be changed."""
    with pytest.raises(TypeError, match="csp must be a dict"):
        SecurityHeaders(Page(None), csp="default-src 'self'")

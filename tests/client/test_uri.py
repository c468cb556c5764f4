"""URIs: what is taken, what is refused, and what is sent of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.client.error import InvalidURI, SchemeNotSupported
from weblayer.client.uri import URI
from weblayer.wire.ask import encode_ask

# Text, and the Host and target that are sent for it.
TAKEN = {
    "http://a": ("a", "/"),
    "HTTP://A.Example:80": ("a.example", "/"),
    "https://a:443/": ("a", "/"),
    "https://a:80/": ("a:80", "/"),
    "http://a?q": ("a", "/?q"),
    "http://a/?": ("a", "/?"),
    "http://a/b#f": ("a", "/b"),
    "http://u:p@a/": ("a", "/"),
    "http://[::1]:8080/": ("[::1]:8080", "/"),
    "http://[fe80::1%25eth0]/": ("[fe80::1]", "/"),
    "http://bücher.example/ü?ü": ("xn--bcher-kva.example", "/%C3%BC?%C3%BC"),
    'http://a/b c"<>\\^`{|}': ("a", "/b%20c%22%3C%3E%5C%5E%60%7B%7C%7D"),
    "http://a/%7E%zz/../.": ("a", "/%7E%zz/../."),
}


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_sent_of_a_uri(text):
    """The Host, and the target in origin-form; no userinfo, no fragment, no zone."""
    uri = URI.fromText(text)
    assert (uri.netloc, uri.originForm) == TAKEN[text]


@pytest.mark.parametrize(
    "text",
    ["", "/a", "a.example/", "//a/", "http:/a", "http:///a", "http://:80/", "http://a:0/",
     "http://a:65536/", "http://a:b/", "http://a:80:80/", "http://a b/", "http://a%20b/",
     "http://[::1/", "http://[]/", "http://[a]b/", "http://a\\b/", "http://a\r\nX: b/",
     "http://a/\0", "http://a/\tb", "http://straße.example/", "http://u@/", "http://a:٣/"],
)  # fmt: skip
def test_what_names_no_place_is_refused(text):
    """With an InvalidURI, a ValueError that shows it."""
    with pytest.raises(InvalidURI, match=r"uri|port|host"):
        URI.fromText(text)


def test_another_scheme_is_told_apart():
    """As SchemeNotSupported, an InvalidURI too."""
    with pytest.raises(SchemeNotSupported, match="ftp"):
        URI.fromText("ftp://a/")


@given(st.text(max_size=30) | st.text("ab:/?#[]@%1 \r\n\\é", max_size=20))
def test_what_is_taken_can_be_sent(tail):
    """Whatever is not refused makes a request, and reads the same when it is written out."""
    try:
        uri = URI.fromText("http://" + tail)
    except InvalidURI:
        return
    assert encode_ask(b"GET", uri.originForm.encode(), uri.netloc.encode())
    again = URI.fromText(uri.toText())
    assert (again.netloc, again.originForm) == (uri.netloc, uri.originForm)
    assert URI.fromBytes(uri.toBytes()) == again


@pytest.mark.parametrize(
    ("reference", "joined"),
    [
        ("c", "http://a/b/c#f"),
        ("/c", "http://a/c#f"),
        ("../c", "http://a/c#f"),
        ("?r", "http://a/b/d?r#f"),
        ("#g", "http://a/b/d?q#g"),
        ("//b/c", "http://b/c#f"),
        ("https://b/c#g", "https://b/c#g"),
        ("", "http://a/b/d?q#f"),
    ],
)
def test_references_are_joined(reference, joined):
    """As RFC 3986, 5 says, and a fragment is kept as RFC 9110, 10.2.2 says."""
    assert URI.fromText("http://a/b/d?q#f").join(reference).toText() == joined


def test_userinfo_is_told_and_decoded():
    """A name and a password, per cent signs decoded; None where there is none."""
    uri = URI.fromText("http://me%40home:a%3Ab@a/")
    assert (uri.user, uri.password) == ("me@home", "a:b")
    assert (URI.fromText("http://me@a/").user, URI.fromText("http://me@a/").password) == (
        "me",
        None,
    )
    assert URI.fromText("http://a/").user is None


def test_bytes_are_taken():
    """UTF-8 or ASCII; anything else is refused."""
    assert URI.fromBytes("http://a/ü".encode()).path == "/%C3%BC"
    with pytest.raises(InvalidURI, match="UTF-8"):
        URI.fromBytes(b"http://a/\xff")

"""The Link field: RFC 8288."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.link import Link, format_link, parse_links


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ([], b"</a>; rel=next"),
        ([(b"as", b"style")], b"</a>; rel=next; as=style"),
        ([(b"title", b'a "b"')], b'</a>; rel=next; title="a \\"b\\""'),
        ([(b"title", "ä".encode())], b"</a>; rel=next; title*=UTF-8''%C3%A4"),
    ],
)
def test_writing(parameters, field):
    """Quotes where they must be, and any language."""
    assert format_link(b"/a", b"next", parameters) == field


def test_several_relations():
    """They stand in quotes."""
    assert format_link(b"", b"next last") == b'<>; rel="next last"'


@pytest.mark.parametrize("target", [b"a>b", b"a b", b"<", b"a\r\n", b"\xe4", b'"', b"\\"])
def test_a_target_cannot_become_anything_else(target):
    """Nothing that is no URI reference."""
    with pytest.raises(ValueError, match="target must be a URI reference"):
        format_link(target, b"next")


@pytest.mark.parametrize("pair", [(b"a b", b"c"), (b"", b"c"), (b"a", b"b\r\nc"), (b"a", b"\0")])
def test_a_parameter_cannot_become_anything_else(pair):
    """Neither by its name nor by its value."""
    with pytest.raises(ValueError, match="may hold no control"):
        format_link(b"/", b"next", [pair])


@pytest.mark.parametrize(
    ("field", "links"),
    [
        (b"", []),
        (b"<a>", [(b"a", [])]),
        (b"<a>;rel=next", [(b"a", [(b"rel", b"next")])]),
        (b" ,, <a> ; REL = \"next last\" ;; x ,<b>,", [
            (b"a", [(b"rel", b"next last"), (b"x", b"")]),
            (b"b", []),
        ]),
        (b'<a,b;c>; title="d, <e>; f"', [(b"a,b;c", [(b"title", b"d, <e>; f")])]),
        (b"<a>\n", []),
        (b"<a>; rel=", [(b"a", [(b"rel", b"")])]),
        (b"<a>, b, <c>", [(b"a", [])]),
        (b"<a> b, <c>", []),
        (b"<a", []),
        (b'<a>; b="c', []),
    ],
)  # fmt: skip
def test_reading(field, links):
    """In the order sent; where it is malformed it ends."""
    assert parse_links(field) == [Link(*link) for link in links]


def test_what_a_link_says():
    """Relations in lower case; of a parameter the first counts, and its wide form before it."""
    (link,) = parse_links(b"<a>; rel=\"Next LAST\"; rel=x; title=b; title*=UTF-8''%C3%A4")
    assert link.relations == [b"next", b"last"]
    assert link.parameter(b"title") == "ä".encode()
    assert link.parameter(b"none") is None
    assert parse_links(b"<a>; title*=bad; title=b")[0].parameter(b"title") == b"b"
    assert parse_links(b"<a>")[0].relations == []


targets = st.text("abc/:?=&,;%~").map(str.encode)
texts = st.text('a";\\, ä☃').map(str.encode)


@given(st.lists(st.tuples(targets, texts), max_size=4))
def test_what_is_written_is_read(pairs):
    """Any target and title, one link beside the other."""
    field = b", ".join(format_link(to, b"next", [(b"title", text)]) for to, text in pairs)
    assert [(link.target, link.parameter(b"title")) for link in parse_links(field)] == pairs


@given(st.binary(max_size=60))
def test_no_field_is_too_odd(data):
    """Whatever is sent is links."""
    for field in (data, b"<a>;" + data):
        assert all(isinstance(link.relations, list) for link in parse_links(field))

"""What a server asks for with 401."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.challenge import format_challenge, parse_challenges
from weblayer.wire.parameters import quote

names = st.sampled_from([b"realm", b"nonce", b"a"])
values = st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(str.encode)


@given(st.lists(st.tuples(st.sampled_from([b"Basic", b"dIGEST"]), st.dictionaries(names, values))))
def test_what_is_written_is_read(challenges):
    """Several in one field: commas stand between them, inside them, and inside quotes."""
    written = [
        scheme + b" " + b", ".join(b"%b=%b" % (name, quote(value)) for name, value in said.items())
        for scheme, said in challenges
    ]
    read = parse_challenges(b", ".join(written))
    assert read == [(scheme.lower(), said) for scheme, said in challenges]


@given(
    scheme=st.sampled_from([b"Basic", b"Digest"]), said=st.dictionaries(names, values, min_size=1)
)
def test_a_challenge_is_written_as_it_is_read(scheme, said):
    """Quotes and commas in its values included."""
    assert parse_challenges(format_challenge(scheme, said)) == [(scheme.lower(), said)]


def test_some_parameters_are_never_quoted_and_others_always():
    """Source: RFC 7616, 3.3."""
    said = {b"realm": b"a", b"algorithm": b"MD5", b"stale": b"true", b"userhash": b"true"}
    written = b'Digest realm="a", algorithm=MD5, stale=true, userhash=true'
    assert format_challenge(b"Digest", said) == written
    assert format_challenge(b"Negotiate", {}) == b"Negotiate"


@pytest.mark.parametrize(
    ("field", "read"),
    [
        (b"", []),
        (b"Negotiate", [(b"negotiate", {})]),
        (b"Negotiate, Basic realm=x", [(b"negotiate", {}), (b"basic", {b"realm": b"x"})]),
        (b"NTLM TlRMTVNTUA==, Basic", [(b"ntlm", {}), (b"basic", {})]),
        (b"a b = c ,d=e", [(b"a", {b"b": b"c", b"d": b"e"})]),
        (b',, Basic realm="a, b=c"', [(b"basic", {b"realm": b"a, b=c"})]),
        (b"Basic realm=a, realm=b", [(b"basic", {b"realm": b"a"})]),
        (b'Basic realm="a', [(b"basic", {})]),
        (b"\x00", []),
    ],
)
def test_challenges_of_servers(field, read):
    """As RFC 9110 has them, and as far as they can be read where they break it."""
    found = parse_challenges(field)
    assert found[: len(read)] == read


@given(st.binary())
def test_anything_is_read_to_its_end(field):
    """Whatever a server sends, it comes to an end."""
    assert isinstance(parse_challenges(field), list)

"""The Content-Disposition field: RFC 6266."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.disposition import format_disposition
from weblayer.wire.extvalue import parse_ext_value
from weblayer.wire.fields import is_value
from weblayer.wire.parameters import parse_parameters


@pytest.mark.parametrize(
    ("filename", "field"),
    [
        (None, b"attachment"),
        (b"", b"attachment"),
        (b"a.txt", b'attachment; filename="a.txt"'),
        (b"a b;c.txt", b'attachment; filename="a b;c.txt"'),
        (
            "naïve ☃.txt".encode(),
            b"attachment; filename=\"na_ve _.txt\"; filename*=UTF-8''na%C3%AFve%20%E2%98%83.txt",
        ),
        (b'a"b', b"attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"),
        (b"50%20", b"attachment; filename=\"50_20\"; filename*=UTF-8''50%2520"),
        (b"../a\\b\r\nc\0", b'attachment; filename=".._a_b__c_"'),
        (b"a\xffb", b'attachment; filename="a_b"'),
    ],
)
def test_names(filename, field):
    """Plain names once; others in ASCII for old readers and in full for all others."""
    assert format_disposition(filename) == field


def test_shown_instead_of_saved():
    """The other kind; what is no token is refused."""
    assert format_disposition(b"a", b"inline") == b'inline; filename="a"'
    for kind in (b"", b"a b", b"inline;", b"a\r\n"):
        with pytest.raises(ValueError, match="kind"):
            format_disposition(b"a", kind)


@given(st.binary(min_size=1) | st.text(min_size=1).map(lambda t: t.encode(errors="replace")))
def test_any_name_makes_a_clean_field(filename):
    """No other field, parameter or folder; and a reader of today gets the name that was meant."""
    field = format_disposition(filename)
    assert is_value(field)
    found = dict(parse_parameters(field.removeprefix(b"attachment")))
    assert found[b"filename"].isascii()
    name = parse_ext_value(found.get(b"filename*", b"")) or found[b"filename"]
    assert not set(b"/\\\0\r\n") & set(name)
    if not set(filename) & {*range(32), 127, *b"/\\"} and filename.isascii():
        assert name == filename

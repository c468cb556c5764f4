"""What a part is called, and its file: RFC 7578, 4.2, and what browsers make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.errors import BadMessage
from weblayer.wire.formdata import MAX_FIELDS, parse_part


def names_of(parameters):
    part = parse_part(b"Content-Disposition: form-data" + parameters)
    return part.name, part.filename


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        (b"; name=a", (b"a", None)),
        (b'; name="a"', (b"a", None)),
        (b';name=""', (b"", None)),
        (b'; name="a"; filename=""', (b"a", b"")),
        (b'; NAME="a" ; Filename="b";', (b"a", b"b")),
        (b'; filename="b"; name="a"', (b"a", b"b")),
        (b'; name="a;b"; filename="c; d"', (b"a;b", b"c; d")),
        (b'; name="%22%0D%0A%41%0d"', (b'"\r\n%41%0d', None)),
        (b'; name="\xe2\x98\x83"; filename="\xff"', (b"\xe2\x98\x83", b"\xff")),
        # a browser's backslash, also at the end
        (b'; name="a"; filename="b\\c\\"', (b"a", b"b\\c\\")),
        (b'; name="a\\"; filename="b"', (b"a\\", b"b")),
        (b'; name="a\\\\b"', (b"a\\\\b", None)),
        # backslashes of older programs
        (b'; name="a\\"b\\\\c"', (b'a"b\\c', None)),
        (b'; name="a\\"; b"', (b'a"; b', None)),
        (b'; name="\\"%22"', (b'"%22', None)),
        # a whole path
        (b'; name=a; filename="C:\\dir\\b.txt"', (b"a", b"b.txt")),
        (b'; name=a; filename="\\\\host\\dir\\b.txt"', (b"a", b"b.txt")),
        # RFC 8187
        (b"; name=a; filename=b; filename*=utf-8''%E2%98%83", (b"a", b"\xe2\x98\x83")),
        (b"; name=a; filename*=ISO-8859-1'en'%E4; filename=b", (b"a", b"\xc3\xa4")),
        (b"; name=a; filename=b; filename*=utf-8''%ff", (b"a", b"b")),
        (b"; name=a; filename=b; filename*=koi8-r''x", (b"a", b"b")),
    ],
)
def test_names(parameters, names):
    """Of the field and of the file, whoever wrote them."""
    assert names_of(parameters) == names


@pytest.mark.parametrize(
    "parameters",
    [
        b"",
        b"; filename=a",
        b"; name=a; name=b",
        b"; name=a; NAME=b",
        b"; name=a; filename=b; filename=c",
        b'; name="a',
        b'; name="a"b',
        b"; name=a b",
        b"; name = a",
        b"; name",
        b" name=a",
    ],
)
def test_names_that_are_none(parameters):
    """Missing, said twice or malformed: 400."""
    with pytest.raises(BadMessage) as caught:
        names_of(parameters)
    assert caught.value.status == 400


@pytest.mark.parametrize("kind", [b"attachment", b"", b"form-data form-data", b"form"])
def test_another_disposition(kind):
    """Only a form's part has a place in a form."""
    with pytest.raises(BadMessage):
        parse_part(b"Content-Disposition: %b; name=a" % kind)


def test_the_other_fields():
    """They are kept as sent, in order, without the spaces around their values."""
    part = parse_part(b"X: \t1 \r\ncontent-DISPOSITION:Form-Data;name=a\r\nContent-Type: a/b; c=d")
    assert part.content_type == b"a/b; c=d"
    assert part.fields == [
        (b"X", b"1"),
        (b"content-DISPOSITION", b"Form-Data;name=a"),
        (b"Content-Type", b"a/b; c=d"),
    ]


def test_the_number_of_fields_is_limited():
    """So many pass, one more is a 400."""
    head = b"Content-Disposition: form-data; name=a" + b"\r\nX: y" * (MAX_FIELDS - 1)
    assert len(parse_part(head).fields) == MAX_FIELDS
    with pytest.raises(BadMessage):
        parse_part(head + b"\r\nX: y")


def browsers(name):
    """A name as HTML, 4.10.21.8, writes it."""
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


texts = st.text('a%\\;= "\r\nä☃').map(str.encode)
lines = st.text('a%\\;= "ä☃').map(str.encode)


@given(texts, texts)
def test_what_a_browser_writes_is_read(name, filename):
    """Every name comes back, but for one that spells an escape, or a whole path, itself."""
    found = names_of(b'; name="%b"; filename="%b"' % (browsers(name), browsers(filename)))
    assert found[0] == name
    assert found[1] == filename or filename.startswith(b"\\\\")


@given(lines, lines)
def test_what_older_programs_write_is_read(before, after):
    """A name with a quote in it comes back from backslashes too."""
    name = before + b'"' + after
    quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    assert names_of(b'; name="%b"' % quoted)[0] == name


@given(st.binary(max_size=80))
def test_no_head_is_too_odd(data):
    """Whatever is sent is a part, or a 400."""
    for head in (data, b"Content-Disposition: form-data; name=" + data):
        try:
            assert parse_part(head).fields
        except BadMessage as error:
            assert error.status == 400

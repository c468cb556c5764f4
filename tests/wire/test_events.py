"""What a head tells of its fields, all at once and one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from weblayer.wire.events import MOST_KEPT, Facts, Head

NAMES = st.text("aBc-", min_size=1, max_size=3).map(str.encode)
VALUES = st.text("aB c:-,\t", max_size=8).map(str.encode)


def head(fields):
    """A head with these fields, as sent."""
    lines = [b"GET /a:b HTTP/1.1", *(name + b":" + value for name, value in fields), b"", b""]
    return Head(b"\r\n".join(lines), b"GET", b"/a:b", Facts(b"HTTP/1.1"))


@given(fields=st.lists(st.tuples(NAMES, VALUES)), name=NAMES | st.sampled_from([b"", b"a:b"]))
@example(fields=[(b"a", b"b: c")], name=b"a:b")
@example(fields=[(b"a", b""), (b"a", b"a:"), (b"A", b" 1 ")], name=b"a")
@example(fields=[(b"a", b"1"), (b"b", b"2")], name=b"a: 1\r\nb")
def test_a_field_is_the_same_alone_as_among_the_others(fields, name):
    """Whatever is asked for, the values are those that reading all of them gives."""
    sent = head(fields)
    wanted = [value for key, value in sent.fields() if key.lower() == name.lower()]
    assert sent.values(name.lower()) == wanted


def test_what_was_asked_for_is_kept_within_bounds():
    """A program that asks for names that strangers choose does not keep them all."""
    sent = head([(b"a", b"1")])
    for number in range(100 * MOST_KEPT):
        assert sent.values(b"x-%d" % number) == []
    assert sent.values(b"a") == [b"1"]
    assert len(sent.facts.found) <= MOST_KEPT

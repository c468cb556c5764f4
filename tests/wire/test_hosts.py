"""Which host is asked for: RFC 9110, 7.2; RFC 3986, 3.2.2 and 6.2.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.hosts import Host, HostTable, read_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (b"example.com", Host(b"example.com")),
        (b"Example.COM", Host(b"example.com")),
        (b"example.com.", Host(b"example.com")),
        (b"example.com:81", Host(b"example.com", 81)),
        (b"example.com:", Host(b"example.com")),
        (b"example.com.:0081", Host(b"example.com", 81)),
        (b"192.0.2.1:80", Host(b"192.0.2.1", 80)),
        (b"[::1]", Host(b"[::1]")),
        (b"[::1]:80", Host(b"[::1]", 80)),
        (b"[0:0:0::0001]", Host(b"[::1]")),
        (b"[2001:DB8::A]:8443", Host(b"[2001:db8::a]", 8443)),
        (b"[fe80::1%25eth0]", Host(b"[fe80::1]")),
        (b"a.b-c_d~e", Host(b"a.b-c_d~e")),
    ],
)
def test_a_host_has_one_name(text, host):
    """However it is written."""
    assert read_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        b"", b".", b":80", b"::1", b"[::1", b"::1]", b"[]", b"[1:2:3]", b"[::g]", b"[::1]80",
        b"a b", b"a/b", b"a@b", b"a,b", b"a:b", b"a:80:81", b"a:123456", b"*", b"*.a", b"a" * 261,
        b"\xe4", b"a\r\n", b"[v1.a:b]", b".a", b"a..b", b"a..",
    ],
)  # fmt: skip
def test_what_is_no_host_has_none(text):
    """Nothing is guessed."""
    assert read_host(text) is None


def table(*patterns):
    made = HostTable()
    for pattern in patterns:
        made.add(pattern, pattern)
    return made


@pytest.mark.parametrize(
    ("patterns", "text", "found"),
    [
        ([b"a.test"], b"a.test", b"a.test"),
        ([b"a.test"], b"A.Test.:99", b"a.test"),
        ([b"A.test."], b"a.test", b"A.test."),
        ([b"a.test"], b"b.a.test", None),
        ([b"a.test"], b"a.test.evil", None),
        ([b"a.test"], b"xa.test", None),
        ([b"*.a.test"], b"b.a.test", b"*.a.test"),
        ([b"*.a.test"], b"c.b.a.test:80", b"*.a.test"),
        ([b"*.a.test"], b"a.test", None),
        ([b"*.a.test"], b"ba.test", None),
        ([b"*.a.test"], b".a.test", None),
        ([b"*.a.test", b"*.b.a.test", b"b.a.test"], b"c.b.a.test", b"*.b.a.test"),
        ([b"*.a.test", b"*.b.a.test", b"b.a.test"], b"b.a.test", b"b.a.test"),
        ([b"a.test:81"], b"a.test:81", b"a.test:81"),
        ([b"a.test:81"], b"a.test", None),
        ([b"a.test:80"], b"a.test", b"a.test:80"),
        ([b"a.test:80"], b"a.test:80", b"a.test:80"),
        ([b"a.test:80", b"a.test"], b"a.test", b"a.test:80"),
        ([b"a.test:80", b"a.test"], b"a.test:81", b"a.test"),
        ([b"*.test:81", b"*.a.test"], b"b.a.test:81", b"*.a.test"),
        ([b"*.test:81"], b"b.a.test:81", b"*.test:81"),
        ([b"[::1]"], b"[0::1]:80", b"[::1]"),
        ([b"[::1]:81"], b"[::1]:81", b"[::1]:81"),
        ([b"[::1]:81"], b"[::1]", None),
        ([b"192.0.2.1"], b"192.0.2.1", b"192.0.2.1"),
        ([b"a.test"], b"", None),
        ([b"*.test"], b"a..test", None),
        ([], b"a.test", None),
    ],
)
def test_the_most_exact_pattern_is_found(patterns, text, found):
    """In whatever order they were added; a default port is 80 here."""
    assert table(*patterns).find(text, 80) == found
    assert table(*reversed(patterns)).find(text, 80) == found


@pytest.mark.parametrize(
    "pattern", [b"", b"*", b"*.", b"**.a", b"a.*", b"*a.b", b"*.[::1]", b"::1"]
)
def test_a_pattern_that_would_never_match_is_an_error(pattern):
    """It is told where it is written."""
    for act in (lambda: table(pattern), lambda: table().remove(pattern)):
        with pytest.raises(ValueError, match="a host is a name or an address"):
            act()


def test_what_is_removed_is_not_found():
    """By any of its spellings; what was not there is a KeyError."""
    hosts = table(b"a.test", b"*.a.test")
    hosts.add(b"*.A.test", b"again")
    assert hosts.find(b"b.a.test", 80) == b"again"
    hosts.remove(b"*.A.test.")
    assert (hosts.find(b"b.a.test", 80), hosts.find(b"a.test", 80)) == (None, b"a.test")
    with pytest.raises(KeyError):
        hosts.remove(b"*.a.test")


LABELS = st.text("ab-0", min_size=1, max_size=3)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join(labels).encode())
CASES = st.sampled_from([bytes.lower, bytes.upper, bytes.title])


@given(NAMES, st.lists(NAMES, max_size=5), st.integers(0, 65535), CASES)
def test_a_wildcard_is_all_below_a_name_and_nothing_else(name, suffixes, port, case):
    """The longest of those whose name, behind a dot, ends the host's."""
    hosts = table(*(b"*." + suffix for suffix in suffixes))
    found = hosts.find(case(name) + b":%d" % port, 80)
    fitting = [suffix for suffix in suffixes if name.endswith(b"." + suffix)]
    assert found == (b"*." + max(fitting, key=len) if fitting else None)


@given(st.binary(max_size=30) | st.from_regex(rb"[a.\[\]:0-9%*]{0,12}", fullmatch=True))
def test_whatever_is_asked_for_is_found_as_it_was_added(text):
    """A host is found by its own words, or is none."""
    if read_host(text) is None:
        assert table(b"a", b"*.a").find(text, 80) is None
    else:
        assert table(text).find(text, 80) == text

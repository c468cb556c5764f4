"""What a private cache may keep, for how long, and for whom: the rules of RFC 9111, one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.caching import (
    FRESH,
    STALE,
    STALE_BUT_GOOD,
    Kept,
    age_of,
    conditions,
    encode_given,
    encode_kept,
    invalidates,
    judge,
    may_keep,
    refreshed,
    serves_errors,
    variant,
)
from weblayer.wire.dates import format_date
from weblayer.wire.headers import Headers

NOW = 1_750_000_000
NOTHING = Headers()


def fields(text):
    """Headers of lines; `{+10}` is the date in ten seconds."""
    found = Headers()
    for line in filter(None, text.split("|")):
        name, _, value = line.partition(":")
        if "{" in value:
            value = format_date(NOW + int(value.strip(" {}"))).decode()
        found.addRawHeader(name.strip(), value.strip())
    return found


def kept(text, code=200, asked="", took=0.0):
    """An answer with such fields that came *now*, *took* seconds after it was asked for."""
    said = fields(text)
    raw = encode_kept(code, b"OK", said)
    return Kept(code, raw, NOW - took, NOW, variant(fields(asked), said))


KEEPING = [
    # (method, asked, code, said, whether it may be kept)
    ("GET", "", 200, "Cache-Control: max-age=5", True),
    ("GET", "", 200, "Cache-Control: private, max-age=5", True),
    ("GET", "Authorization: Basic eA==", 200, "Cache-Control: max-age=5", True),  # 3.5: shared ones
    ("GET", "", 200, "Expires: {+5}", True),
    ("GET", "", 200, "ETag: x", True),
    ("GET", "", 404, "Cache-Control: max-age=5", True),
    ("GET", "", 418, "Cache-Control: max-age=5", True),
    ("GET", "", 301, "Last-Modified: {-50}", True),
    ("POST", "", 200, "Cache-Control: max-age=5", False),
    ("HEAD", "", 200, "Cache-Control: max-age=5", False),
    ("GET", "", 200, "Cache-Control: no-store, max-age=5", False),
    ("GET", "Cache-Control: no-store", 200, "Cache-Control: max-age=5", False),
    ("GET", "", 200, "", False),  # of no use
    ("GET", "", 200, "Cache-Control: max-age=0", False),
    ("GET", "", 200, "Cache-Control: s-maxage=5", False),  # is said to others
    ("GET", "", 200, "Cache-Control: max-age=0|ETag: x", True),
    ("GET", "", 200, "Cache-Control: no-cache|ETag: x", True),
    ("GET", "", 206, "Cache-Control: max-age=5", False),
    ("GET", "", 304, "Cache-Control: max-age=5", False),
    ("GET", "", 302, "ETag: x", False),  # not without a word
    ("GET", "", 302, "Cache-Control: max-age=5", True),
    ("GET", "", 200, "Cache-Control: must-understand, no-store, max-age=5", True),
    ("GET", "", 418, "Cache-Control: must-understand, no-store, max-age=5", False),
]


@pytest.mark.parametrize(("method", "asked", "code", "said", "may"), KEEPING)
def test_what_may_be_kept(method, asked, code, said, may):
    """RFC 9111, 3 and 5.2."""
    assert may_keep(method.encode(), fields(asked), code, fields(said)) is may


FRESHNESS = [
    # (fields, seconds for which it is fresh)
    ("Cache-Control: max-age=5", 5),
    ("Cache-Control: max-age=5|Expires: {+99}", 5),
    ("Cache-Control: s-maxage=99, max-age=5", 5),
    ('Cache-Control: max-age="5"', 5),
    ("Cache-Control: max-age=5, max-age=99", 5),
    ("Cache-Control: max-age=soon", 0),
    ("Cache-Control: max-age=5|Age: 3", 2),
    ("Cache-Control: max-age=5|Age: old", 5),
    ("Cache-Control: max-age=5|Date: {-3}", 2),
    ("Cache-Control: max-age=5|Date: {+3}", 5),  # a clock that is ahead
    ("Date: {-10}|Expires: {+5}", 5),
    ("Expires: {+5}", 5),
    ("Expires: 0", 0),
    ("Expires: {-5}", 0),
    ("Last-Modified: {-100}", 10),
    ("Last-Modified: {-100}|Date: {-20}", -12),  # a tenth of 80, and 20 old
    ("Last-Modified: {-99999999}", 24 * 3600),
    ("Last-Modified: {+100}", 0),
    ("ETag: x", 0),
]


@pytest.mark.parametrize(("said", "seconds"), FRESHNESS)
def test_how_long_it_is_fresh(said, seconds):
    """To the second. RFC 9111, 4.2."""
    found = kept(said)
    if seconds > 0:
        assert judge(found, NOTHING, NOW + seconds - 1) is FRESH
    assert judge(found, NOTHING, NOW + max(0, seconds)) is STALE


def test_the_time_that_it_took_to_come_is_part_of_its_age():
    """RFC 9111, 4.2.3."""
    assert age_of(kept("Age: 10", took=3), NOW + 5) == 18
    assert age_of(kept("Date: {-20}|Age: 10", took=3), NOW + 5) == 25


def test_a_code_that_says_nothing_of_it_is_not_guessed_about():
    """302 is kept when it says how long; `public` lets one guess."""
    assert judge(kept("Last-Modified: {-100}", 302), NOTHING, NOW) is STALE
    assert judge(kept("Last-Modified: {-100}|Cache-Control: public", 302), NOTHING, NOW) is FRESH


WISHES = [
    # (fields of what is kept, what is asked, seconds later, what it is good for)
    ("Cache-Control: max-age=10", "Cache-Control: no-cache", 0, STALE),
    ("Cache-Control: max-age=10, no-cache", "", 0, STALE),
    ('Cache-Control: max-age=10, no-cache="set-cookie"', "", 0, STALE),
    ("Cache-Control: max-age=10", "Cache-Control: max-age=5", 5, FRESH),
    ("Cache-Control: max-age=10", "Cache-Control: max-age=5", 6, STALE),
    ("Cache-Control: max-age=10", "Cache-Control: max-age=0", 1, STALE),
    ("Cache-Control: max-age=10", "Cache-Control: min-fresh=4", 6, FRESH),
    ("Cache-Control: max-age=10", "Cache-Control: min-fresh=4", 7, STALE),
    ("Cache-Control: max-age=10", "Cache-Control: max-stale", 999, FRESH),
    ("Cache-Control: max-age=10", "Cache-Control: max-stale=5", 15, FRESH),
    ("Cache-Control: max-age=10", "Cache-Control: max-stale=5", 16, STALE),
    ("Cache-Control: max-age=10, must-revalidate", "Cache-Control: max-stale", 11, STALE),
    ("Cache-Control: max-age=10, stale-while-revalidate=5", "", 9, FRESH),
    ("Cache-Control: max-age=10, stale-while-revalidate=5", "", 15, STALE_BUT_GOOD),
    ("Cache-Control: max-age=10, stale-while-revalidate=5", "", 16, STALE),
    (
        "Cache-Control: max-age=10, stale-while-revalidate=5, must-revalidate",
        "",
        15,
        STALE,
    ),
    ("Cache-Control: max-age=10", "Cache-Control: max-age=x, min-fresh=y", 9, FRESH),
]


@pytest.mark.parametrize(("said", "asked", "later", "use"), WISHES)
def test_what_server_and_caller_wish(said, asked, later, use):
    """RFC 9111, 5.2.1 and 5.2.2; RFC 5861, 3."""
    assert judge(kept(said), fields(asked), NOW + later) is use


@pytest.mark.parametrize(
    ("said", "asked", "later", "serves"),
    [
        ("max-age=10, stale-if-error=5", "", 15, True),
        ("max-age=10, stale-if-error=5", "", 16, False),
        ("max-age=10", "Cache-Control: stale-if-error=5", 15, True),
        ("max-age=10", "", 10, False),
        ("max-age=10, stale-if-error=5, must-revalidate", "", 11, False),
        ("max-age=10, stale-if-error=5, no-cache", "", 11, False),
        ("max-age=10, stale-if-error=5", "Cache-Control: no-cache", 11, False),
    ],
)
def test_what_is_given_in_place_of_an_error(said, asked, later, serves):
    """RFC 5861, 4."""
    found = kept(f"Cache-Control: {said}")
    assert serves_errors(found, fields(asked), NOW + later) is serves


@pytest.mark.parametrize(
    ("vary", "one", "other", "same"),
    [
        ("", "Accept: a", "Accept: b", True),
        ("Vary: accept", "Accept: a", "Accept: b", False),
        ("Vary: Accept", "Accept: a|X: 1", "ACCEPT:  a |X: 2", True),
        ("Vary: Accept", "Accept: a|Accept: b", "Accept: a,b", True),
        ("Vary: Accept", "", "Accept:", False),
        ("Vary: Accept|Vary: X", "Accept: a|X: 1", "Accept: a|X: 2", False),
        ("Vary: A, X", "A: X", "X: A", False),
        ("", "Authorization: Basic eA==", "Authorization: Basic eQ==", False),
        ("", "Authorization: Basic eA==", "", False),
        ("", "Host: a", "Host: b", False),
    ],
)
def test_whom_it_is_for(vary, one, other, same):
    """RFC 9111, 4.1; and never for another user, or another site."""
    said = fields(vary)
    assert (variant(fields(one), said) == variant(fields(other), said)) is same


def test_what_varies_by_everything_is_for_nobody():
    """RFC 9111, 4.1."""
    assert variant(NOTHING, fields("Vary: Accept, *")) is None


def test_secrets_are_not_kept():
    """Neither whom it was for nor a cookie can be read from what is kept."""
    found = kept("Set-Cookie: a=secret|ETag: x", asked="Authorization: secret")
    assert b"secret" not in found.raw + found.chosen


def test_what_is_of_the_connection_is_not_kept():
    """RFC 9111, 3.1; what Connection names, too."""
    raw = encode_kept(
        200, b"OK", fields("A: 1|Connection: X-Y, close|x-y: 2|Transfer-Encoding: chunked|TE: 3")
    )
    assert raw == b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n"


def test_what_asks_whether_it_is_still_good():
    """RFC 9111, 4.3.1."""
    assert conditions(kept('ETag: W/"x"|Cache-Control: no-cache')) == [(b"If-None-Match", b'W/"x"')]
    assert [name for name, _ in conditions(kept("Last-Modified: {-9}|ETag: x"))] == [
        b"If-None-Match",
        b"If-Modified-Since",
    ]
    assert conditions(kept("Cache-Control: max-age=5")) == []


def test_a_304_renews_what_is_kept():
    """Its fields replace those of their name, but what describes the body stays. RFC 9111, 3.2."""
    before = kept("ETag: x|A: 1|B: 2|Age: 99|Content-Length: 5|Cache-Control: max-age=5")
    said = fields("ETag: x|A: 3|Content-Length: 0|Content-Encoding: br|Cache-Control: max-age=9")
    after = refreshed(before, NOTHING, said, (NOW + 20, NOW + 21))
    assert after.fields == fields("B: 2|Content-Length: 5|ETag: x|A: 3|Cache-Control: max-age=9")
    assert (after.code, after.raw[:17]) == (200, b"HTTP/1.1 200 OK\r\n")
    assert judge(after, NOTHING, NOW + 21 + 7) is FRESH
    assert judge(after, NOTHING, NOW + 21 + 8) is STALE


def test_a_304_may_name_the_same_page_weakly():
    """As servers do that compress on the way: they compare weakly, too (RFC 9110, 13.1.2)."""
    before = kept('ETag: "x"')
    assert refreshed(before, NOTHING, fields('ETag: W/"x"'), (NOW, NOW)) is not None


@pytest.mark.parametrize("said", ['ETag: "y"', "Last-Modified: {-3}", "Vary: *"])
def test_a_304_about_another_answer_renews_nothing(said):
    """RFC 9111, 4.3.4."""
    before = kept('ETag: "x"|Last-Modified: {-9}')
    assert refreshed(before, NOTHING, fields(said), (NOW, NOW)) is None


@pytest.mark.parametrize(
    ("said", "may"), [("no-store", False), ("no-store, must-understand", True), ("no-cache", True)]
)
def test_a_304_may_say_that_nothing_is_to_be_kept(said, may):
    """RFC 9111, 5.2.2.5: no part of it; so the answer is to be asked for without conditions."""
    before = kept('ETag: "x"|Cache-Control: max-age=5')
    after = refreshed(before, NOTHING, fields(f'ETag: "x"|Cache-Control: {said}'), (NOW, NOW))
    assert (after is not None) == may


@pytest.mark.parametrize(
    ("method", "code", "does"),
    [
        ("POST", 200, True), ("PUT", 204, True), ("DELETE", 303, True), ("FROB", 200, True),
        ("POST", 404, False), ("DELETE", 500, False), ("GET", 200, False), ("OPTIONS", 200, False),
    ],
)  # fmt: skip
def test_what_changes_a_page_has_it_forgotten(method, code, does):
    """RFC 9111, 4.4."""
    assert invalidates(method.encode(), code) is does


def test_it_is_given_with_its_age():
    """RFC 9111, 5.1; one Age, whatever it came with."""
    given = encode_given(kept("Age: 3|A: 1"), NOW + 4.9, b"hit", [b"c=1"])
    assert given == (
        b"HTTP/1.1 200 OK\r\nA: 1\r\nAge: 7\r\nCache-Status: weblayer; hit\r\n"
        b"Set-Cookie: c=1\r\n\r\n"
    )


VALUES = st.sampled_from(
    ["", "0", "5", "99999999999999999999", "-1", "x", "max-age", "max-age=", 'max-age="', "{-5}",
     "max-age=5, no-cache", "max-stale", "stale-if-error=9", ",,", "*", "\xff"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["Cache-Control", "Age", "Date", "Expires", "Last-Modified", "ETag", "Vary", "Connection"]
)
ANY = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(
    lambda pairs: fields("|".join(f"{name}: {value}" for name, value in pairs))
)


@given(said=ANY, asked=ANY, code=st.integers(200, 599), later=st.floats(-1e9, 1e9))
def test_nothing_that_is_said_breaks_it(said, asked, code, later):
    """And what is once stale does not become fresh again."""
    may_keep(b"GET", asked, code, said)
    chosen = variant(asked, said)
    if chosen is None:
        return
    found = Kept(code, encode_kept(code, b"", said), NOW - 1, NOW, chosen)
    assert age_of(found, NOW + later) >= 0
    serves_errors(found, asked, NOW + later)
    refreshed(found, asked, said, (NOW, NOW))
    if judge(found, NOTHING, NOW + later) is not FRESH:
        assert judge(found, NOTHING, NOW + max(0, later) + 10) is not FRESH

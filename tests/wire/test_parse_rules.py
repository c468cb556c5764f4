"""Each rule of a request holds: the rows of rules.py, and what else a head says."""

import pytest

from tests.wire.readings import PLAIN, events_of, messages_of, refusal_of
from tests.wire.rules import REFUSED, TAKEN, chunks, head, post
from weblayer.wire.events import Head
from weblayer.wire.head import METHODS
from weblayer.wire.parse import Limits, RequestParser


@pytest.mark.parametrize("rule", REFUSED)
def test_what_is_refused(rule):
    """A message that is wrong is a Bad, after the whole one before it, and nothing comes after."""
    raw, status, _ = REFUSED[rule]
    events = events_of([PLAIN + raw + PLAIN])
    assert [message.target for message in messages_of(events)] == [b"/"]
    assert refusal_of(events) == status


@pytest.mark.parametrize("rule", TAKEN)
def test_what_is_taken(rule):
    """A message that is right is read to its end, and so is what stands behind it."""
    raw, requests, _ = TAKEN[rule]
    events = events_of([raw])
    assert [(message.target, message.body) for message in messages_of(events)] == requests
    assert refusal_of(events) is None


@pytest.mark.parametrize("before", TAKEN)
def test_a_message_is_judged_by_itself(before):
    """Whatever came before it on the connection, what is refused is refused."""
    raw, requests, _ = TAKEN[before]
    if len(messages_of(events_of([raw + PLAIN]))) == len(requests):
        return  # the last message of its connection
    for rule, (wrong, status, _) in REFUSED.items():
        assert refusal_of(events_of([raw + wrong + PLAIN])) == status, rule


@pytest.mark.parametrize("method", sorted(METHODS))
def test_each_method_is_known_to_the_judge(method):
    """Our list of methods is one that llhttp takes too; CONNECT has a target of its own."""
    target = b"a:1" if method == b"CONNECT" else b"/"
    (event,) = events_of([head(line=method + b" " + target + b" HTTP/1.1")])
    assert event.method == method


@pytest.mark.parametrize(
    ("fields", "version", "expects"),
    [
        ([b"Expect: 100-continue"], b"1.1", True),
        ([b"expect: 100-Continue"], b"1.1", True),
        ([b"Expect: 100-continue", b"Expect: 100-continue"], b"1.1", True),
        ([b"Expect:"], b"1.1", False),
        ([], b"1.1", False),
        ([b"Expect: 100-continue"], b"1.0", False),
    ],
)
def test_who_waits_for_100_continue(fields, version, expects):
    """A client of HTTP/1.1 that says so (RFC 9110, 10.1.1)."""
    (event,) = events_of([post(*fields, version=version)])
    assert event.facts.expects is expects


@pytest.mark.parametrize(
    ("fields", "version", "upgrade"),
    [
        ([b"Connection: Upgrade", b"Upgrade: websocket"], b"1.1", b"websocket"),
        ([b"Connection: TE, upgrade", b"Upgrade: A", b"upgrade: b/1"], b"1.1", b"a, b/1"),
        ([b"Connection: close, upgrade", b"Upgrade: a"], b"1.1", b"a"),
        ([b"Upgrade: websocket"], b"1.1", None),
        ([b"Connection: close", b"Upgrade: websocket"], b"1.1", None),
        ([b"Connection: Upgrade"], b"1.1", None),
        ([b"Connection: Upgrade", b"Upgrade: websocket"], b"1.0", None),
    ],
)
def test_what_upgrade_is_offered(fields, version, upgrade):
    """What a client of HTTP/1.1 names in Upgrade, and means for us (RFC 9110, 7.8)."""
    (event,) = events_of([post(*fields, version=version)])
    assert event.facts.upgrade == upgrade


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"GET / HTTP/1.1", b"a:80"),
        (b"GET http://B:8/ HTTP/1.1", b"b:8"),
        (b"CONNECT C:443 HTTP/1.1", b"c:443"),
    ],
)
def test_whose_host_is_asked(line, host):
    """The authority of a target replaces Host (RFC 9112, 3.2.2); case means nothing in either."""
    (event,) = events_of([head(line=line, host=b"Host: A:80 ")])
    assert event.host == host


def test_fields_are_read_as_sent():
    """Names keep their case, values lose the spaces around them, order and repeats stay."""
    raw = head(b"x-A:\t1 ", b"X-a: 2", b"Cookie: a=b; c=d", b"X-Empty:")
    (event,) = events_of([raw])
    assert event.raw == raw
    assert event.fields() == [
        (b"Host", b"a"),
        (b"x-A", b"1"),
        (b"X-a", b"2"),
        (b"Cookie", b"a=b; c=d"),
        (b"X-Empty", b""),
    ]


def test_a_body_may_hold_line_feeds_behind_a_large_head():
    """What stands behind a head is not judged as part of it, however large that was."""
    raw = post(b"Cookie: " + b"c" * 9000, b"Content-Length: 4") + b"{\n}\n"
    assert [message.body for message in messages_of(events_of([raw]))] == [b"{\n}\n"]


def test_bad_says_which_rule_was_broken():
    """The log learns the rule and the bytes, with whatever is odd in them escaped."""
    (bad,) = events_of([b"G\x1b[31mT / HTTP/1.1\r\n\r\n"])
    assert bad.rule.isprintable()
    assert "G\\x1b[31mT" in bad.rule


# Limits


@pytest.mark.parametrize(
    ("unit", "limits", "status"),
    [
        (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n", Limits(line=40, head=80), 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n", Limits(line=20, head=60), 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n", Limits(line=60, head=60), 431),
    ],
)
def test_size_limits_are_exact(unit, limits, status):
    """A line or head of just the limit passes, one byte more does not, whole or not."""
    most = limits.line - len(b"GET / HTTP/1.1") if status == 414 else limits.head - len(unit) + 2
    whole, larger = unit % (b"a" * most), unit % (b"a" * (most + 1))
    assert refusal_of(events_of([whole], limits)) is None
    assert refusal_of(events_of([larger], limits)) == status
    assert refusal_of(events_of([larger[: limits.head]], limits)) == status


def test_the_number_of_fields_is_limited():
    """As many as the limit says pass, Host among them; one more is 431 (RFC 6585, 5)."""
    limits = Limits(fields=3)
    assert refusal_of(events_of([head(b"A:", b"B:")], limits)) is None
    assert refusal_of(events_of([head(b"A:", b"B:", b"C:")], limits)) == 431


def test_a_malformed_head_is_malformed_before_it_is_large():
    """Limits are the last thing that is asked of a head that is whole and within its size."""
    raw = head(line=b"CONNECT \na:1 HTTP/1.1")
    assert refusal_of(events_of([raw], Limits(fields=1))) == 400


def test_a_chunk_line_is_limited():
    """A line of a chunked body, its end counted, may be as long as the limit, and no longer."""
    limits = Limits(chunk_line=8)
    assert refusal_of(events_of([chunks(b"1;abcd\r\na\r\n")], limits)) is None
    assert refusal_of(events_of([chunks(b"1;abcde\r\na\r\n")], limits)) == 400


def test_the_frame_of_a_body_is_counted_from_its_last_byte():
    """Any number of chunks may come; what comes without a byte of body is limited."""
    limits = Limits(frame=20)
    assert refusal_of(events_of([chunks(b"1;abcd\r\na\r\n" * 100)], limits)) is None
    assert refusal_of(events_of([chunks(b"0\r\n" + b"X: abcd\r\n" * 3)], limits)) == 400


def test_empty_lines_are_counted_from_the_last_message():
    """A few between any two requests are no trouble."""
    raw = (b"\r\n" * 4 + PLAIN) * 20
    events = events_of([raw], Limits(frame=8))
    assert len(messages_of(events)) == 20
    assert refusal_of(events_of([b"\r\n" * 5], Limits(frame=8))) == 400


def test_a_head_holds_its_line():
    """Limits that contradict each other are the program's mistake, named."""
    with pytest.raises(ValueError, match="head must be at least line"):
        Limits(line=100, head=99)


def test_what_will_never_be_http_is_told_at_once():
    """No need to wait for the end of a line that begins wrong."""
    for raw in (
        b"\x16",
        b"SSH-2.0-x\n",
        b"{",
        b" ",
        b"FROB / HTTP/1.1\r\n",
        b"GET \n HTTP/1.1\r\n",
    ):
        assert refusal_of(events_of([raw])) is not None


def test_each_parser_has_its_own_state():
    """Two connections share nothing but their limits."""
    one, other = RequestParser(), RequestParser()
    assert one.feed(PLAIN[:10]) == []
    assert isinstance(other.feed(PLAIN)[0], Head)
    assert isinstance(one.feed(PLAIN[10:])[0], Head)

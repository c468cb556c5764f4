"""How often a client may ask."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from tests.web.visitors import site, visit
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.rate import Rate, RateLimit, byUser
from weblayer.web.site import Site
from weblayer.web.testing import Conversation
from weblayer.web.wrapper import Wrapper

PAGE = Page(lambda request: "seen")

# Moments in eighths of a second, which floats add without rounding.
WAITS = st.lists(st.integers(0, 40).map(lambda eighths: eighths / 8), max_size=60)
RATES = st.tuples(st.integers(1, 16), st.sampled_from([1, 2, 8]), st.integers(1, 8))


def moments(waits):
    """When requests come that keep these seconds between them."""
    now, found = 1000.0, []
    for wait in waits:
        now += wait
        found.append(now)
    return found


@given(RATES, WAITS)
def test_never_more_than_the_burst_and_what_flows_back(numbers, waits):
    """In whatever stretch of time."""
    most, per, burst = numbers
    rate = Rate(most, per, burst=burst)
    taken = [now for now in moments(waits) if not rate.take("a", now)]
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            seconds = taken[last] - start
            assert last - first + 1 <= burst + Fraction(most, per) * Fraction(seconds) + 1e-5


@given(RATES, WAITS)
def test_it_is_a_bucket_of_tokens(numbers, waits):
    """Counted token by token, exactly, the same are let in."""
    most, per, burst = numbers
    rate, tokens, before = Rate(most, per, burst=burst), Fraction(burst), 1000.0
    for now in moments(waits):
        tokens = min(burst, tokens + Fraction(now - before) * most / per)
        before, has_one = now, tokens >= 1
        tokens -= has_one
        wait = rate.take("a", now)
        assert (wait == 0) is has_one
        if wait:
            assert wait == pytest.approx(float((1 - tokens) * per / most))


@given(RATES, WAITS, st.floats(0, 1e9))
def test_who_waits_as_told_is_let_in(numbers, waits, start):
    """To the moment, and by whole seconds, as Retry-After has them."""
    most, per, burst = numbers
    for rounded in (lambda wait: wait, ceil):
        rate, now = Rate(most, per, burst=burst), start
        for wait in waits:
            now += wait
            if told := rate.take("a", now):
                now += rounded(told)
                assert not rate.take("a", now)


def test_each_client_has_its_own():
    """And none is another's."""
    rate = Rate(2)
    assert [bool(rate.take(client, 0)) for client in "aabbabc"] == [
        False, False, False, False, True, True, False,
    ]  # fmt: skip


def test_a_clock_that_goes_back_locks_nobody_out():
    """For longer than an empty bucket takes to fill."""
    rate = Rate(1, 10)
    assert rate.take("a", 10**6) == 0
    assert rate.take("a", 0) == 10


def test_so_many_clients_are_remembered():
    """Of more, who was let in the longest ago is forgotten, and has a full bucket."""
    rate = Rate(1, maxClients=2)
    assert [bool(rate.take(client, 0)) for client in "abca"] == [False] * 4
    assert [bool(rate.take(client, 0)) for client in "cba"] == [True, False, True]


def test_those_with_full_buckets_are_forgotten_first():
    """They lose nothing by it, and make room for the others."""
    rate = Rate(1, 10, maxClients=3)
    for client in "abc":
        assert not rate.take(client, 0)
    for client in "def":
        assert not rate.take(client, 20)
    assert all(rate.take(client, 20) for client in "def")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"most": 0}, "most must be"),
        ({"most": 1, "per": 0}, "per must be"),
        ({"most": 1, "per": float("nan")}, "per must be"),
        ({"most": "1"}, "most must be"),
        ({"most": 1, "burst": 0}, "burst must be"),
        ({"most": 1, "maxClients": 0}, "maxClients must be"),
    ],
)
def test_a_rate_that_lets_nobody_in_is_an_error(options, match):
    """It was not meant."""
    with pytest.raises(ValueError, match=match):
        Rate(**options)


# In the tree


def test_who_asks_too_often_is_told_when_to_come_again():
    """429, and Retry-After in seconds; by then it is let in."""
    clock = Clock()
    limited = site(RateLimit(PAGE, Rate(2, per=5)), clock)
    assert [visit(limited).code for _ in range(3)] == [200, 200, 429]
    answer = visit(limited)
    assert (answer.code, answer.getHeader("retry-after")) == (429, "3")
    clock.advance(2.25)
    assert visit(limited).getHeader("retry-after") == "1"
    clock.advance(0.25)
    assert [visit(limited).code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", True),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.10", False),
        ("unknown", "_hidden", True),
        ("unknown", "203.0.113.9", False),
    ],
)
def test_a_client_is_who_has_the_address(one, other, is_one):
    """Of IPv6 who has the network of 64 bits, that is one customer's."""
    limited = site(RateLimit(PAGE, Rate(1)))
    assert visit(limited, address=one).code == 200
    assert (visit(limited, address=other).code == 429) is is_one


def test_those_of_a_unix_socket_are_one_client():
    """They have no address."""
    limited = Site(RateLimit(PAGE, Rate(1)), reactor=Clock())
    codes = []
    for _ in range(2):
        peer = MemoryPeer(limited, peer="", host="/run/web.sock")
        peer.send(raw("GET / HTTP/1.1"))
        codes.append(peer.received.split()[1])
    assert codes == [b"200", b"429"]


def test_what_several_have_one_rate_for_counts_together():
    """Whichever part of the tree is asked."""
    rate = Rate(2)
    limited = site(tree(a=RateLimit(PAGE, rate), b=RateLimit(PAGE, rate), c=PAGE))
    assert [visit(limited, f"/{name}").code for name in "abac"] == [200, 200, 429, 200]


def test_several_rates_hold_at_once():
    """A few in a second, and not many in an hour."""
    clock = Clock()
    limited = site(RateLimit(RateLimit(PAGE, Rate(1, per=1)), Rate(3, per=3600)), clock)
    codes = []
    for _ in range(4):
        codes.append(visit(limited).code)
        clock.advance(1)
    assert codes == [200, 200, 200, 429]


class Named(Wrapper):
    """Lets in whoever says a name."""

    def enter(self, request):
        request.avatarId = request.getHeader("x-name")
        return self.resource


def test_a_user_is_one_client_from_wherever():
    """And who is none is told apart by the address, which no user can be called."""
    limited = site(Named(RateLimit(PAGE, Rate(1), byUser)))
    asked = [("ada", "203.0.113.1"), ("ada", "203.0.113.2"), ("203.0.113.3", "203.0.113.1"),
             ("", "203.0.113.3"), ("", "203.0.113.3")]  # fmt: skip
    codes = [visit(limited, x_name=name, address=address).code for name, address in asked]
    assert codes == [200, 429, 200, 200, 429]


def test_who_a_client_is_may_be_said_by_a_function():
    """None is nobody who would be limited."""
    limited = site(RateLimit(PAGE, Rate(1), lambda request: request.method != "GET" or None))
    assert [visit(limited, method="GET").code for _ in range(3)] == [200] * 3
    assert [visit(limited, method="POST").code for _ in range(2)] == [200, 429]


def test_who_asks_too_often_uploads_nothing():
    """The refusal goes out in place of 100 Continue."""
    conversation = Conversation(RateLimit(PAGE, Rate(1)))
    conversation.ask("GET", "/")
    conversation.send(raw("PUT / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"), "PUT")
    assert [answer.code for answer in conversation.answers] == [200, 429]


def test_nothing_is_timed():
    """Nobody waits for anything: the buckets fill by themselves."""
    clock = Clock()
    limited = site(RateLimit(PAGE, Rate(1)), clock)
    visit(limited).lose()
    waiting = len(clock.getDelayedCalls())
    for number in range(50):
        visit(limited, address=f"203.0.113.{number}").lose()
    assert len(clock.getDelayedCalls()) == waiting


def test_a_token_can_be_given_back():
    """For what should not count; never more than there were."""
    rate = Rate(1, per=10, burst=2)
    for _ in range(20):
        assert rate.take("a", 0) == 0
        rate.giveBack("a")
    rate.giveBack("a")
    rate.giveBack("nobody")
    assert [rate.take("a", 0) for _ in range(3)] == [0, 0, 10]


def test_a_number_is_no_rate():
    """Else each request would be an error of ours."""
    with pytest.raises(TypeError, match="rate must be a Rate"):
        RateLimit(Page(None), 5)

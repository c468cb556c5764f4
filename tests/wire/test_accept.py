"""The Accept field, held to the examples of RFC 9110, 12.5.1."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.accept import best, names_type, parse_accept

# RFC 9110, 12.5.1, the last example.
EXAMPLE = (
    b"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
    b"text/plain;format=fixed;q=0.4, */*;q=0.5"
)

OFFERS = [b"text/plain", b"text/html", b"application/json"]


def test_ranges_are_read_in_the_order_sent():
    """Types come in lower case, with their weight, 1 when none was given."""
    ranges = parse_accept(b"Text/HTML, application/json ;Q=0.5,*/*; q=0.01")
    assert [(r.type, r.subtype, r.q) for r in ranges] == [
        (b"text", b"html", 1.0),
        (b"application", b"json", 0.5),
        (b"*", b"*", 0.01),
    ]


def test_the_weight_may_stand_before_other_parameters():
    """q is the weight wherever it stands; the others belong to the type."""
    (found,) = parse_accept(b'text/plain;q=0.2;format="flowed"')
    assert (found.q, found.parameters) == (0.2, {(b"format", b"flowed")})


def test_the_most_specific_range_decides():
    """The standard's own example: the weights 1, 0.7, 0.5, 0.4 and 0.3, best first."""
    ranking = [
        b"text/plain;format=flowed",
        b"text/plain",
        b"image/jpeg",
        b"text/plain;format=fixed",
        b"text/html",
    ]
    for place, wanted in enumerate(ranking):
        assert best(sorted(ranking[place:]), EXAMPLE) == wanted


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, b"text/plain"),
        (b"", b"text/plain"),
        (b"*/*", b"text/plain"),
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", b"text/html"),
        (b"application/json, text/plain, */*", b"application/json"),
        (b"application/json;charset=utf-8", b"application/json"),
        (b"application/json, */*;q=0.5", b"application/json"),
        (b"*/*, text/html", b"text/html"),
        (b"text/*;q=0.5, application/*;q=0.6", b"application/json"),
        (b"text/html;q=0.2, application/json;q=0.2", b"text/html"),
    ],
)
def test_the_peer_gets_what_it_wants_most(accept, chosen):
    """Weight first, then the exacter name, then the earlier one, then our own order."""
    assert best(OFFERS, accept) == chosen


def test_a_weight_of_zero_is_a_refusal():
    """q=0 on an exact type holds although a wildcard would take it."""
    assert best([b"text/html", b"text/plain"], b"text/html;q=0, */*;q=0.1") == b"text/plain"
    assert best([b"text/html"], b"text/html;q=0, */*;q=0.1") is None
    assert best(OFFERS, b"image/png") is None


@pytest.mark.parametrize(
    "part",
    [
        b"text",
        b"text/",
        b"/html",
        b"*/html",
        b"text/html/x",
        b"text html",
        b"text/html;q=2",
        b"text/html;q=1.001",
        b"text/html;q=0.1234",
        b"text/html;q=-1",
        b"text/html;q=nan",
        b"text/html;q=",
        b"text/html;level",
        b'text/html;a="x,y"',
        b"text/" + b"x" * 300,
        b"\xff/\xff",
    ],
)
def test_a_malformed_part_is_skipped(part):
    """It neither counts nor spoils its neighbours."""
    assert parse_accept(part) == []
    assert best(OFFERS, part + b", application/json;q=0.1") == b"application/json"


def test_an_offer_must_be_a_media_type():
    """The caller's mistake is named."""
    for wrong in (b"html", b"text/*", b""):
        with pytest.raises(ValueError, match="offers"):
            best([wrong], b"*/*")


@given(st.binary(max_size=200))
def test_no_field_is_too_odd(field):
    """Whatever a peer sends, the answer is one of the offers or a refusal."""
    assert best(OFFERS, field) in [*OFFERS, None]


@given(st.permutations([b"a/b;q=0.1", b"a/c;q=0.2", b"a/*;q=0.3", b"*/*;q=0.4"]))
def test_order_matters_only_between_equals(parts):
    """Weights are the peer's word, wherever in the field they stand."""
    assert best([b"a/b", b"a/c", b"a/d", b"x/y"], b",".join(parts)) == b"x/y"
    assert best([b"a/b", b"a/c", b"a/d"], b",".join(parts)) == b"a/d"


@pytest.mark.parametrize("unit", [b"a/b,", b",", b";", b'a/b;a="', b"a/b;q=0.", b"a/b;a=b;"])
def test_a_field_of_any_length_costs_little(unit):
    """A megabyte of Accept is read in far less than a tenth of a second of CPU."""
    field = unit * (1_000_000 // len(unit))
    before = time.process_time()
    best(OFFERS, field)
    assert time.process_time() - before < 0.1


@pytest.mark.parametrize(
    ("accept", "named"),
    [
        (b"text/html", True),
        (b"application/xml;q=0.9, TEXT/HTML;q=0.1, */*", True),
        (b"text/html;level=1", False),
        (b"text/html;q=0, */*", False),
        (b"text/*", False),
        (b"*/*", False),
        (b"", False),
        (None, False),
    ],
)
def test_a_type_is_named_or_only_welcome(accept, named):
    """A wildcard names nothing."""
    assert names_type(b"text/html", accept) is named

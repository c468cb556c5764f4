"""Policies: what holds for a part of the tree, laid over each other on the way down."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, tree
from weblayer.web.policy import DEFAULT_POLICY, Policy
from weblayer.web.testing import ask

policies = st.builds(
    Policy,
    takesBody=st.sampled_from([None, "spool", "stream", "ignore"]),
    maxBody=st.none() | st.integers(0, 10),
    maxFields=st.none() | st.integers(0, 10),
    maxFieldBytes=st.none() | st.integers(0, 10),
    cancelWhenLost=st.none() | st.booleans(),
)


def facts(policy):
    return [getattr(policy, field.name) for field in fields(policy)]


@given(st.lists(policies))
def test_the_nearest_that_says_anything_counts(line):
    """Field by field, what a policy leaves open is as its parent has it."""
    laid = DEFAULT_POLICY
    for policy in line:
        laid = policy.over(laid)
    for nth, default in enumerate(facts(DEFAULT_POLICY)):
        said = [facts(policy)[nth] for policy in line if facts(policy)[nth] is not None]
        assert facts(laid)[nth] == (said[-1] if said else default)


def test_the_same_pair_is_laid_once():
    """A walk that comes by again gets the same policy, not another like it."""
    policy = Policy(maxBody=7)
    assert policy.over(DEFAULT_POLICY) is policy.over(DEFAULT_POLICY)


def size(request):
    return str(len(request.content.read()))


def limited(inner, outer):
    root = tree(a=Page(size, inner))
    root.policy = outer
    return root


@pytest.mark.parametrize(
    ("inner", "outer", "code"),
    [
        (None, None, 200),
        (None, Policy(maxBody=2), 413),
        (Policy(maxBody=3), Policy(maxBody=2), 200),
        (Policy(maxBody=2), Policy(maxBody=3), 413),
        (Policy(takesBody="spool"), Policy(takesBody="ignore", maxBody=0), 413),
        (Policy(takesBody="ignore"), Policy(maxBody=0), 200),
    ],
)
def test_a_policy_holds_for_what_is_found_below(inner, outer, code):
    """What the root says holds for its children, unless they say otherwise."""
    assert ask(limited(inner, outer), "POST", "/a", body=b"abc").code == code


def test_by_default_a_body_is_spooled_up_to_a_mebibyte():
    """1 MiB goes through, a byte more does not."""
    most = 1024 * 1024
    assert ask(Page(size), "POST", body=b"x" * most).text() == str(most)
    assert ask(Page(size), "POST", body=b"x" * (most + 1)).code == 413


@pytest.mark.parametrize(
    "wrong",
    [
        {"takesBody": "eat"},
        {"maxBody": -1},
        {"maxFields": -1},
        {"maxFieldBytes": -1},
        {"maxBody": "1"},
        {"compressFrom": "1"},
        {"deadline": "1"},
    ],
)
def test_a_wrong_policy_is_told_where_it_is_made(wrong):
    """The error names the parameter."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Policy(**wrong)


def test_a_page_in_place_of_what_makes_it_is_refused():
    """Else each error would be one more."""
    with pytest.raises(TypeError, match="errorPage"):
        Policy(errorPage="<p>Lost?")

"""Whether what the client holds is still good: RFC 9110, 13.1.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.dates import format_date
from weblayer.wire.freshness import is_unmodified

moments = st.integers(0, 4_000_000_000)


@given(moments, moments)
def test_unmodified_is_not_later(since, modified):
    """A page of the same second, or an older one, has not changed."""
    assert is_unmodified(format_date(since), modified) == (modified <= since)


@pytest.mark.parametrize("since", [None, b"", b"0", b"yesterday", b"-1"])
def test_what_is_no_date_is_ignored(since):
    """As if the field were not there: the page is sent."""
    assert not is_unmodified(since, 0)

"""Whether what the client holds is still good. Source: RFC 9110, 13."""

from weblayer.wire.dates import parse_date

__all__ = ["is_unmodified"]


def is_unmodified(since: bytes | None, modified: int) -> bool:
    """Whether a page last changed at *modified* (seconds since 1970) has not changed since.

    *since* is the value of If-Modified-Since; one that is absent or no date is ignored.
    Source: RFC 9110, 13.1.3.
    """
    moment = parse_date(since) if since else None
    return moment is not None and modified <= moment

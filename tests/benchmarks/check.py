"""The answer to a case, looked at once before it is measured: wrong ones are easy to give fast."""

import http.client

from tests.benchmarks.case import Case
from tests.benchmarks.servers import CONTENT_TYPE, HOST

__all__ = ["WrongAnswer", "check"]

DEADLINE = 5.0  # seconds for one answer of an idle server


class WrongAnswer(Exception):
    """A server answered something else than the case expects; the message says what."""


def check(case: Case, port: int) -> None:
    """Ask twice on one connection, so that a server that closes it is found out too.

    Raises WrongAnswer.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=DEADLINE)
    try:
        _check_once(case, connection)
        if connection.sock is None:
            raise WrongAnswer("the connection was closed after the first answer")
        _check_once(case, connection)
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswer(f"no answer: {error!r}") from error
    finally:
        connection.close()


def _check_once(case: Case, connection: http.client.HTTPConnection) -> None:
    connection.request(case.method, case.path, case.body or None, dict(case.headers))
    response = connection.getresponse()
    body = response.read()
    if response.status != case.status:
        raise WrongAnswer(f"status {response.status} and not {case.status}: {body[:80]!r}")
    if case.answer is None:
        return
    if body != case.answer:
        raise WrongAnswer(f"body {body[:80]!r} and not {case.answer[:80]!r}")
    if (kind := response.headers.get_content_type()) != CONTENT_TYPE:
        raise WrongAnswer(f"content type {kind} and not {CONTENT_TYPE}")

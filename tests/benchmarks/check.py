"""The answer to a case, looked at once before it is measured: wrong ones are easy to give fast."""

import http.client
import json
import socket
import ssl
from dataclasses import replace
from http.cookies import SimpleCookie

from tests.benchmarks.case import JSON, Case
from tests.benchmarks.files import content
from tests.benchmarks.servers import HOST

__all__ = ["WrongAnswer", "check", "entered"]

DEADLINE = 5.0  # seconds for one answer of an idle server


class WrongAnswer(Exception):
    """A server answered something else than the case expects; the message says what."""


def check(case: Case, port: int) -> None:
    """Ask twice on one connection, so that a server that closes it is found out too.

    Raises WrongAnswer.
    """
    if case.kind == "echo":
        _check_echo(case, port)
    else:
        _check_http(case, port)


def entered(case: Case, port: int) -> Case:
    """The case with the cookies of who has been where it enters. Raises WrongAnswer."""
    if not case.enter:
        return case
    connection = _connection(case, port)
    try:
        connection.request("GET", case.enter)
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswer(f"no answer: {error!r}") from error
    finally:
        connection.close()
    cookies = SimpleCookie("; ".join(response.headers.get_all("Set-Cookie", [])))
    sent = "; ".join(f"{cookie.key}={cookie.coded_value}" for cookie in cookies.values())
    return replace(case, headers=case.headers | {"Cookie": sent}) if sent else case


def _check_echo(case: Case, port: int) -> None:
    try:
        with socket.create_connection((HOST, port), timeout=DEADLINE) as connection:
            for _ in range(2):
                connection.sendall(case.body)
                came = connection.recv(len(case.body), socket.MSG_WAITALL)
                if came != case.answer:
                    raise WrongAnswer(f"{came!r} and not {case.answer!r}")
    except OSError as error:
        raise WrongAnswer(f"no answer: {error!r}") from error


def _check_http(case: Case, port: int) -> None:
    connection = _connection(case, port)
    try:
        _check_once(case, connection)
        if connection.sock is None:
            raise WrongAnswer("the connection was closed after the first answer")
        _check_once(case, connection)
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswer(f"no answer: {error!r}") from error
    finally:
        connection.close()


def _connection(case: Case, port: int) -> http.client.HTTPConnection:
    if case.scheme == "http":
        return http.client.HTTPConnection(HOST, port, timeout=DEADLINE)
    # Nobody has signed the certificate, and nobody else is on the way.
    trusting = ssl._create_unverified_context()
    return http.client.HTTPSConnection(HOST, port, timeout=DEADLINE, context=trusting)


def _check_once(case: Case, connection: http.client.HTTPConnection) -> None:
    connection.request(case.method, case.path, case.body or None, dict(case.headers))
    response = connection.getresponse()
    body = response.read()
    if response.status != case.status:
        raise WrongAnswer(f"status {response.status} and not {case.status}: {body[:80]!r}")
    wanted = content(case.file) if case.file else case.answer
    if wanted is None:
        return
    if (kind := response.headers.get_content_type()) != case.type:
        raise WrongAnswer(f"content type {kind} and not {case.type}")
    if body != wanted and not (kind == JSON and json.loads(body) == json.loads(wanted)):
        raise WrongAnswer(f"body {body[:80]!r} and not {wanted[:80]!r}")

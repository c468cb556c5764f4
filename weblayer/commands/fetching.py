"""Asking from the command line: the exchange, what it is written to, and what is told of it."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import ExitStack
from http.cookiejar import LoadError, MozillaCookieJar
from pathlib import Path
from typing import Any

import click

from weblayer.client.agent import IAgent
from weblayer.client.asked import timeouts_of
from weblayer.client.environment import Environment
from weblayer.client.error import (
    ClientError,
    InvalidURI,
    NotFollowed,
    RequestTimeout,
    ResponseFailed,
)
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.proxy import ProxyAgent
from weblayer.client.redirect import MOST
from weblayer.client.response import Readable
from weblayer.client.retry import Retrying
from weblayer.client.session import Session
from weblayer.client.trust import BrowserLikePolicyForHTTPS
from weblayer.commands.download import Download, Mismatch, Target
from weblayer.commands.errors import CommandError
from weblayer.commands.trace import Tracing, show_head
from weblayer.commands.wanted import Wanted, told_of
from weblayer.loop.error import ConnectError, SSLError
from weblayer.loop.loops import new_loop
from weblayer.loop.reactor import reactorHere

__all__ = ["run"]

FILE, USAGE, CLIENT, SERVER, CONNECTION, TRUST, TIME, BROKEN = 1, 2, 4, 5, 6, 7, 8, 9

# What an error means to a script; the first kind that fits.
CODES: list[tuple[type[Exception], int]] = [
    (InvalidURI, USAGE),
    (RequestTimeout, TIME),
    (SSLError, TRUST),
    (ConnectError, CONNECTION),
    (NotFollowed, BROKEN),
    (ResponseFailed, BROKEN),
    (ClientError, BROKEN),
]


def run(wanted: Wanted) -> int:
    """Do it; gives the exit code. Raises ClickException for what the person can mend."""
    wanted.check()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_told(_fetch(wanted)))


async def _told(fetching: Coroutine[Any, Any, int]) -> int:
    """The exit code of *fetching*, or that of its error, once it has been told."""
    try:
        return await fetching
    except BrokenPipeError:
        # Who reads has seen enough; what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Mismatch as error:
        raise CommandError(str(error)) from error
    except tuple(kind for kind, _ in CODES) as error:
        click.echo(f"Error: {error}", err=True)
        return next(code for kind, code in CODES if isinstance(error, kind))
    except OSError as error:
        raise told_of(error, "Give another --output.") from error


async def _fetch(wanted: Wanted) -> int:
    jar, pool = _jar(wanted.cookies), HTTPConnectionPool()
    agent = _agent(wanted, pool)
    redirects = 0 if wanted.no_redirects else MOST
    retrying = Retrying(times=wanted.retry) if wanted.retry else None
    target = Target(wanted.output, wanted.resume, wanted.checksum)
    with (
        ExitStack() as opened,
        Session(
            agent=agent,
            pool=pool,
            cookies=jar,
            redirects=redirects,
            retrying=retrying,
            timeout=wanted.timeout,
        ) as session,
    ):
        asked = wanted.asked(opened)
        asked["headers"] = headers = wanted.headers()
        target.ask(headers)
        response = await session.request(wanted.verb, wanted.uri, **asked)
        code = await _take(wanted, target, response)
    if wanted.cookies is not None:
        jar.save(ignore_discard=True)
    return code


async def _take(wanted: Wanted, target: Target, response: Readable) -> int:
    """Write the answer where it belongs; gives the exit code."""
    if wanted.head or wanted.include:
        show_head(response, err=False)
    if target.path is not None and target.is_complete(response):
        click.echo(f"{click.format_filename(target.path)} is complete already.", err=True)
        target.check()
        return 0
    is_error = response.code >= 400
    if is_error and (target.path is not None or wanted.head):
        click.echo(f"Error: the server answered {response.code} {response.phrase}", err=True)
        response.discard()
    elif not wanted.head:
        await Download(target, response).run()
    return (SERVER if response.code >= 500 else CLIENT) if is_error else 0


def _agent(wanted: Wanted, pool: HTTPConnectionPool) -> IAgent:
    """What asks for this command: directly or through a proxy, and traced or not."""
    trust = BrowserLikePolicyForHTTPS(wanted.cacert)
    proxy = Environment({}) if wanted.proxy == "" else wanted.proxy
    timeouts = timeouts_of(wanted.timeout)
    agent = ProxyAgent(reactorHere(), proxy, trust, pool, timeouts=timeouts)
    return Tracing(agent) if wanted.verbose else agent


def _jar(path: Path | None) -> MozillaCookieJar:
    """The cookies in a file, which need not be there yet."""
    jar = MozillaCookieJar(path)
    if path is not None and path.exists():
        try:
            jar.load(ignore_discard=True)
        except LoadError as error:
            told = f"{click.format_filename(path)} is no file of cookies, as curl and wget have it"
            raise CommandError(told) from error
    return jar

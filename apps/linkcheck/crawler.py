"""Going through a site, level by level: each address is asked for once, and politely.

A redirect is not followed by the client: where it leads is an address like another, with the
bounds of its own host, and circles are found by looking at what was answered.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from urllib.robotparser import RobotFileParser

from hypertext import FOLLOWED, Page, read_page, read_sheet

from weblayer.client import Session
from weblayer.client.error import (
    BodyTooLarge,
    ClientError,
    RequestTimeout,
    ResponseFailed,
)
from weblayer.client.response import Readable
from weblayer.client.uri import URI
from weblayer.loop.error import ConnectError

# What we are called in a robots.txt.
NAME = "linkcheck"

# Bytes of a page that is read; a longer one is data.
MOST_READ = 16 * 1024 * 1024

# Seconds that a robots.txt may have us wait between two requests: with more, nobody would wait.
MOST_DELAY = 10.0

REDIRECTS = frozenset((301, 302, 303, 307, 308))

READERS: dict[str, Callable[[str, str], Page]] = {
    "text/html": read_page,
    "application/xhtml+xml": read_page,
    "text/css": read_sheet,
}


@dataclass(frozen=True)
class Bounds:
    """How far to go, and how hard: links from the start, pages that are read, requests at once."""

    depth: int | None = None
    pages: int = 1000
    connections: int = 16
    per_host: int = 4
    delay: float = 0.0
    external: bool = True
    robots: bool = True
    exclude: re.Pattern[str] | None = None


@dataclass
class Visit:
    """One address, and what came of it: a status, an *error* in words, or why it was *skipped*."""

    url: str
    kind: str
    depth: int
    is_internal: bool
    code: int | None = None
    phrase: str = ""
    error: str = ""
    skipped: str = ""
    location: str = ""  # where a redirect leads
    type: str = ""
    seconds: float = 0.0
    page: Page | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is anything to say of it."""
        return bool(self.code or self.error or self.skipped)

    @property
    def is_bad(self) -> bool:
        """Whether it could not be had."""
        return bool(self.error) or (self.code or 0) >= 400


@dataclass
class Crawler:
    """Visits what *starts* lead to; `visits` has all of it, by address, in the order found."""

    session: Session
    starts: list[str]
    bounds: Bounds = field(default_factory=Bounds)
    told: Callable[["Crawler", Visit], object] = lambda crawler, visit: None
    visits: dict[str, Visit] = field(default_factory=dict)
    pages: int = 0  # that were or will be read
    begun: int = 0  # of the visits, those that were not skipped at once

    def __post_init__(self) -> None:
        self._here = {_site(URI.fromText(start)) for start in self.starts}
        self._hosts: dict[tuple[str, str, int], _Host] = {}
        self._slots = asyncio.Semaphore(self.bounds.connections)

    async def run(self) -> None:
        """Go through all of it."""
        level = [self._new(start, "start", 0) for start in self.starts]
        while level := [visit for visit in level if visit is not None]:
            async with asyncio.TaskGroup() as group:
                for visit in level:
                    if not visit.skipped:
                        self.begun += 1
                        group.create_task(self._visit(visit))
            level = list(chain.from_iterable(map(self._next, level)))

    def _next(self, visit: Visit) -> Iterator[Visit | None]:
        """What *visit* leads to and was not seen before."""
        if visit.location:
            if visit.kind == "start":
                self._here.add(_site(URI.fromText(visit.location)))  # what was meant, with www.
            yield self._new(visit.location, visit.kind, visit.depth)
        for link in visit.page.links if visit.page else ():
            if not link.fault:
                yield self._new(link.url, link.kind, visit.depth + 1)

    def _new(self, url: str, kind: str, depth: int) -> Visit | None:
        """A visit to be made, or to be skipped for a reason; None where it has been made."""
        if url in self.visits:
            return None
        is_internal = _site(URI.fromText(url)) in self._here
        visit = self.visits[url] = Visit(url, kind, depth, is_internal)
        if not (is_internal or self.bounds.external):
            visit.skipped = "another site"
        elif self.bounds.exclude and self.bounds.exclude.search(url):
            visit.skipped = "excluded"
        elif self._is_read(visit):
            if self.pages == self.bounds.pages:
                visit.skipped = f"the limit of {self.pages} pages"
            else:
                self.pages += 1
        return visit

    def _is_read(self, visit: Visit) -> bool:
        near = self.bounds.depth is None or visit.depth <= self.bounds.depth
        return visit.is_internal and visit.kind in FOLLOWED and near

    async def _visit(self, visit: Visit) -> None:
        uri = URI.fromText(visit.url)
        host = self._hosts.setdefault(uri.origin, _Host(self.bounds))
        async with host.slots, self._slots:
            began = time.perf_counter()
            try:
                if self.bounds.robots and not await host.allows(self.session, uri):
                    visit.skipped = "robots.txt"
                else:
                    await host.wait()
                    began = time.perf_counter()
                    await self._ask(visit)
            except (ClientError, ConnectError) as error:
                visit.error = str(error)
            visit.seconds = time.perf_counter() - began
        self.told(self, visit)

    async def _ask(self, visit: Visit) -> None:
        """Ask for a page, or whether there would be something."""
        method = "GET" if self._is_read(visit) else "HEAD"
        response = await self.session.request(method, visit.url)
        if method == "HEAD" and response.code >= 400:
            response.discard()  # some servers know no HEAD, and say so in their own ways
            response = await self.session.get(visit.url)
        visit.code, visit.phrase = response.code, response.phrase
        visit.type = (response.headers.getHeader("content-type") or "").partition(";")[0].lower()
        if response.code in REDIRECTS:
            visit.location = _location(visit, response)
        if self._is_read(visit) and response.code == 200 and visit.type in READERS:
            with suppress(BodyTooLarge):  # then it is there, and no page that anybody reads
                visit.page = READERS[visit.type](visit.url, await response.text(maxSize=MOST_READ))
        else:
            response.discard()


class _Host:
    """What holds for one server: how many requests at once, how far apart, and what not at all."""

    def __init__(self, bounds: Bounds) -> None:
        self.slots = asyncio.Semaphore(bounds.per_host)
        self._delay = bounds.delay
        self._free = 0.0  # when the next request may begin
        self._asking = asyncio.Lock()
        self._rules: RobotFileParser | None = None
        self._error: ConnectError | RequestTimeout | None = None

    async def wait(self) -> None:
        """Come back when it is our turn."""
        if self._delay:
            now = time.monotonic()
            begin = max(now, self._free)
            self._free = begin + self._delay
            await asyncio.sleep(begin - now)

    async def allows(self, session: Session, uri: URI) -> bool:
        """Whether its robots.txt lets us ask.

        Raises ConnectError or RequestTimeout, the same each time: who was not there for its rules
        is not waited for again.
        """
        async with self._asking:
            if self._error is not None:
                raise self._error
            if self._rules is None:
                try:
                    self._rules = await _rules(session, uri.join("/robots.txt").toText())
                except (ConnectError, RequestTimeout) as error:
                    self._error = error
                    raise
                asked = self._rules.crawl_delay(NAME)
                self._delay = max(self._delay, min(float(asked or 0), MOST_DELAY))
        return self._rules.can_fetch(NAME, uri.toText())


async def _rules(session: Session, url: str) -> RobotFileParser:
    """The rules at *url*. Raises ConnectError, RequestTimeout. Source: RFC 9309, 2.3.1."""
    rules = RobotFileParser()
    lines: Iterable[str] = ()
    # A server whose rules cannot be read has none; what is wrong with it will be told elsewhere.
    with suppress(ResponseFailed, BodyTooLarge, ValueError):
        response = await session.get(url)
        for _ in range(5):
            if response.code not in REDIRECTS:
                break
            there = response.request.uri.join(response.headers.getHeader("location") or "")
            response.discard()
            response = await session.get(there.toText())
        if response.code >= 500:
            lines = ["User-agent: *", "Disallow: /"]
        if response.code == 200:
            lines = (await response.text(maxSize=512 * 1024)).splitlines()
        else:
            response.discard()
    rules.parse(lines)
    return rules


def _location(visit: Visit, response: Readable) -> str:
    """Where a redirect leads; empty where it leads to nothing."""
    said = response.headers.getHeader("location")
    if said is None:
        visit.error = f"{response.code} without a Location"
        return ""
    try:
        return URI.fromText(visit.url).join(said).toText().partition("#")[0]
    except ValueError as error:
        visit.error = f"{response.code} to what is no address: {error}"
        return ""


def _site(uri: URI) -> tuple[str, int]:
    """What is one site: a host with its usual ports is one, however it is asked."""
    return uri.host, 0 if uri.port in (80, 443) else uri.port

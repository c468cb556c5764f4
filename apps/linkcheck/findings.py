"""What is wrong with a site, out of what was answered: pure decisions on the visits of a crawl."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crawler import Visit
from hypertext import LOADED, Link

# Redirects in a row that are more than a matter of taste: some clients follow no more (RFC 2068).
MANY_HOPS = 5

# Answers by which other sites tell programs from people: of the address they say nothing.
REFUSALS = frozenset((401, 403, 407, 429, 451, 999))

# In the order of what matters; the exit code is that of the first two.
KINDS = {
    "broken": "Broken links",
    "fragment": "Places that are not in the page",
    "mixed": "Loaded without encryption by an encrypted page",
    "moved": "Moved for good: the links may as well be right",
    "unknown": "Not checked",
}
BAD = ("broken", "fragment")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a link stands: the page, the line in it, and its text."""

    page: str
    line: int
    text: str


@dataclass(slots=True)
class Finding:
    """One thing that is wrong with one address, and all the links that lead there."""

    kind: str
    url: str
    told: str
    sources: list[Source] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figures:
    """How much was looked at."""

    pages: int
    links: int
    addresses: int
    sites: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that there is to tell of a crawl."""

    starts: list[str]
    figures: Figures
    findings: list[Finding]
    pages: list[Visit]
    stopped: bool = False  # before its end, by a person

    def of(self, kind: str) -> list[Finding]:
        """The findings of one kind, in the order in which the site has them."""
        return [finding for finding in self.findings if finding.kind == kind]

    @property
    def is_good(self) -> bool:
        """Whether no link is broken."""
        return not any(map(self.of, BAD))


def judge(
    starts: list[str], visits: Mapping[str, Visit], seconds: float, stopped: bool = False
) -> Report:
    """Put together what was found."""
    found: dict[tuple[str, str, str], Finding] = {}
    for start in starts:
        _note(found, visits, Link(start, "", "start", 0), None)
    pages = [visit for visit in visits.values() if visit.page is not None]
    for page in pages:
        for link in page.page.links if page.page else ():
            _note(found, visits, link, page)
    links = sum(len(page.page.links) for page in pages if page.page)
    sites = len({visit.url.split("/")[2] for visit in visits.values()})
    figures = Figures(len(pages), links, len(visits), sites, seconds)
    order = list(KINDS)
    findings = sorted(found.values(), key=lambda finding: order.index(finding.kind))
    return Report(starts, figures, findings, pages, stopped)


def _note(
    found: dict[tuple[str, str, str], Finding],
    visits: Mapping[str, Visit],
    link: Link,
    page: Visit | None,
) -> None:
    """Put what is wrong with *link* to what is wrong with others that lead there."""
    for kind, url, told in _faults(visits, link, page):
        finding = found.setdefault((kind, url, told), Finding(kind, url, told))
        if page is not None:
            finding.sources.append(Source(page.url, link.line, link.text))


def _faults(
    visits: Mapping[str, Visit], link: Link, page: Visit | None
) -> Iterator[tuple[str, str, str]]:
    """What is wrong with one link: kind, address, and what to say of it."""
    if link.fault:
        yield "broken", link.url, link.fault
        return
    way, circle = _way(visits, link.url)
    last = way[-1]
    if page is not None and _is_mixed(page, link):
        yield "mixed", link.url, "browsers refuse it, or ask for it by https in vain"
    if circle:
        yield "broken", link.url, f"redirects in a circle: {_hops(way)} → {last.location}"
    elif last.skipped:
        yield "unknown", link.url, _through(way, last.skipped)
    elif last.is_bad and not last.is_internal and last.code in REFUSALS:
        yield "unknown", link.url, _through(way, f"{_status(last)}: it tells programs nothing")
    elif last.is_bad:
        yield "broken", link.url, _through(way, _status(last))
    elif not last.is_done:
        yield "unknown", link.url, "stopped before"
    else:
        yield from _blemishes(link, way)


def _blemishes(link: Link, way: list[Visit]) -> Iterator[tuple[str, str, str]]:
    """What may be wrong with a link that leads somewhere."""
    last = way[-1]
    if len(way) > MANY_HOPS:
        yield "moved", link.url, f"{len(way) - 1} redirects in a row: {_hops(way)}"
    elif way[0].code in (301, 308):
        yield "moved", link.url, f"{way[0].code} to {way[0].location}"
    if link.fragment and last.page is not None and not last.page.has(link.fragment):
        yield "fragment", f"{link.url}#{link.fragment}", "no element there has that id"


def _way(visits: Mapping[str, Visit], url: str) -> tuple[list[Visit], bool]:
    """The visits that redirects lead through, and whether they lead back."""
    way: list[Visit] = []
    while (visit := visits.get(url)) is not None:
        if visit in way:
            return way, True
        way.append(visit)
        url = visit.location
    return way, False


def _is_mixed(page: Visit, link: Link) -> bool:
    loads = link.kind in LOADED
    return loads and page.url.startswith("https:") and link.url.startswith("http:")


def _status(visit: Visit) -> str:
    return visit.error or f"{visit.code} {visit.phrase}".strip()


def _through(way: list[Visit], told: str) -> str:
    return told if len(way) == 1 else f"redirects to {way[-1].url}: {told}"


def _hops(way: list[Visit]) -> str:
    return " → ".join(visit.url for visit in way)
